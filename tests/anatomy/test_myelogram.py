"""CT myelograms: the spine is found as on plain CT, and the sac is better known."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.find import find_spine
from thecal.anatomy.spine import Spine
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.myelogram import Myelogram
from thecal.phantom.patient import Case, make_patient
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC


def patient(hu: float | None, deposits: tuple[DepositSpec, ...] = ()) -> Case:
    return make_patient(
        11,
        "T12-L1",
        spacing_mm=(2.0, 1.0, 1.0),
        fov_mm=130.0,
        age=66,
        deposits=deposits,
        myelogram=None if hu is None else Myelogram(hu),
    )


@pytest.fixture(scope="module")
def contrasted() -> Case:
    return patient(600.0)


@pytest.fixture(scope="module")
def found(contrasted: Case) -> Spine:
    return find_spine(contrasted.volume)


def overlap(case: Case, spine: Spine, labels: tuple[int, ...]) -> float:
    """Dice on slices where both canals are whole."""
    ours, true = np.isin(spine.labels, labels), np.isin(case.labels[spine.box], labels)
    shown = ours.any(axis=(1, 2)) & true.any(axis=(1, 2))
    return float(2 * (ours & true)[shown].sum() / (ours[shown].sum() + true[shown].sum()))


def test_the_canal_and_the_sac_of_a_myelogram_are_found(contrasted: Case, found: Spine) -> None:
    assert found.contrast is not None
    assert overlap(contrasted, found, (THECAL_SAC, EPIDURAL_SPACE)) > 0.88
    assert overlap(contrasted, found, (THECAL_SAC,)) > 0.88


def test_contrast_makes_the_sac_better_known(contrasted: Case, found: Spine) -> None:
    case = patient(None)
    plain = find_spine(case.volume)
    assert plain.contrast is None
    assert found.canal.sac_sd_mm is not None
    assert plain.canal.sac_sd_mm is not None
    assert np.median(found.canal.sac_sd_mm) < 0.8 * np.median(plain.canal.sac_sd_mm)


def test_it_is_said_where_contrast_outlines_the_sac(found: Spine) -> None:
    note = next(q for q in found.quality if q.code == "contrast_in_sac")
    assert "outlines the sac" in note.message
    assert "z = " in note.message
