"""The finding from all signs, on scenes of known shape."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from box_spine import toy
from sac_scenes import FILL, FINE, crescent, dorsal_mass, sheets, thick

from thecal.leakage import find_leakage
from thecal.leakage.findings import DuralFinding, Leakage


@cache
def leak(scene: str) -> Leakage:
    """What is found of one of the scenes."""
    shapes = {
        "sheets": sheets(1.4),
        "crescent": [crescent()],
        "both": [crescent(), dorsal_mass(front=11.0)],
        "nothing": [],
    }[scene]
    case = toy(FILL, *shapes, spacing=FINE)
    return find_leakage(case.volume, case.spine, case.cement)


def finding(scene: str) -> DuralFinding:
    found = leak(scene).dural
    assert found is not None
    return found


def test_sheets_in_the_back_of_the_sac_are_probably_inside_the_dura() -> None:
    assert finding("sheets").finding == "probable"


def test_a_crescent_behind_the_body_is_not_said_to_be_inside_the_dura() -> None:
    found = finding("crescent")
    assert found.finding == "not_detected"
    assert found.probability is not None
    assert found.probability < 0.15


def test_with_both_at_once_the_crescent_does_not_hide_the_mass() -> None:
    assert finding("both").finding in ("probable", "possible")


def test_without_cement_in_the_canal_none_is_detected_and_nobody_is_cleared() -> None:
    found = finding("nothing")
    assert found.finding == "not_detected"
    assert found.probability is not None
    assert 0 < found.probability < 0.2
    assert found.weights == ()


def test_on_slices_of_5_mm_nothing_is_concluded() -> None:
    case = thick(toy(FILL, dorsal_mass(), spacing=(2.0, 1.0, 1.0)))
    found = find_leakage(case.volume, case.spine, case.cement).dural
    assert found is not None
    assert (found.finding, found.probability) == ("not_assessable", None)
    assert found.why is not None
    assert "Slices of 5 mm" in found.why


def test_a_present_sign_has_a_place_within_the_canal() -> None:
    canal = toy(FILL, spacing=(2.0, 1.0, 1.0)).spine.canal
    present = [sign for sign in leak("sheets").signs if sign.state == "present"]
    assert present
    for sign in present:
        assert sign.at_mm is not None
        s, theta, r = canal.frame.locate([sign.at_mm])
        column = int(np.argmin(abs(canal.theta - theta[0])))
        assert r[0] < canal.wall_mm[canal.frame.index(s)[0], column] + 1.0


@pytest.mark.slow
def test_the_founding_patient_is_probable_with_layering_seen() -> None:
    from thecal.assessment import assess
    from thecal.phantom.founding import founding_case

    found = assess(founding_case(fov_mm=130.0).volume).leakage
    assert found is not None
    assert found.dural is not None
    assert found.dural.finding == "probable"
    present = {sign.name for sign in found.signs if sign.state == "present"}
    assert {"layering", "separated_from_posterior_wall"} <= present
