"""``thecal demo``: the founding paper's patient from simulated scanner to report."""

from __future__ import annotations

import json

import pytest

from thecal.cli import run


@pytest.mark.slow
def test_the_founding_case_is_assessed_from_its_dicom(tmp_path, capsys):
    assert run(["demo", "--out", str(tmp_path / "demo")]) == 0
    said = capsys.readouterr().out
    assert "Cement outside the bone" in said
    assert str(tmp_path / "demo" / "report.html") in said
    report = json.loads((tmp_path / "demo" / "report.json").read_text(encoding="utf-8"))
    assert report["input"]["kind"] == "dicom"
    assert report["input"]["simulated"] is True
    assert report["canal"]["cement_ml"] > 0.3
    assert {"intradural", "epidural"} <= {d["compartment"] for d in report["deposits"]}


@pytest.mark.slow
def test_the_demo_may_be_repeated_into_the_same_folder(tmp_path):
    for _ in range(2):
        assert run(["demo", "--out", str(tmp_path)]) == 0
    slices = list((tmp_path / "phantom" / "dicom").iterdir())
    assert len(slices) == len({path.name for path in slices}) > 100
