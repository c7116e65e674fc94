"""What was written and the number or word beside it say the same, whatever file they come from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thecal.cli import run
from thecal.registry.case import Case
from thecal.registry.exchange.csv_in import read_csv
from thecal.registry.exchange.drafts import Incoming
from thecal.registry.exchange.fhir_in import read_fhir
from thecal.registry.exchange.fhir_out import bundle_of
from thecal.registry.exchange.redcap_dictionary import write_dictionary
from thecal.registry.exchange.redcap_in import read_redcap
from thecal.registry.exchange.redcap_out import write_redcap
from thecal.registry.store import init_store

GOOD = {"scale": "mrc", "as_written": "4-", "value": 3.67, "side": "left"}
NUMBER = "is not the number of what was written: correct as_written, or leave the number out"


def _wide(folder: Path, outcome: dict[str, object]) -> Incoming:
    path = folder / "cases.csv"
    head = ["patient.pseudonym", *(f"outcomes.1.{name}" for name in outcome)]
    path.write_text(f"{','.join(head)}\nA1,{','.join(map(str, outcome.values()))}\n", encoding="utf-8")
    return read_csv([path])


def _with(folder: Path, outcome: dict[str, object]) -> Case:
    """A case whose one outcome says what no case may say; nothing has looked at it yet."""
    (case,) = _wide(folder, GOOD).cases
    changed = case.outcomes[0].model_copy(update={"value": None, "choice": None} | outcome)
    return case.model_copy(update={"outcomes": (changed,)})


def _redcap(folder: Path, outcome: dict[str, object]) -> Incoming:
    with (folder / "dictionary.csv").open("w", encoding="utf-8", newline="") as stream:
        write_dictionary(stream)
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as stream:
        write_redcap([_with(folder, outcome)], stream)
    return read_redcap(folder / "data.csv", folder / "dictionary.csv")


def _fhir(folder: Path, outcome: dict[str, object]) -> Incoming:
    path = folder / "bundle.json"
    path.write_text(json.dumps(bundle_of([_with(folder, outcome)])), encoding="utf-8")
    return read_fhir(path)


@pytest.mark.parametrize("read", [_wide, _redcap, _fhir])
@pytest.mark.parametrize(
    ("outcome", "column", "said"),
    [
        (GOOD | {"value": 2}, "value", NUMBER),
        (GOOD | {"as_written": "5"}, "value", NUMBER),
        (GOOD | {"as_written": "quite strong"}, "as_written", "a grade of strength is 0 to 5"),
        ({"scale": "bladder", "as_written": "retention", "choice": "normal"}, "choice", "is not the word"),
        ({"scale": "ais", "as_written": "D", "value": 4}, "value", NUMBER),
    ],
)
def test_a_number_that_is_not_that_of_the_words_keeps_the_case_out(
    read, outcome: dict[str, object], column: str, said: str, tmp_path: Path
) -> None:
    incoming = read(tmp_path, outcome)
    (problem,) = incoming.problems
    assert incoming.cases == []
    assert problem.row == {_wide: 2, _redcap: 3, _fhir: 2}[read]
    assert problem.column.endswith(column)
    assert problem.sentence.startswith(said)
    assert "quite" not in str(problem)


@pytest.mark.parametrize("read", [_wide, _redcap, _fhir])
def test_a_number_that_is_missing_or_rounded_is_read_from_the_words(read, tmp_path: Path) -> None:
    for value in ({}, {"value": 3.665}):
        outcome = {name: each for name, each in GOOD.items() if name != "value"} | value
        incoming = read(tmp_path, outcome)
        assert incoming.problems == []
        assert incoming.cases[0].outcomes[0].value == 3.67


def test_a_case_as_json_says_one_thing_too(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THECAL_REGISTRY", raising=False)
    init_store("registry.sqlite").close()
    case = {"patient": {"pseudonym": "A1"}, "outcomes": [GOOD, GOOD | {"value": 1}]}
    Path("case.json").write_text(json.dumps(case), encoding="utf-8")
    assert run(["registry", "add", "--from", "case.json"]) == 2
    assert f"outcomes.2.value {NUMBER}" in capsys.readouterr().err
    del case["outcomes"][1]["value"]
    Path("case.json").write_text(json.dumps(case), encoding="utf-8")
    assert run(["registry", "add", "--from", "case.json"]) == 0
    assert run(["registry", "show", "A1", "--json"]) == 0
    said = capsys.readouterr().out.partition("\n")[2]
    assert [each["value"] for each in json.loads(said)["outcomes"]] == [3.67, 3.67]
