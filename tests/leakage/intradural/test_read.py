"""All seven signs together: on every scan, in the report's order, with a reason where they cannot be read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import rod, toy
from sac_scenes import FILL, FINE, dorsal_mass, sheets, signs, thick
from scipy import ndimage

from thecal.cement.find import find_cement
from thecal.leakage import find_leakage
from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.meaning import SIGN_MEANING
from thecal.phantom.founding import founding_case
from thecal.terms import SIGNS, SignName


def test_the_signs_come_in_the_reports_order_with_their_sources() -> None:
    read = signs(toy(FILL, dorsal_mass(), spacing=FINE))
    assert list(read) == list(SIGNS)
    assert all(sign.source and sign.explanation.endswith(".") for sign in read.values())


def test_thick_slices_support_no_sign() -> None:
    read = signs(thick(toy(FILL, *sheets(1.5), spacing=FINE)))
    assert {sign.state for sign in read.values()} == {"not_assessable"}
    assert all("too thick" in sign.explanation for sign in read.values())


def test_a_scan_without_cement_shows_no_sign() -> None:
    assert {sign.state for sign in signs(toy(spacing=FINE)).values()} == {"not_assessable"}


def test_what_an_unread_sign_would_be_does_not_read_like_a_finding() -> None:
    for name, sign in signs(toy(spacing=FINE)).items():
        meaning = SIGN_MEANING[name][0]
        assert not sign.explanation.startswith(meaning[:20])
        assert f"The sign would be: {meaning[0].lower()}{meaning[1:]}" in sign.explanation


def test_screws_beside_the_canal_leave_no_sign_of_its_cement_readable() -> None:
    case = toy(FILL, *sheets(1.5), spacing=FINE)
    metal = toy(rod((15, -10, 32), (15, 20, 32), 3.0), spacing=FINE).cement.pieces > 0
    tall = ndimage.binary_dilation(metal, np.ones((11, 1, 1), bool))
    read = signs(replace(case, cement=replace(case.cement, metal=tall)))
    assert {sign.state for sign in read.values()} == {"not_assessable"}
    assert "Metal" in read["layering"].explanation


@pytest.fixture(scope="module")
def straight() -> dict[SignName, IntraduralSign]:
    return signs(toy(FILL, *sheets(1.5), spacing=FINE))


@pytest.mark.parametrize(("tilt", "roll"), [(12.0, 0.0), (-8.0, 10.0)])
def test_a_patient_who_lies_askew_has_the_same_signs(
    straight: dict[SignName, IntraduralSign], tilt: float, roll: float
) -> None:
    askew = signs(toy(FILL, *sheets(1.5), spacing=(0.7, 0.5, 0.5), tilt=tilt, roll=roll))
    assert {n: s.state for n, s in askew.items()} == {n: s.state for n, s in straight.items()}


def test_the_founding_patient_shows_layering() -> None:
    case = founding_case(levels="T12-L1", fov_mm=90.0)
    cement = find_cement(case.volume, case.spine)
    found = find_leakage(case.volume, case.spine, cement)
    state = {sign.name: sign.state for sign in found.signs}
    assert state["layering"] == "present"
    assert state["multilevel_spread"] == "present"
    assert state["separated_from_posterior_wall"] == "present"
    assert state["no_extradural_cement"] == "absent"
    # Her tracks hold no cement.
    assert state["medial_puncture"] == "not_assessable"
