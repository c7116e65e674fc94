"""``thecal plan``: what can be asked for, and one sentence for what cannot."""

from __future__ import annotations

import json

import jsonschema
import pytest
import toy_patient

from thecal.cli import run
from thecal.cli.plan import split_levels
from thecal.errors import InputError
from thecal.needle.outputs.schema import json_schema
from thecal.needle.plan_value import SeenNeedle


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


@pytest.fixture
def stored(found, ct_path, tmp_path):
    """A plan for 13 G with 2 mm, kept in a folder."""
    words = ["plan", str(ct_path), "--out", str(tmp_path / "kept"), "--level", "T12"]
    assert run([*words, "--needle", "13G", "--margin", "2"]) == 0
    return tmp_path / "kept"


@pytest.fixture
def put_in(monkeypatch, stages):
    """The later CT shows a needle of metal just where the left one of two was planned."""

    def as_planned(volume, spine):
        return (SeenNeedle(vertebra.id, "metal", *ends, False, 3.1, 0.4),)

    toy_spine = toy_patient.spine()
    vertebra = next(v for v in toy_spine.vertebrae if v.level == "T12")
    ends: list[tuple[float, float, float]] = []
    monkeypatch.setattr("thecal.needle.in_place.needles_in_place", as_planned)
    return ends


def test_a_needle_is_held_against_the_plan_that_was_used(ct_path, stored, put_in, tmp_path, capsys):
    before = (stored / "plan.json").read_bytes()
    plan = json.loads(before)["levels"][0]
    way = next(side["best"] for side in plan["sides"] if side["side"] == "left")
    put_in += [tuple(way["entry_mm"]), tuple(way["tip_mm"])]
    words = ["plan", str(ct_path), "--compare", str(ct_path), "--plan", str(stored)]
    assert run([*words, "--out", str(tmp_path / "audit"), "--meant", "left"]) == 0
    said = capsys.readouterr().out
    assert "stored plan is for a 13G needle with 2 mm" in said
    audited = json.loads((tmp_path / "audit" / "plan.json").read_text("utf-8"))
    jsonschema.validate(audited, json_schema())
    assert audited["asked"]["needle"] == "13G"
    assert audited["levels"] == [plan]
    assert audited["audit"]["plan_version"] == audited["software"]["version"]
    (needle,) = audited["audit"]["needles"]
    assert (needle["against"], needle["chosen_by"], needle["outer_mm"]) == ("left", "meant", 3.1)
    assert needle["tip_error_mm"] < 0.5
    assert (stored / "plan.json").read_bytes() == before


@pytest.mark.usefixtures("found")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--level", "T12", "--meant", "left"], "go with --compare"),
        (["--compare", "CT", "--plan", "nothing"], "cannot be read"),
        (["--compare", "CT", "--plan", "broken"], "no plan of thecal"),
        (["--compare", "CT", "--plan", "out"], "so that it is kept"),
    ],
)
def test_a_stored_plan_that_cannot_be_used_is_told_in_one_sentence(
    words, said, ct_path, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "plan.json").write_text("{}")
    asked = [str(ct_path) if word == "CT" else word for word in words]
    assert run(["plan", str(ct_path), "--out", "out", *asked]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert not (tmp_path / "out").exists()
