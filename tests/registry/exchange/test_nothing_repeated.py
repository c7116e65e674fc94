"""What stands in a file may be a name in the wrong place: no sentence repeats it, each says what is due."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thecal.errors import InputError
from thecal.registry.exchange.case_json import read_case
from thecal.registry.exchange.csv_in import read_csv
from thecal.registry.exchange.fields import LISTS, all_fields
from thecal.registry.exchange.mapping import Mapping

NAME = "Mustermann"
FIELDS = [f for f in all_fields() if f.kind != "text"]


def _told(folder: Path, content: object) -> str:
    """What is said of a case as JSON that cannot be taken in."""
    path = folder / "case.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    with pytest.raises(InputError) as told:
        read_case(path)
    said = str(told.value)
    assert NAME not in said
    assert len(said.splitlines()) == 1
    return said


def test_a_name_in_any_column_is_refused_by_row_and_column_alone(tmp_path: Path) -> None:
    paths = [f"{f.part}.1.{f.name}" if f.part in LISTS else f"{f.part}.{f.name}" for f in FIELDS]
    rows = [
        f"A{at}," + ",".join(NAME if at == other else "" for other in range(len(paths)))
        for at in range(len(paths))
    ]
    path = tmp_path / "cases.csv"
    path.write_text("\n".join([",".join(["patient.pseudonym", *paths]), *rows]), encoding="utf-8")
    incoming = read_csv([path])
    assert incoming.cases == []
    said = {(problem.row, problem.column): str(problem) for problem in incoming.problems}
    for at, (name, field) in enumerate(zip(paths, FIELDS, strict=True)):
        assert field.takes.split(",")[0] in said[at + 2, name]
    assert NAME not in " ".join(said.values())


def test_a_name_in_any_field_of_a_case_as_json_is_not_repeated(tmp_path: Path) -> None:
    for field in FIELDS:
        part: object = {field.name: NAME}
        content = {"patient": {"pseudonym": "A1"}}
        if field.part == "patient":
            content = {"patient": {"pseudonym": "A1", field.name: NAME}}
        else:
            content[field.part] = [part] if field.part in LISTS else part
        said = _told(tmp_path, content)
        assert field.part in said


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"patient": {"pseudonym": "A1", NAME: 1}}, "patient must be made of pseudonym, age_years"),
        ({"patient": NAME}, "patient must be made of pseudonym"),
        ({"patient": {"pseudonym": "A1"}, NAME: 1}, "a case holds patient, deficit, fractures"),
        ({"patient": {"pseudonym": "A1"}, "withdrawn": NAME}, "withdrawn must be true or false"),
        (
            {"patient": {"pseudonym": "A1"}, "events": [{"kind": "death", NAME: 1}]},
            "events.1 must be made of",
        ),
        ([NAME], "a case holds patient"),
        (f'{{"patient": {NAME}', "it is not JSON"),
    ],
)
def test_what_is_expected_is_said_of_a_case_as_json(tmp_path: Path, content: object, expected: str) -> None:
    assert expected in _told(tmp_path, content)


def test_a_case_whose_consent_was_withdrawn_is_not_taken_in(tmp_path: Path) -> None:
    content = {"patient": {"pseudonym": "A1"}, "withdrawn": True}
    assert "consent was withdrawn" in _told(tmp_path, content)


def test_a_table_without_a_head_says_nothing_of_its_first_patient(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(f"A1;{NAME};{NAME};70\n", encoding="utf-8")
    said = {"table": [{"rows": "case", "pseudonym": "Nr", "columns": {"Alter": "patient.age_years"}}]}
    with pytest.raises(InputError, match="names columns 2 and 3 alike") as told:
        read_csv([path], Mapping.model_validate(said))
    assert NAME not in str(told.value)
    path.write_text(f"A1;{NAME};70\n", encoding="utf-8")
    with pytest.raises(InputError, match="which must be the heads") as told:
        read_csv([path], Mapping.model_validate(said))
    assert NAME not in str(told.value)
