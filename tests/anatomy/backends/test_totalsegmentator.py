"""TotalSegmentator, run as a program, with its weights where the user put them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import nibabel
import numpy as np
import pytest
from fake_totalsegmentator import install
from label_spine import LabelSpine, label_spine

from thecal.anatomy.backends.totalsegmentator import CLASS_NAMES, TotalSegmentator
from thecal.anatomy.contract import check_spine
from thecal.errors import InputError, SpineNotFound


@pytest.fixture(scope="module")
def built() -> LabelSpine:
    return label_spine([21, 20, 19], spacing=2.0)


@pytest.fixture
def output(built, tmp_path) -> Path:
    """What the program would write of the spine: its own ids, on the scan's grid."""
    theirs = np.zeros(built.labels.shape, np.uint8)
    for number, ours in ((30, 21), (31, 20), (32, 19), (79, 60)):
        theirs[built.labels == ours] = number
    theirs[0, 0, 0] = 5
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ built.volume.grid.affine[:, [2, 1, 0, 3]]
    path = tmp_path / "theirs.nii.gz"
    nibabel.save(nibabel.Nifti1Image(theirs.transpose(2, 1, 0), affine), path)
    return path


def test_its_classes_become_the_contracts_and_nothing_goes_to_the_network(
    monkeypatch, built, output, tmp_path
):
    install(monkeypatch, tmp_path, output)
    backend = TotalSegmentator()
    assert backend.why_not() is None
    spine = backend.find(built.volume)
    assert [v.level for v in spine.vertebrae] == ["L2", "L1", "T12"]
    assert check_spine(spine, built.volume) == []
    for label in (21, 20, 19):
        ours, truth = spine.labels == label, built.labels[spine.box] == label
        assert 2 * (ours & truth).sum() / (ours.sum() + truth.sum()) > 0.95
    assert "weights_not_checked" in [note.code for note in spine.quality]


def checksums(folder: Path, weights: Path) -> Path:
    files = sorted(weights.rglob("*.pth"))
    sums = folder / "sums"
    sums.write_text(
        "".join(
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  ./{path.relative_to(weights)}\n"
            for path in files
        )
    )
    return sums


def test_weights_are_checked_where_checksums_are_given(monkeypatch, built, output, tmp_path):
    weights = install(monkeypatch, tmp_path, output)
    monkeypatch.setenv("THECAL_TOTALSEGMENTATOR_SHA256", str(checksums(tmp_path, weights)))
    spine = TotalSegmentator().find(built.volume)
    assert "weights_not_checked" not in [note.code for note in spine.quality]
    (weights / "Dataset292_x" / "checkpoint_final.pth").write_bytes(b"others")
    with pytest.raises(InputError, match="not those of the checksums"):
        TotalSegmentator().find(built.volume)
    (weights / "Dataset292_x" / "checkpoint_final.pth").unlink()
    with pytest.raises(InputError, match="weights lack"):
        TotalSegmentator().find(built.volume)


@pytest.mark.parametrize("text", ["", "not a sum\n", "abc  file\n"])
def test_a_file_that_holds_no_checksums_is_refused(monkeypatch, built, output, tmp_path, text):
    install(monkeypatch, tmp_path, output)
    (tmp_path / "sums").write_text(text)
    monkeypatch.setenv("THECAL_TOTALSEGMENTATOR_SHA256", str(tmp_path / "sums"))
    with pytest.raises(InputError, match="not what sha256sum writes"):
        TotalSegmentator().find(built.volume)


def test_without_weights_it_says_which_and_how_to_get_them(monkeypatch, built, output, tmp_path):
    weights = install(monkeypatch, tmp_path, output)
    (weights / "Dataset292_x").rename(weights / "elsewhere")
    with pytest.raises(InputError, match="weights for the tasks 292 are not on this machine"):
        TotalSegmentator().find(built.volume)


def test_without_the_program_it_says_how_to_install_it(monkeypatch, built):
    monkeypatch.delenv("THECAL_TOTALSEGMENTATOR", raising=False)
    monkeypatch.setenv("PATH", "")
    backend = TotalSegmentator()
    assert "pip install" in str(backend.why_not())
    assert backend.version == "not installed"
    with pytest.raises(InputError, match="pip install"):
        backend.find(built.volume)


def test_a_path_that_is_no_program_is_told(monkeypatch, built, tmp_path):
    monkeypatch.setenv("THECAL_TOTALSEGMENTATOR", str(tmp_path / "none"))
    with pytest.raises(InputError, match="names no program"):
        TotalSegmentator().find(built.volume)


def test_a_run_that_fails_is_told_in_one_sentence_without_its_paths(monkeypatch, built, tmp_path):
    install(monkeypatch, tmp_path, None, then="raise MemoryError('/home/jane/ct')")
    with pytest.raises(SpineNotFound, match="ended with status 1 and no label map") as told:
        TotalSegmentator().find(built.volume)
    assert "MemoryError" in str(told.value)
    assert "jane" not in str(told.value)


def test_a_scan_without_vertebrae_is_no_spine(monkeypatch, built, tmp_path):
    empty = tmp_path / "empty.nii.gz"
    shape = built.labels.shape[::-1]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ built.volume.grid.affine[:, [2, 1, 0, 3]]
    nibabel.save(nibabel.Nifti1Image(np.zeros(shape, np.uint8), affine), empty)
    install(monkeypatch, tmp_path, empty)
    with pytest.raises(SpineNotFound, match="no vertebra"):
        TotalSegmentator().find(built.volume)


def test_what_is_asked_of_it_is_what_it_knows():
    assert CLASS_NAMES[32] == "vertebrae_T12"
    assert CLASS_NAMES[26] == "vertebrae_S1"
    assert CLASS_NAMES[25] == "sacrum"
    assert CLASS_NAMES[50] == "vertebrae_C1"
    assert len(CLASS_NAMES) == 27
