"""Into the folder goes all of a report, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thecal.errors import InputError
from thecal.report import replaced_files
from thecal.report.write import write_report


def put(out, patient):
    return write_report(out, patient.volume, patient.spine, patient.cement, patient.leakage)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_folder_holds_the_files_of_the_contract(leaking, tmp_path):
    report = put(tmp_path / "made" / "out", leaking)
    assert names(tmp_path / "made" / "out") == [
        "anatomy.nii.gz",
        "cement.nii.gz",
        "report.html",
        "report.json",
    ]
    assert names(tmp_path / "made") == ["out"]
    written = json.loads((tmp_path / "made" / "out" / "report.json").read_text(encoding="utf-8"))
    assert written == json.loads(report.to_json())
    assert written["timings_s"]["report"] > 0


def test_a_failure_leaves_the_folder_as_it_was(leaking, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("the earlier one")

    def fails(*args, **kwargs):
        raise RuntimeError("drawing failed")

    monkeypatch.setattr("thecal.report.html.render_html", fails)
    with pytest.raises(RuntimeError, match="drawing failed"):
        put(out, leaking)
    assert names(tmp_path) == ["out"]
    assert (out / "report.json").read_text() == "the earlier one"


def test_only_the_reports_own_files_are_replaced(leaking, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "report.html").write_text("old")
    put(tmp_path, leaking)
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_folder_that_cannot_be_made_is_told_before_the_work(tmp_path):
    # No user, not even root, can make a folder there or give one so long a name.
    for out in (Path("/proc/thecal-report"), tmp_path / "sub" / ("long" * 100)):
        with pytest.raises(InputError, match="--out"):
            replaced_files.check_writable(out)
    assert list(tmp_path.iterdir()) == []


def test_trying_the_folder_leaves_nothing_behind(tmp_path):
    replaced_files.check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "c").mkdir()
    replaced_files.check_writable(tmp_path / "c")
    assert list((tmp_path / "c").iterdir()) == []


def test_without_a_spine_no_map_of_another_scan_stays_behind(leaking, tmp_path):
    put(tmp_path, leaking)
    write_report(tmp_path, leaking.volume, None, None, None, not_found="No canal was found.")
    assert names(tmp_path) == ["report.html", "report.json"]


def test_a_file_in_place_of_the_folder_is_refused(leaking, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="is a file, not a folder"):
        replaced_files.check_writable(tmp_path / "out")


def test_a_folder_that_is_its_own_mount_is_written_from_within(leaking, tmp_path, monkeypatch):
    out = tmp_path / "out"
    out.mkdir()
    monkeypatch.setattr(replaced_files, "_is_island", lambda folder: True)
    put(out, leaking)
    assert names(out) == ["anatomy.nii.gz", "cement.nii.gz", "report.html", "report.json"]
