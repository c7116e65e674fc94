"""``thecal assess``: its words, its files and its exit status."""

from __future__ import annotations

import json
import sys

import jsonschema
import pydicom
import pytest
from toy_patient import volume

from thecal.cli import run
from thecal.errors import InputError, SpineNotFound
from thecal.leakage.intradural.probability import DEFAULT_PRIOR
from thecal.phantom.write import write_scan
from thecal.report.schema import json_schema


def test_a_report_is_written_and_its_headline_said(ct_path, stages, tmp_path, capsys):
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Cement outside the bone at T12")
    assert str(tmp_path / "out" / "report.html") in out
    assert err == ""
    assert len(list((tmp_path / "out").iterdir())) == 4


@pytest.mark.parametrize(
    ("words", "kind", "files"), [(("--pdf",), "BINARY", 11), (("--seg", "labelmap"), "LABELMAP", 9)]
)
def test_a_dicom_scan_also_gives_objects_for_the_archive(toy, stages, tmp_path, words, kind, files):
    found, cement, _ = toy
    scan = write_scan(volume(found, cement), tmp_path / "scan", "dicom")
    out = tmp_path / "out"
    assert run(["assess", str(scan), "--out", str(out), *words]) == 0
    assert len(list(out.iterdir())) == files
    assert pydicom.dcmread(out / "segmentation.dcm").SegmentationType == kind
    assert pydicom.dcmread(out / "report.dcm").Modality == "SR"
    assert pydicom.dcmread(out / "key_image_axial.dcm").SOPClassUID.name == "Secondary Capture Image Storage"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert "dicom_outputs_not_written" not in {note["code"] for note in report["quality"]}
    assert "Phantom^Synthetic" not in (out / "report.html").read_text(encoding="utf-8")
    assert (out / "report.pdf").exists() == (out / "report_pdf.dcm").exists() == ("--pdf" in words)
    if "--pdf" in words:
        held = pydicom.dcmread(out / "report_pdf.dcm")
        paper = bytes(held.EncapsulatedDocument)[: held.EncapsulatedDocumentLength]
        assert paper == (out / "report.pdf").read_bytes()


def test_without_the_library_the_page_for_paper_is_refused_before_the_work(
    ct_path, tmp_path, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "reportlab", None)
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out"), "--pdf"]) == 2
    err = capsys.readouterr().err
    assert err == "This needs reportlab, which is not installed: pip install 'thecal[pdf]'.\n"
    assert not (tmp_path / "out").exists()


def test_json_prints_the_report_and_nothing_else(ct_path, stages, tmp_path, capsys):
    assert run(["assess", str(ct_path), "--out", str(tmp_path), "--json"]) == 0
    printed = capsys.readouterr().out
    jsonschema.validate(json.loads(printed), json_schema())
    assert printed == (tmp_path / "report.json").read_text(encoding="utf-8")
    assert set(json.loads(printed)["timings_s"]) == {"read", "anatomy", "cement", "leakage", "report"}


def test_no_spine_is_status_3_with_a_report_that_says_so(ct_path, stages, tmp_path, capsys, monkeypatch):
    def lost(volume, **options):
        raise SpineNotFound("No canal was found from end to end of this scan.")

    monkeypatch.setattr("thecal.assessment.find_spine", lost)
    assert run(["assess", str(ct_path), "--out", str(tmp_path)]) == 3
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["quality"][0]["message"] == "No canal was found from end to end of this scan."
    assert report["intradural"]["finding"] == "not_assessable"
    assert "Not assessable" in capsys.readouterr().out


def test_input_that_cannot_be_used_is_status_2_one_sentence_and_no_file(tmp_path, capsys):
    assert run(["assess", str(tmp_path / "missing"), "--out", str(tmp_path / "out")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_defect_is_status_1_one_sentence_and_no_file(ct_path, stages, tmp_path, capsys, monkeypatch):
    def fails(volume, spine):
        raise ZeroDivisionError("no")

    monkeypatch.setattr("thecal.assessment.find_cement", fails)
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out")]) == 1
    err = capsys.readouterr().err
    assert err.splitlines() == [
        "A defect in thecal stopped it (ZeroDivisionError); run again with --debug to see where."
    ]
    assert list(tmp_path.iterdir()) == []


def test_debug_shows_where_a_defect_lies(ct_path, stages, tmp_path, monkeypatch):
    def fails(volume, spine):
        raise ZeroDivisionError("no")

    monkeypatch.setattr("thecal.assessment.find_cement", fails)
    with pytest.raises(ZeroDivisionError):
        run(["assess", str(ct_path), "--out", str(tmp_path / "out"), "--debug"])


def test_options_reach_the_anatomy(ct_path, stages, toy, tmp_path, monkeypatch):
    asked = {}

    def find_spine(volume, **options):
        asked.update(options)
        return toy[0]

    monkeypatch.setattr("thecal.assessment.find_spine", find_spine)
    run(["assess", str(ct_path), "--out", str(tmp_path), "--anatomy", "labels.nii", "--level", "T12@-820.5"])
    assert asked == {"anatomy": "labels.nii", "level": "T12@-820.5"}


def test_an_anatomy_that_cannot_be_used_is_status_2(ct_path, stages, tmp_path, capsys, monkeypatch):
    def refuses(volume, **options):
        raise InputError("The label map lies on another grid.")

    monkeypatch.setattr("thecal.assessment.find_spine", refuses)
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "The label map lies on another grid.\n"
    assert list(tmp_path.iterdir()) == []


def test_what_the_surgeon_saw_is_kept(ct_path, stages, tmp_path):
    seen = tmp_path / "seen.json"
    seen.write_text(json.dumps({"deficit": "yes", "rounded_mass_on_fluoroscopy": "no"}))
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out"), "--findings", str(seen)]) == 0
    observations = json.loads((tmp_path / "out" / "report.json").read_text())["observations"]
    assert observations == {
        "extradural_cement_at_surgery": "unknown",
        "rounded_mass_on_fluoroscopy": "no",
        "deficit": "yes",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "--findings"),
        ('{"deficit": "maybe"}', "deficit"),
        ('{"remark": 1}', "remark"),
        (None, "--findings"),
    ],
    ids=["not JSON", "an unknown answer", "an unknown question", "no file"],
)
def test_findings_that_cannot_be_used_are_status_2(ct_path, stages, tmp_path, capsys, text, said):
    seen = tmp_path / "seen.json"
    if text is not None:
        seen.write_text(text)
    assert run(["assess", str(ct_path), "--out", str(tmp_path / "out"), "--findings", str(seen)]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("prior", ["0", "1", "1.5", "-0.1"])
def test_a_prior_that_is_no_probability_is_status_2(ct_path, stages, tmp_path, capsys, prior):
    out = tmp_path / "out"
    assert run(["assess", str(ct_path), "--out", str(out), f"--intradural-prior={prior}"]) == 2
    assert "no probability between 0 and 1" in capsys.readouterr().err
    assert not out.exists()


def test_the_prior_of_the_command_line_is_the_one_that_is_used(ct_path, stages, tmp_path, monkeypatch, toy):
    asked = {}

    def found(volume, spine, cement, **options):
        asked.update(options)
        return toy[2]

    monkeypatch.setattr("thecal.assessment.find_leakage", found)
    for words in ([], ["--intradural-prior", "0.02"]):
        assert run(["assess", str(ct_path), "--out", str(tmp_path / str(len(words))), *words]) == 0
        asked[len(words)] = asked["intradural_prior"]
    assert (asked[0], asked[2]) == (DEFAULT_PRIOR, 0.02)


def test_the_same_scan_gives_the_same_files(ct_path, stages, tmp_path):
    for name in ("one", "two"):
        run(["assess", str(ct_path), "--out", str(tmp_path / name)])
    for file in ("anatomy.nii.gz", "cement.nii.gz", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    one, two = (json.loads((tmp_path / n / "report.json").read_text()) for n in ("one", "two"))
    assert one | {"timings_s": 0} == two | {"timings_s": 0}
