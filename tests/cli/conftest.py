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


@pytest.fixture
def registry_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of one's own to work in, with no registry named elsewhere."""
    monkeypatch.chdir(tmp_path)
    for name in ("THECAL_REGISTRY", "THECAL_REGISTRY_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THECAL_WHO", "ada")


@pytest.fixture
def type_in(monkeypatch: pytest.MonkeyPatch):
    """Types answers ("" is Enter), then breaks off; what was asked."""

    def type_in(answers: list[str]) -> list[str]:
        left, asked = iter(answers), []

        def typed(prompt: str, default: str = "", **_: object) -> str:
            asked.append(prompt)
            try:
                return next(left) or default
            except StopIteration:
                raise KeyboardInterrupt from None

        monkeypatch.setattr("typer.prompt", typed)
        monkeypatch.setattr("typer.confirm", lambda prompt, **_: typed(prompt) == "y")
        return asked

    return type_in
