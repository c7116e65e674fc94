"""``thecal compare``: both files or none, and one sentence for what cannot be used."""

from __future__ import annotations

import json

import jsonschema
import pytest

from thecal.cli import run
from thecal.compare.schema import json_schema


@pytest.mark.usefixtures("stages")
def test_a_scan_compared_with_itself_has_nothing_removed(ct_path, tmp_path, capsys):
    assert run(["compare", str(ct_path), str(ct_path), "--out", str(tmp_path / "out")]) == 0
    assert "no part is measurably gone" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["compare.html", "compare.json"]
    written = json.loads((tmp_path / "out" / "compare.json").read_text("utf-8"))
    jsonschema.validate(written, json_schema())
    assert {d["state"] for d in written["deposits"]} == {"left"}
    assert all(v["before_id"] == v["after_id"] for v in written["vertebrae"])


def test_a_missing_later_scan_is_told_in_one_sentence(ct_path, tmp_path, capsys):
    assert run(["compare", str(ct_path), str(tmp_path / "none.nii"), "--out", str(tmp_path / "out")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_schema_of_the_comparison_is_printed(capsys):
    assert run(["schema", "--of", "compare"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "thecal.compare/1"
