"""One patient, however her voxels are stored: the same report."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thecal.assessment import assess
from thecal.dicom.reading import read
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.patient import Case, make_patient
from thecal.phantom.write import write_scan
from thecal.report.build import build_report

SPACING_MM = (2.0, 1.3, 1.3)
HALF_VOXEL_MM = 1.0
ORIENTATIONS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


@pytest.fixture(scope="module")
def patient() -> Case:
    """T12 filled, with cement behind it in the canal and beside it."""
    deposits = (
        DepositSpec("intravertebral", "T12", 2.0),
        DepositSpec("epidural", "T12", 0.6, side="left"),
        DepositSpec("paravertebral", "T12", 0.4, side="right"),
    )
    return make_patient(5, "T12", spacing_mm=SPACING_MM, fov_mm=110.0, age=66, deposits=deposits)


def report_of(path: Path) -> dict[str, Any]:
    volume = read(path)
    found = assess(volume)
    return build_report(volume, found.spine, found.cement, found.leakage).model_dump(mode="json")


def write_turned(path: Path, case: Case, order: tuple[int, ...], flips: tuple[bool, ...]) -> Path:
    """The patient's NIfTI with its axes in another order and some of them reversed."""
    hu, affine = case.volume.hu, case.grid.affine[:, [*order, 3]].copy()
    hu = np.transpose(hu, order)
    for axis, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, axis] * (hu.shape[axis] - 1)
            affine[:3, axis] *= -1
            hu = np.flip(hu, axis)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(hu), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine), path)
    return path


@pytest.fixture(scope="module")
def upright(patient: Case, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("scan") / "ct.nii"
    return report_of(write_turned(path, patient, (0, 1, 2), (False, False, False)))


def codes(report: dict[str, Any]) -> set[str]:
    """What is said of the patient, not of the kind of file."""
    return {q["code"] for q in report["quality"]} - {"dicom_outputs_not_written", "input_not_stated"}


def assert_same(one: dict[str, Any], two: dict[str, Any]) -> None:
    """Names alike, places within half a voxel, amounts within a twentieth."""
    assert [v["id"] for v in one["vertebrae"]] == [v["id"] for v in two["vertebrae"]]
    for a, b in zip(one["vertebrae"], two["vertebrae"], strict=True):
        assert a["level"] == b["level"]
        assert a["complete"] == b["complete"]
        assert a["centre_mm"] == pytest.approx(b["centre_mm"], abs=HALF_VOXEL_MM)
        assert a["cement_ml"] == pytest.approx(b["cement_ml"], rel=0.05, abs=0.02)
    assert len(one["deposits"]) == len(two["deposits"])
    for a, b in zip(one["deposits"], two["deposits"], strict=True):
        assert {k: a[k] for k in ("compartment", "level", "side", "route")} == {
            k: b[k] for k in ("compartment", "level", "side", "route")
        }
        assert a["centroid_mm"] == pytest.approx(b["centroid_mm"], abs=HALF_VOXEL_MM)
        assert a["volume_ml"] == pytest.approx(b["volume_ml"], rel=0.05)
    assert one["canal"]["cement_ml"] == pytest.approx(two["canal"]["cement_ml"], rel=0.05)
    a, b = one["canal"]["max_occlusion"], two["canal"]["max_occlusion"]
    assert a["fraction"] == pytest.approx(b["fraction"], abs=0.03)
    assert a["at_mm"] == pytest.approx(b["at_mm"], abs=2 * HALF_VOXEL_MM)
    assert codes(one) == codes(two)


def test_the_patients_cement_is_reported(upright: dict[str, Any]) -> None:
    compartments = {d["compartment"] for d in upright["deposits"]}
    assert {"intravertebral", "epidural"} <= compartments
    assert upright["canal"]["cement_ml"] > 0.2


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(orientation=st.sampled_from(ORIENTATIONS[1:]))
def test_any_orientation_gives_the_same_report(patient, upright, tmp_path_factory, orientation) -> None:
    path = tmp_path_factory.mktemp("turned") / "ct.nii"
    assert_same(report_of(write_turned(path, patient, *orientation)), upright)


@pytest.mark.slow  # 48 assessments; two drawn by chance run by default, and reading all 48 in tests/dicom
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_all_48_orientations_give_the_same_report(patient, upright, tmp_path, orientation) -> None:
    assert_same(report_of(write_turned(tmp_path / "ct.nii", patient, *orientation)), upright)


def test_slices_in_any_order_under_any_name_give_the_same_report(patient, upright, tmp_path) -> None:
    folder = write_scan(patient.volume, tmp_path / "sorted", "dicom")
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    assert len(files) == patient.grid.shape[0]
    (tmp_path / "mixed").mkdir()
    for name, k in enumerate(np.random.default_rng(3).permutation(len(files))):
        files[k].rename(tmp_path / "mixed" / f"{name:03d}")
    assert_same(report_of(tmp_path / "mixed"), upright)
