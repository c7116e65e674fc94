"""``thecal info``."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from scans import trunk, write_series

from thecal.cli import run


@pytest.fixture
def scan(tmp_path):
    """A small NIfTI with the values of a trunk."""
    rng = np.random.default_rng(0)
    hu = np.full((20, 18, 12), -1000)
    hu[3:17, 3:15] = -90
    hu[5:15, 5:13] = 50
    hu[8:12, 8:12] = 400
    hu = hu + rng.normal(0, 10, hu.shape)
    path = tmp_path / "ct.nii.gz"
    nib.save(nib.Nifti1Image(hu.astype(np.int16), np.diag([0.8, 0.8, 2.5, 1.0])), path)
    return path


def test_what_a_scan_holds_is_told_to_a_person(scan, capsys):
    assert run(["info", str(scan)]) == 0
    said = capsys.readouterr().out
    assert "●" in said
    assert "0.8 × 0.8 × 2.5" in said
    assert "12" in said


def test_what_a_scan_holds_is_told_to_a_machine(scan, capsys):
    assert run(["info", str(scan), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["chosen"] is True
    assert one["usable"] is True
    assert one["shape"] == [20, 18, 12]
    assert one["spacing_mm"] == pytest.approx([0.8, 0.8, 2.5])


def test_a_series_that_misses_slices_is_not_marked_as_assessed(tmp_path, capsys):
    for k, path in enumerate(write_series(tmp_path, trunk())):
        if 9 <= k < 13:
            path.unlink()
    assert run(["info", str(tmp_path)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "●" not in said
    assert "None of these can be assessed" in said
    assert run(["info", str(tmp_path), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["chosen"], one["usable"]) == (False, False)
    assert one["reason"].startswith("misses slices between z = ")


def test_a_truncated_file_is_told_before_anything_is_assessed(tmp_path, capsys):
    path = write_series(tmp_path, trunk())[4]
    path.write_bytes(path.read_bytes()[:-300])
    assert run(["info", str(tmp_path), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["chosen"] is False
    assert "truncated" in one["reason"]


def test_values_that_are_not_hu_are_told_before_anything_is_assessed(tmp_path, capsys):
    write_series(tmp_path, trunk(), edit=lambda ds, k: setattr(ds, "RescaleIntercept", 300))
    assert run(["info", str(tmp_path), "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["chosen"] is False
    assert "not HU" in one["reason"]


def test_an_mr_is_not_assessed(tmp_path, capsys):
    write_series(tmp_path, trunk(), edit=lambda ds, k: setattr(ds, "Modality", "MR"))
    assert run(["info", str(tmp_path)]) == 0
    assert "None of these can be assessed" in " ".join(capsys.readouterr().out.split())


def test_an_input_that_cannot_be_read_ends_with_two_and_one_sentence(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no scan")
    assert run(["info", str(tmp_path / "notes.txt")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().count("\n") == 0
    assert "notes.txt" in err
