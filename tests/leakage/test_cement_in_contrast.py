"""Cement and contrast medium in one sac."""

from __future__ import annotations

import pytest

from thecal.assessment import Assessment, assess
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.myelogram import Myelogram
from thecal.phantom.patient import make_patient


def assessed(contrast_hu: float, *deposits: DepositSpec) -> Assessment:
    case = make_patient(
        11,
        "T12-L1",
        spacing_mm=(2.0, 1.0, 1.0),
        fov_mm=130.0,
        age=66,
        deposits=deposits,
        myelogram=Myelogram(contrast_hu),
        cement_hu=4000.0,
    )
    return assess(case.volume)


def test_contrast_is_no_cement() -> None:
    result = assessed(900.0)
    assert result.leakage is not None
    assert result.leakage.deposits == ()
    assert result.leakage.dural is not None
    assert result.leakage.dural.finding == "not_detected"


def test_cement_in_contrast_is_found_in_the_sac() -> None:
    result = assessed(500.0, DepositSpec("intravertebral", "T12", 2.0), DepositSpec("intradural", "T12", 0.5))
    assert result.leakage is not None
    found = {name: 0.0 for name in ("intradural", "epidural")}
    for deposit in result.leakage.deposits:
        if deposit.compartment in found:
            found[deposit.compartment] += deposit.volume_ml
    assert sum(found.values()) == pytest.approx(0.5, rel=0.1)
    assert found["intradural"] >= 0.6 * sum(found.values())


def test_contrast_as_bright_as_cement_is_said_to_hide_it() -> None:
    result = assessed(1500.0)
    assert result.cement is not None
    assert result.leakage is not None
    assert result.leakage.dural is not None
    assert "contrast_hides_cement" in {q.code for q in result.cement.quality}
    assert result.leakage.canal_cement_ml is None
    assert result.leakage.dural.finding == "not_assessable"
    assert "as bright as cement" in (result.leakage.dural.why or "")
