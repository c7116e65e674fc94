"""Walls that cement hides and that anatomy therefore draws some millimetres off."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import Toy, ball, box, in_canal, rod, toy

from thecal.anatomy.spine import Part
from thecal.leakage import find_leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")

FULL = box(-19, 19, -29, -3, 22, 42)
VEIN = rod((0, -6, 32), (0, 2, 32), 1.2)


def leaks(case: Toy) -> list[str]:
    found = find_leakage(case.volume, case.spine, case.cement)
    return sorted(d.compartment for d in found.deposits if d.compartment != "intravertebral")


def dented(case: Toy, x: float, y: float, z: float, radius: float, label: int) -> Toy:
    """The treated body's label without what a ball takes of it."""
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    points = case.spine.grid.to_lps(np.stack(np.meshgrid(*map(np.arange, labels.shape), indexing="ij"), -1))
    near = np.linalg.norm(points - case.to_lps([[x, y, z]])[0], axis=-1) < radius
    lost = near & (labels == 19) & (parts == Part.BODY)
    labels[lost], parts[lost] = label, 0
    return replace(case, spine=replace(case.spine, labels=labels, parts=parts))


@pytest.mark.parametrize("dent", [(36.5, -15, 32, 20, 0), (0, -15, 60.5, 20, 118)])
def test_a_slice_of_fill_that_a_wall_drawn_short_cuts_off_has_not_leaked(dent) -> None:
    assert leaks(dented(toy(FULL), *dent)) == []


@pytest.mark.parametrize(("slice_mm", "high"), [(1.0, 3.0), (2.0, 3.0), (3.0, 4.0)])
def test_a_low_bleb_on_an_endplate_is_in_the_disc(slice_mm: float, high: float) -> None:
    bleb = box(-4, 4, -19, -11, 44, 44 + high)
    assert leaks(toy(box(-12, 12, -25, -5, 30, 44), bleb, spacing=(slice_mm, 1.0, 1.0))) == ["intradiscal"]


@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0])
def test_fill_along_all_of_an_endplate_is_not_in_the_disc(slice_mm: float) -> None:
    assert leaks(toy(box(-12, 12, -25, -5, 30, 44.9), spacing=(slice_mm, 1.0, 1.0))) == []


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


def test_epidural_cement_behind_a_disc_is_epidural_where_it_hides_the_canals_wall() -> None:
    case = toy(box(-12, 12, -25, -8, 24, 40), in_canal(box(-5, 5, 0, 2.6, 44.5, 51.5)))
    labels = case.spine.labels.copy()
    taken = (case.cement.pieces > 0) & np.isin(labels, (60, 61))
    labels[taken] = 118
    assert leaks(replace(case, spine=replace(case.spine, labels=labels))) == ["epidural"]
