"""Walls that cement hides and that anatomy therefore draws some millimetres off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import Toy, ball, box, in_canal, rod, toy
from scipy import ndimage

from thecal.anatomy.spine import Part
from thecal.leakage import find_leakage

FULL = box(-19, 19, -29, -3, 22, 42)
VEIN = rod((0, -6, 32), (0, 2, 32), 1.2)


def leaks(case: Toy) -> list[str]:
    found = find_leakage(case.volume, case.spine, case.cement)
    return sorted(d.compartment for d in found.deposits if d.compartment != "intravertebral")


def wall_drawn_in(case: Toy, axis: int, mm: float) -> Toy:
    """The treated body's left side (axis 2) or top (axis 0) drawn too short by ``mm``."""
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    body = (labels == 19) & (parts == Part.BODY)
    # Cut off by moving the body's own mask.
    cells = round(mm / float(case.spine.grid.spacing_mm[axis]))
    lost = body & ~ndimage.shift(
        body.astype(np.uint8), [-cells if a == axis else 0 for a in range(3)], order=0
    )
    labels[lost] = 118 if axis == 0 else 0
    parts[lost] = 0
    return replace(case, spine=replace(case.spine, labels=labels, parts=parts))


@pytest.mark.parametrize("axis", [0, 2])
def test_a_layer_of_fill_that_a_short_wall_cuts_off_has_not_leaked(axis: int) -> None:
    assert leaks(wall_drawn_in(toy(FULL), axis, 3.0)) == []


def test_a_leak_through_a_vein_of_a_full_body_stays_a_leak() -> None:
    vein = rod((18, -15, 32), (22, -15, 32), 1.2)
    assert leaks(toy(FULL, vein, ball(25, -15, 32, 4.5))) == ["paravertebral"]


def test_flat_epidural_cement_on_a_full_body_is_not_given_back() -> None:
    assert leaks(toy(box(-12, 12, -29, 0, 22, 42), in_canal(box(-8, 8, 0, 3, 24, 40)))) == ["epidural"]


def test_cement_over_an_endplate_is_in_the_disc_where_the_next_body_is_not_seen() -> None:
    case = toy(FULL, ball(0, -14, 48, 3))
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    above = np.isin(labels, (18, 118))
    labels[above], parts[above] = 0, 0
    assert leaks(replace(case, spine=replace(case.spine, labels=labels, parts=parts))) == ["intradiscal"]


def test_free_cement_on_the_canals_wall_is_epidural_where_it_hides_that_wall() -> None:
    case = toy(box(-12, 12, -25, -8, 24, 40), in_canal(box(-5, 5, 0, 2.6, 28, 36)))
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    taken = (case.cement.pieces > 0) & np.isin(labels, (60, 61))
    labels[taken], parts[taken] = 19, Part.BODY
    assert leaks(replace(case, spine=replace(case.spine, labels=labels, parts=parts))) == ["epidural"]
