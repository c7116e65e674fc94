"""``thecal plan``: what can be asked for, and one sentence for what cannot."""

from __future__ import annotations

import json

import jsonschema
import pytest

from thecal.cli import run
from thecal.cli.plan import split_levels
from thecal.errors import InputError
from thecal.needle.outputs.schema import json_schema


@pytest.fixture
def found(toy, monkeypatch) -> None:
    """The anatomy answers at once with what is true of the toy patient."""
    spine, cement, _ = toy
    monkeypatch.setattr("thecal.cli.compiled.is_compiled", lambda: True)
    monkeypatch.setattr("thecal.anatomy.find.find_spine", lambda volume, **options: spine)
    monkeypatch.setattr("thecal.cement.find.find_cement", lambda volume, spine: cement)


@pytest.mark.usefixtures("found")
def test_a_level_is_planned_into_a_folder(ct_path, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["plan", str(ct_path), "--out", str(out), "--level", "T12", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    jsonschema.validate(printed, json_schema())
    assert printed == json.loads((out / "plan.json").read_text("utf-8"))
    assert [level["level"] for level in printed["levels"]] == ["T12"]
    assert (out / "watch" / "T12.npz").exists()


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Name a vertebra with --level"),
        (["--level", "C3"], "is not among the vertebrae"),
        (["--level", "T12", "--needle", "9G"], "none of 10G"),
        (["--level", "T12", "--margin", "0.2"], "below 1 mm"),
        (["--level", "T12@-1", "--level", "L1@5"], "Only one --level"),
    ],
)
def test_what_cannot_be_planned_is_told_in_one_sentence(words, said, ct_path, tmp_path, capsys):
    assert run(["plan", str(ct_path), "--out", str(tmp_path / "out"), *words]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_pinned_level_is_also_the_one_that_is_planned():
    assert split_levels(["T12@-804.5", "L1"]) == ("T12@-804.5", ["T12", "L1"])
    with pytest.raises(InputError):
        split_levels(["T12@1", "T11@2"])


def test_the_schema_of_the_plan_is_printed(capsys):
    assert run(["schema", "--of", "plan"]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "thecal.plan/1"
