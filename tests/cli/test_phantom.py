"""``thecal phantom`` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from thecal.cli import run
from thecal.phantom import Case
from thecal.phantom.write import write_nifti, write_scan


def test_make_writes_scan_labels_and_truth(tmp_path: Path) -> None:
    words = "--seed 3 --levels T12 --spacing 1.6,1.6,3 --fov 120 --fracture T12:wedge --leak epidural:0.2ml"
    assert run(["phantom", "make", *words.split(), "--format", "nifti", "--out", str(tmp_path)]) == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert [d["compartment"] for d in truth["deposits"]] == ["intravertebral", "epidural"]
    t12 = next(v for v in truth["vertebrae"] if v["level"] == "T12")
    assert t12["fracture"] == "wedge"
    assert t12["heights_mm"]["anterior"] < 0.75 * t12["heights_before_fracture_mm"]["anterior"]
    scan = nib.load(tmp_path / "ct.nii.gz")
    cement = nib.load(tmp_path / "truth_cement.nii.gz")
    anatomy = nib.load(tmp_path / "truth_anatomy.nii.gz")
    assert scan.shape == cement.shape == anatomy.shape
    assert set(np.unique(np.asarray(cement.dataobj))) == {0, 1, 2}
    assert {19, 60, 61} <= set(np.unique(np.asarray(anatomy.dataobj)).tolist())


@pytest.mark.parametrize(
    "words",
    [
        "make --levels T40",
        "make --spacing 1,1",
        "make --spacing 0.01,1,1",
        "make --fracture T12:smashed",
        "make --leak sideways",
        "make --format jpeg",
        "make --kernel loud",
        "make --sex X",
        "make --fov 5",
    ],
)
def test_a_word_that_makes_no_sense_is_one_sentence(
    words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["phantom", *words.split(), "--out", str(tmp_path / "x")]) == 2
    told = capsys.readouterr().err.strip()
    assert told
    assert "\n" not in told
    assert not (tmp_path / "x").exists()


@pytest.mark.slow
def test_the_founding_case_is_the_paper_s_patient(tmp_path: Path) -> None:
    assert run(["phantom", "founding-case", "--out", str(tmp_path)]) == 0
    truth = json.loads((tmp_path / "truth.json").read_text())
    assert (truth["age"], truth["sex"]) == (70, "F")
    assert all(t["breach"] == "medial" for t in truth["tracks"])
    piece = next(d for d in truth["deposits"] if d["form"] == "piece")
    assert piece["compartment"] == "intradural"
    assert piece["extent_mm"][1] == pytest.approx(4.0, abs=1.0)
    assert piece["extent_mm"][2] == pytest.approx(8.0, abs=1.0)
    assert next(d for d in truth["deposits"] if d["form"] == "sheets")["pieces"] >= 2
    assert (tmp_path / "dicom").is_dir()


def test_insert_puts_cement_into_a_scan_where_it_is_told(
    tmp_path: Path, phantom_patient: Case, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = write_scan(phantom_patient.volume, tmp_path / "in", "nifti")
    anatomy = tmp_path / "in" / "labels.nii.gz"
    write_nifti(phantom_patient.labels, phantom_patient.grid, anatomy)
    words = ["phantom", "insert", str(scan), "--anatomy", str(anatomy), "--format", "nifti"]
    out = tmp_path / "out"
    told = ["--deposit", "intravertebral@T12:2ml", "--deposit", "epidural@T12:0.2ml:left"]
    assert run([*words, *told, "--out", str(out)]) == 0
    truth = json.loads((out / "truth.json").read_text())
    assert [d["compartment"] for d in truth["deposits"]] == ["intravertebral", "epidural"]
    assert truth["deposits"][1]["side"] == "left"
    assert truth["canal"]["max_occlusion"]["level"] == "T12"
    before = np.asarray(nib.load(scan).dataobj)
    after = np.asarray(nib.load(out / "ct.nii.gz").dataobj)
    cement = np.asarray(nib.load(out / "truth_cement.nii.gz").dataobj)
    assert before.shape == after.shape == cement.shape
    assert after[cement == 1].mean() > before[cement == 1].mean() + 1000
    capsys.readouterr()
    assert run([*words, "--deposit", "epidural@L5:0.2ml", "--out", str(tmp_path / "no")]) == 2
    assert "does not show L5" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


def test_injection_writes_pictures_the_truth_of_each_and_what_a_watch_needs(
    tmp_path: Path, phantom_patient: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    import pydicom

    from thecal.fluoro.target_file import read_planned_target
    from thecal.phantom.injection import draw_spec

    def short(*words: object, **choices: object) -> object:
        drawn = draw_spec(*words, **choices)  # type: ignore[arg-type]
        flow = replace(drawn.flow, start_s=0.4, ml_s=5.0, body_ml=2.0)
        return replace(drawn, flow=flow, fps=5.0, frames=4)

    monkeypatch.setattr("thecal.phantom.injection.draw_spec", short)
    monkeypatch.setattr("thecal.anatomy.find.find_spine", lambda *_, **__: phantom_patient.spine)
    write_scan(phantom_patient.volume, tmp_path, "nifti", note="for a test")
    words = ["--level", "T12", "--leak", "posterior wall", "--out", str(tmp_path / "run")]
    assert run(["phantom", "injection", str(tmp_path / "ct.nii.gz"), *words]) == 0
    pictures = pydicom.dcmread(tmp_path / "run" / "injection.dcm")
    truth = json.loads((tmp_path / "run" / "truth.json").read_text())
    assert pictures.NumberOfFrames == len(truth["pictures"]) == 4
    assert [round(a, 3) for a in truth["stated_deg"]] == [
        round(float(pictures.PositionerPrimaryAngle), 3),
        round(float(pictures.PositionerSecondaryAngle), 3),
    ] or pictures.PatientPosition != "HFS"
    assert truth["pictures"][-1]["injected_ml"] > 0
    assert "Research use only" in truth["research_use"]
    assert len(read_planned_target(tmp_path / "run", None).needles) == 1


@pytest.mark.parametrize("words", [["--leak", "everywhere"], ["--view", "oblique"]])
def test_an_injection_that_cannot_be_is_refused_in_a_sentence(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["phantom", "injection", "nothing.nii.gz", "--out", str(tmp_path / "x"), *words]) == 2
    assert words[1] in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
