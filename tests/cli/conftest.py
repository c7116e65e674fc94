from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from toy_patient import cement_of, spine, volume

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Leakage


@pytest.fixture(scope="session")
def toy() -> tuple[Spine, Cement, Leakage]:
    found = spine()
    return (found, *cement_of(found))


@pytest.fixture(scope="session")
def ct_path(toy, tmp_path_factory) -> Path:
    """The toy patient's CT as a NIfTI file."""
    found, cement, _ = toy
    scan = volume(found, cement)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ scan.grid.affine
    path = tmp_path_factory.mktemp("scan") / "ct.nii.gz"
    nib.Nifti1Image(scan.hu, affine).to_filename(path)
    return path


@pytest.fixture
def stages(toy, monkeypatch) -> None:
    """The stages answer at once with what is true of the toy patient."""
    found, cement, leakage = toy
    monkeypatch.setattr("thecal.cli.compiled.is_compiled", lambda: True)
    monkeypatch.setattr("thecal.assessment.find_spine", lambda volume, **options: found)
    monkeypatch.setattr("thecal.assessment.find_cement", lambda volume, spine: cement)
    monkeypatch.setattr("thecal.assessment.find_leakage", lambda volume, spine, cement, **options: leakage)
