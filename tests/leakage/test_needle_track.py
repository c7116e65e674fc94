"""Cement along a needle's way, in slight pedicles that it hides and in wide ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import Toy, ball, box, rod, toy
from scipy import ndimage

from thecal.anatomy.spine import Part
from thecal.leakage import find_leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")

FILL = box(-12, 12, -25, -6, 24, 40)


def named(case: Toy) -> list[str]:
    found = find_leakage(case.volume, case.spine, case.cement)
    return sorted(d.compartment for d in found.deposits)


def pedicle_hidden(case: Toy, part: int) -> Toy:
    """The arch under cement and its blur called nothing (0) or foramen instead."""
    near = ndimage.distance_transform_edt(case.cement.pieces == 0, case.spine.grid.spacing_mm) <= 1.5
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    lost = near & (parts == Part.ARCH)
    labels[lost], parts[lost] = 0, part
    return replace(case, spine=replace(case.spine, labels=labels, parts=parts))


@pytest.mark.parametrize("part", [Part.NONE, Part.FORAMEN])
def test_a_track_that_hides_its_pedicle_is_a_needle_track(part: Part) -> None:
    track = rod((13.5, 3.5, 32), (16, 16, 33), 1.4)
    assert named(pedicle_hidden(toy(FILL, track), part)) == ["intravertebral", "needle_track"]


def test_a_short_cast_within_a_pedicle_is_a_needle_track() -> None:
    assert named(toy(FILL, rod((13.5, 4.5, 32), (14, 9.5, 32), 1.5))) == ["intravertebral", "needle_track"]


def test_a_short_cast_whose_pedicle_is_taken_for_foramen_is_a_needle_track() -> None:
    case = pedicle_hidden(toy(FILL, rod((13.5, 4.5, 32), (14, 9.5, 32), 1.5)), Part.FORAMEN)
    assert named(case) == ["intravertebral", "needle_track"]


def test_a_track_in_thick_slices_is_as_slender_as_in_thin_ones() -> None:
    track = rod((13.5, 4, 32), (15, 12, 32.5), 1.6)
    for slice_mm in (1.0, 2.0, 3.0):
        case = pedicle_hidden(toy(FILL, track, spacing=(slice_mm, 0.8, 0.8)), Part.NONE)
        assert named(case) == ["intravertebral", "needle_track"]


def test_a_cast_that_runs_across_the_spine_is_no_needle_track() -> None:
    assert "needle_track" not in named(toy(FILL, rod((16, 22, 32), (34, 22, 32), 1.4)))


def test_a_cast_below_the_pedicle_is_foraminal() -> None:
    assert named(toy(FILL, ball(-15, 5.5, 17.5, 3))) == ["foraminal", "intravertebral"]


def test_fill_that_runs_on_into_a_pedicle_stays_with_its_bone() -> None:
    case = toy(FILL, box(9.5, 17.5, -8, 6, 25, 39))
    assert np.all([name != "needle_track" for name in named(case)])
