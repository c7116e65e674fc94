"""Sheets of cement in the sac with gaps between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import ball, box, in_canal, toy
from sac_scenes import FILL, FINE, crescent, dorsal_mass, in_sac, read, sheets, signs, thick

pytestmark = pytest.mark.usefixtures("no_needles_sought")


@pytest.mark.parametrize("gap", [1.0, 1.5, 2.0])
def test_sheets_with_gaps_are_layered_over_their_whole_length(gap: float) -> None:
    sign = read("layering", *sheets(gap))
    assert sign.state == "present"
    assert sign.value == pytest.approx(12.0, abs=1.5)
    assert sign.explanation.startswith("3 sheets" if gap < 2 else "")


def test_the_gaps_are_as_wide_as_they_are() -> None:
    words = read("layering", *sheets(1.5)).explanation
    low, high = (float(words.split("gaps of ")[1].split(" ")[k]) for k in (0, 2))
    assert 1.2 <= low <= high <= 1.8


def test_one_solid_mass_is_not_layered() -> None:
    assert read("layering", dorsal_mass()).state == "absent"


def test_two_pieces_one_above_the_other_are_not_layered() -> None:
    pieces = [in_sac(box(-5, 5, 8, 14, 20, 26)), in_sac(box(-5, 5, 8, 14, 28, 34))]
    assert read("layering", *pieces).state == "absent"


def test_an_epidural_crescent_before_a_piece_in_the_sac_is_not_layering() -> None:
    assert read("layering", crescent(), dorsal_mass(front=7.0)).state == "absent"


def test_cement_beside_the_sac_on_both_sides_is_not_layered() -> None:
    sides = [in_canal(ball(x, 6, 32, 3)) for x in (-11, 11)]
    assert read("layering", *sides).state == "absent"


def test_layers_are_seen_on_coarser_pixels_too() -> None:
    assert read("layering", *sheets(1.5), spacing=(1.0, 1.0, 1.0)).state == "present"


def test_a_small_piece_is_too_small_to_say_that_it_has_no_layers() -> None:
    assert read("layering", in_sac(ball(0, 10, 32, 2.2))).state == "not_assessable"


def test_a_wide_blur_hides_layers_but_not_those_that_are_seen() -> None:
    solid, layered = (toy(FILL, *cement, spacing=FINE) for cement in ([dorsal_mass()], sheets(1.5)))
    blurred = [
        replace(case, cement=replace(case.cement, psf_sigma_mm=np.array([0.5, 1.0, 1.0])))
        for case in (solid, layered)
    ]
    assert [signs(case)["layering"].state for case in blurred] == ["not_assessable", "present"]


def test_on_thick_slices_layering_is_not_assessable() -> None:
    sign = signs(thick(toy(FILL, *sheets(1.5), spacing=FINE)))["layering"]
    assert (sign.state, sign.value) == ("not_assessable", None)
    assert "5 mm" in sign.explanation
