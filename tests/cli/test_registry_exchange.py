"""``thecal registry import``, ``export`` and ``stats``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from thecal.cli.registry_exchange import export, import_, stats
from thecal.errors import InputError
from thecal.phantom.simulated_cases import simulated_cases
from thecal.registry.case import Case
from thecal.registry.store import init_store, open_store
from thecal.registry.store.seal import new_key

app = typer.Typer()
app.command("import")(import_)
app.command()(export)
app.command()(stats)

CASES = """patient.pseudonym,patient.age_years,procedures.1.kind,procedures.1.level
P1,70,VP,T12
P2,200,VP,T12
P3,81,KP,L1
"""
VISITS = """pseudonym,part,number,scale,as_written,days
P1,outcomes,1,walking,none,1
P1,outcomes,2,walking,aided,30
"""


def _run(*words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    path = tmp_path / "registry.sqlite"
    init_store(path).close()
    return path


def _held(registry: Path) -> list[Case]:
    with open_store(registry) as store:
        return list(store.cases())


def _file(tmp_path: Path, text: str, name: str = "cases.csv") -> Path:
    (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path / name


def test_a_dry_run_says_what_is_wrong_and_changes_nothing(registry: Path, tmp_path: Path) -> None:
    said = _run("import", _file(tmp_path, CASES), "--registry", registry, "--dry-run")
    assert "cases.csv row 3, patient.age_years (a number): must be a number from 0 to 120 years" in said
    assert "2 cases would be added" in said
    assert _held(registry) == []


def test_one_bad_row_keeps_all_of_them_out(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Nothing was taken in: 1 thing is wrong: cases.csv row 3"):
        _run("import", _file(tmp_path, CASES), "--registry", registry)
    assert _held(registry) == []


def test_the_good_ones_go_in_when_asked_for(registry: Path, tmp_path: Path) -> None:
    said = _run("import", _file(tmp_path, CASES), "--registry", registry, "--skip-bad", "--json")
    assert json.loads(said)["added"] == 2
    assert [case.patient.pseudonym for case in _held(registry)] == ["P1", "P3"]


def test_a_case_that_is_there_already_is_named(registry: Path, tmp_path: Path) -> None:
    path = _file(tmp_path, CASES.replace("200", "80"))
    _run("import", path, "--registry", registry)
    with pytest.raises(InputError, match="case P1 is in the registry already"):
        _run("import", path, "--registry", registry)
    assert len(_held(registry)) == 3


def test_follow_ups_are_added_to_their_case_once(registry: Path, tmp_path: Path) -> None:
    _run("import", _file(tmp_path, CASES.replace("200", "80")), "--registry", registry)
    visits = _file(tmp_path, VISITS, "visits.csv")
    _run("import", visits, "--registry", registry, "--who", "me")
    with pytest.raises(InputError, match="case P1 has all of this already"):
        _run("import", visits, "--registry", registry)
    first = _held(registry)[0]
    assert [outcome.choice for outcome in first.outcomes] == ["none", "aided"]
    assert [outcome.as_written for outcome in first.outcomes] == ["none", "aided"]
    with open_store(registry) as store:
        assert [(c.what, c.who) for c in store.history("P1")][-1] == ("import", "me")


def test_a_follow_up_of_nobody_and_of_a_withdrawn_case_is_refused(registry: Path, tmp_path: Path) -> None:
    visits = _file(tmp_path, VISITS, "visits.csv")
    with pytest.raises(InputError, match="case P1 is not in the registry"):
        _run("import", visits, "--registry", registry)
    _run("import", _file(tmp_path, CASES.replace("200", "80")), "--registry", registry)
    with open_store(registry) as store:
        store.withdraw("P1", who="me")
    with pytest.raises(InputError, match="case P1 was withdrawn"):
        _run("import", visits, "--registry", registry)


def test_a_name_without_a_key_is_told_and_not_taken(registry: Path, tmp_path: Path) -> None:
    text = "patient.pseudonym,patient.name\nP1,Erika Mustermann\n"
    with pytest.raises(InputError, match="only a registry with a key keeps it") as told:
        _run("import", _file(tmp_path, text), "--registry", registry)
    assert "Erika" not in str(told.value)


@pytest.mark.parametrize("format_", ["csv", "long", "fhir", "redcap"])
def test_an_export_can_be_taken_in_again(format_: str, registry: Path, tmp_path: Path) -> None:
    cases = list(simulated_cases(6, 4, deficit_share=0.5))
    with open_store(registry) as store:
        store.add_many(cases, who="me")
        shifts = {case.patient.pseudonym: store.shift_days(case) for case in cases}
        store.withdraw("SIM-2", who="me")
    out = tmp_path / "out"
    said = json.loads(_run("export", "--out", out, "--format", format_, "--registry", registry, "--json"))
    assert said["cases"] == 5
    other = tmp_path / "other.sqlite"
    init_store(other).close()
    files = said["files"]
    options: list[Any] = ["--dictionary", files[1]] if format_ == "redcap" else []
    _run("import", files[0], *options, "--registry", other)
    back = _held(other)
    assert [case.patient.pseudonym for case in back] == [f"SIM-{n}" for n in (1, 3, 4, 5, 6)]
    kept = [case for case in cases if case.patient.pseudonym != "SIM-2"]
    for before, after in zip(kept, back, strict=True):
        moved = {(a.on - b.on).days for b, a in zip(before.procedures, after.procedures, strict=True)}
        assert moved == {shifts[before.patient.pseudonym]}
        assert after.outcomes == before.outcomes


def test_identified_needs_the_key(registry: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the registry's key"):
        _run("export", "--out", tmp_path / "out", "--identified", "--registry", registry)
    assert not (tmp_path / "out").exists()


def test_free_text_leaves_only_when_asked_for_and_where_it_is_encrypted_with_the_key(tmp_path: Path) -> None:
    path, key = tmp_path / "keyed.sqlite", tmp_path / "key"
    note = {"kind": "VP", "level": "T12", "notes": "seen by Dr Nobody"}
    with init_store(path, new_key(key)) as store:
        store.add(Case.model_validate({"patient": {"pseudonym": "P1"}, "procedures": [note]}), who="ada")
    where = ("--registry", path, "--out", tmp_path / "out")
    for words in ((), ("--key", key)):
        assert "Free text stayed at home" in _run("export", *where, *words)
        assert "Nobody" not in (tmp_path / "out" / "cases.csv").read_text()
    with pytest.raises(InputError, match="--notes needs the registry's key"):
        _run("export", *where, "--notes")
    assert "Free text is among it" in _run("export", *where, "--notes", "--key", key)
    assert "seen by Dr Nobody" in (tmp_path / "out" / "cases.csv").read_text()


def test_parquet_is_written_whole(registry: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    with open_store(registry) as store:
        store.add_many(simulated_cases(3, 4), who="me")
    _run("export", "--out", tmp_path / "out", "--format", "parquet", "--registry", registry)
    assert (tmp_path / "out" / "procedures.parquet").is_file()


def test_statistics_are_told_written_and_printed_as_json(registry: Path, tmp_path: Path) -> None:
    with open_store(registry) as store:
        store.add_many(simulated_cases(40, 4), who="me")
    page = tmp_path / "page.html"
    said = _run("stats", "--registry", registry, "--out", page)
    assert "Research use only" in said
    assert "40 cases in the registry" in said
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert json.loads(_run("stats", "--registry", registry, "--json"))["cases"] == 40


def test_an_empty_registry_has_nothing_to_say(registry: Path) -> None:
    assert "The registry is empty." in _run("stats", "--registry", registry)
