"""Somebody's own tables, by a mapping file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from thecal.errors import InputError
from thecal.registry.exchange.csv_in import read_csv
from thecal.registry.exchange.drafts import Incoming
from thecal.registry.exchange.mapping import read_mapping

MAPPING = """
[[table]]
rows = "case"
file = "cases*"
pseudonym = "Nr"
date_format = "%d.%m.%Y"
decimal = ","
missing = ["", "-", "k.A."]
[table.columns]
Alter = "patient.age_years"
Geschlecht = { field = "patient.sex", values = { w = "F", m = "M" } }
OP = { field = ["procedures.1.on", "imaging.1.on"] }
"Zement (mm3)" = { field = "procedures.1.volume_ml", unit = "mm3" }
Ort = { field = "leaks.1.compartment", values = { ja = "epidural", nein = "" } }
Quadrizeps = { scale = "mrc", muscle = "quadriceps", side = "left/right", days = 0 }
[table.constants]
"procedures.1.kind" = "VP"
"procedures.1.level" = "T12"
"imaging.1.modality" = "CT"

[[table]]
rows = "outcomes"
file = "visits*"
pseudonym = "Nr"
[table.columns]
scale = "scale"
finding = "as_written"
day = "days"
"""
CASES = """Nr;Alter;Geschlecht;OP;Zement (mm3);Ort;Quadrizeps;Bemerkung
A1;70,5;w;31.05.2024;3500;ja;2/1;nichts
A2;k.A.;m;01.06.2024;-;nein;4+/5;
"""
VISITS = """Nr,scale,finding,day
A1,mrc,4-,30
A1,walking,aided,30
B9,vas,3,30
"""


def _read(tmp_path: Path, cases: str = CASES, visits: str | None = None, mapping: str = MAPPING) -> Incoming:
    (tmp_path / "map.toml").write_text(mapping, encoding="utf-8")
    paths = [tmp_path / "cases.csv"]
    paths[0].write_text(cases, encoding="utf-8")
    if visits is not None:
        paths.append(tmp_path / "visits.csv")
        paths[1].write_text(visits, encoding="utf-8")
    return read_csv(paths, read_mapping(tmp_path / "map.toml"))


def test_a_german_table_is_read_by_its_mapping(tmp_path: Path) -> None:
    incoming = _read(tmp_path, visits=VISITS)
    assert incoming.problems == []
    first, second = incoming.cases
    assert (first.patient.age_years, first.patient.sex) == (70.5, "F")
    [procedure] = first.procedures
    assert (procedure.kind, procedure.on, procedure.volume_ml) == ("VP", date(2024, 5, 31), 3.5)
    assert first.imaging[0].on == procedure.on
    assert [leak.compartment for leak in first.leaks] == ["epidural"]
    assert [(o.side, o.as_written) for o in first.outcomes[:2]] == [("left", "2"), ("right", "1")]
    assert [(o.scale, o.value, o.choice) for o in first.outcomes[2:]] == [
        ("mrc", 3.67, None),
        ("walking", None, "aided"),
    ]
    assert second.patient.age_years is None
    assert second.leaks == ()
    assert second.outcomes[0].value == 4.33
    assert incoming.not_taken == ["Bemerkung"]
    assert list(incoming.additions) == ["B9"]


@pytest.mark.parametrize(
    ("cell", "wrong", "column", "found", "must"),
    [
        ("70,5", "200", "Alter", "a number", "from 0 to 120 years"),
        ("70,5", "siebzig", "Alter", "text of 7 characters", "a number"),
        (";w;", ";x;", "Geschlecht", "text of 1 characters", "one of F, M, O"),
        ("31.05.2024", "2024-05-31", "OP", "a date", "written %d.%m.%Y"),
        ("2/1", "6/1", "Quadrizeps", "a number", "0 to 5"),
        ("2/1", "2", "Quadrizeps", "a number", "left/right"),
    ],
)
def test_what_is_wrong_is_told_by_row_and_column(
    cell: str, wrong: str, column: str, found: str, must: str, tmp_path: Path
) -> None:
    incoming = _read(tmp_path, CASES.replace(cell, wrong, 1))
    [problem] = incoming.problems
    assert (problem.row, problem.column, problem.found) == (2, column, found)
    assert must in problem.sentence
    assert [case.patient.pseudonym for case in incoming.cases] == ["A2"]


def test_a_name_in_the_wrong_column_is_never_repeated(tmp_path: Path) -> None:
    incoming = _read(tmp_path, CASES.replace("70,5", "Erika Mustermann").replace("2/1", "Erika/Mustermann"))
    assert len(incoming.problems) == 3
    assert "Erika" not in " ".join(str(problem) for problem in incoming.problems)


def test_a_pseudonym_that_stands_twice_spoils_both_rows(tmp_path: Path) -> None:
    incoming = _read(tmp_path, CASES.replace("A2;", "A1;"))
    [problem] = incoming.problems
    assert "case A1 stands in row 2 already" in str(problem)
    assert incoming.cases == []


def test_a_row_without_a_pseudonym_is_named(tmp_path: Path) -> None:
    [problem] = _read(tmp_path, CASES.replace("A2;", ";")).problems
    assert (problem.row, problem.column) == (3, "Nr")


@pytest.mark.parametrize(
    ("said", "instead", "sentence"),
    [
        ('Alter = "patient.age_years"', 'Alter = "patient.age"', "has not: pseudonym, age_years"),
        (
            'Alter = "patient.age_years"',
            'Jahre = "patient.age_years"',
            "a column 'Jahre' that cases.csv has not",
        ),
        ('unit = "mm3"', 'unit = "kg"', "volume_ml takes mL"),
        ('rows = "case"', 'rows = "cases"', "table.0.rows"),
        ("[[table]]", "[[table", "is not TOML"),
        (
            '"procedures.1.level" = "T12"',
            '"procedures.1.level" = "T99"',
            "constant procedures.1.level must be",
        ),
        ("Geschlecht = { field", 'Geschlecht = { scale = "mrc", field', "a field or a scale"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_one_sentence(
    said: str, instead: str, sentence: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="mapping") as told:
        _read(tmp_path, mapping=MAPPING.replace(said, instead, 1))
    assert sentence in str(told.value)


def test_a_file_without_a_mapping_that_is_nobodys_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="needs a mapping"):
        read_csv([path])


def test_letters_of_another_encoding_are_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(MAPPING, encoding="utf-8")
    path = tmp_path / "cases.csv"
    path.write_bytes(CASES.replace("nichts", "Lähmung").encode("latin-1"))
    with pytest.raises(InputError, match="say its encoding"):
        read_csv([path], read_mapping(tmp_path / "map.toml"))
