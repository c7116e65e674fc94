"""``thecal info``."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest

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


def test_an_input_that_cannot_be_read_ends_with_two_and_one_sentence(tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no scan")
    assert run(["info", str(tmp_path / "notes.txt")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().count("\n") == 0
    assert "notes.txt" in err
