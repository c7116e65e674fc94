"""The stored tables keep to their schema, and a table that does not is named with its line."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from thecal.registry.literature.tables import BadTable, read_tables, stored_tables, stored_text

STORED = resources.files("thecal.registry.literature")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The stored tables in a folder where they may be spoiled."""
    for name in ("datapackage.json", "cases.csv", "case_values.csv", "incidence.csv", "sources.csv"):
        with resources.as_file(STORED.joinpath(name)) as path:
            shutil.copy(path, tmp_path / name)
    return tmp_path


def change(path: Path, row: int, column: str, value: str) -> None:
    lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    lines[row][lines[0].index(column)] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def test_the_stored_tables_keep_to_their_schema(copy: Path) -> None:
    tables = read_tables(copy)
    assert {name: len(rows) for name, rows in tables.items()} == {
        name: len(rows) for name, rows in stored_tables().items()
    }
    assert len(tables["cases"]) == 12


def test_a_table_is_given_out_as_it_is_stored() -> None:
    lines = list(csv.reader(stored_text("incidence").splitlines()))
    assert len(lines) == 1 + len(stored_tables()["incidence"])


@pytest.mark.parametrize(
    ("table", "row", "column", "value", "said"),
    [
        ("sources", 3, "certainty", "", "sources.csv, line 4, certainty: a value is required"),
        ("sources", 3, "certainty", "X", "is none of R, R2, S, D, M"),
        ("sources", 1, "doi", "doi:10.1/x", "does not have the form"),
        ("sources", 1, "year", "MMXXV", "line 2, year: 'MMXXV' is no integer"),
        ("sources", 1, "year", "1687", "1687 lies outside 1984 to 2100"),
        ("sources", 1, "read_on", "yesterday", "is no date"),
        ("sources", 2, "id", "liao2025", "id liao2025 stands there twice"),
        ("cases", 2, "source", "nobody1999", "source nobody1999 is not in sources"),
        ("case_values", 9, "conflict_source", "nobody1999", "conflict_source nobody1999 is not in sources"),
        ("incidence", 5, "n", "0", "line 6, n: 0 lies outside"),
        ("incidence", 0, "n", "number", "header does not name the columns"),
    ],
)
def test_a_spoiled_cell_is_named_with_file_line_and_column(
    copy: Path, table: str, row: int, column: str, value: str, said: str
) -> None:
    change(copy / f"{table}.csv", row, column, value)
    with pytest.raises(BadTable, match=said.replace("(", r"\(")):
        read_tables(copy)


@pytest.mark.parametrize("spoil", [lambda line: line + ",more", lambda line: line.rpartition(",")[0]])
def test_a_line_with_a_cell_too_many_or_too_few_is_named(copy: Path, spoil: Callable[[str], str]) -> None:
    path = copy / "cases.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[4] = spoil(lines[4])
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(BadTable, match=r"cases\.csv, line 5: \d cells where the schema has 5"):
        read_tables(copy)
