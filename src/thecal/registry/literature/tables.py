"""CSV files with a schema beside them: a data package, read and checked cell by cell.

The schema is a Tabular Data Package (Frictionless, https://specs.frictionlessdata.io), so that other tools
read it too. An empty cell is not known.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any, Final

from thecal.errors import ThecalError

Cell = str | int | date | None
Row = Mapping[str, Cell]
PACKAGE: Final = "datapackage.json"


class BadTable(ThecalError):
    """A stored table does not keep to its schema; the sentence names file, line and column."""


@cache
def stored_tables() -> Mapping[str, tuple[Row, ...]]:
    """The tables that thecal ships, by name, as rows of typed cells."""
    return read_tables(resources.files("thecal.registry.literature"))


def stored_text(name: str) -> str:
    """A table that thecal ships, as the CSV text that is stored."""
    return resources.files("thecal.registry.literature").joinpath(f"{name}.csv").read_text(encoding="utf-8")


def read_tables(folder: Traversable) -> dict[str, tuple[Row, ...]]:
    """The tables of a data package, each cell checked against the schema.

    Parameters
    ----------
    folder : path
        Holds ``datapackage.json`` and the CSV files that it names.

    Returns
    -------
    dict
        For each resource its rows; cells are str, int, date or None.

    Raises
    ------
    BadTable
        Where a header, a cell, a key or a reference does not keep to the schema.
    """
    import json

    package = json.loads(folder.joinpath(PACKAGE).read_text(encoding="utf-8"))
    tables = {
        resource["name"]: _rows(
            folder.joinpath(resource["path"]).read_text(encoding="utf-8"),
            resource["path"],
            resource["schema"]["fields"],
        )
        for resource in package["resources"]
    }
    for resource in package["resources"]:
        _check_keys(resource, tables)
    return tables


def _rows(text: str, path: str, fields: list[dict[str, Any]]) -> tuple[Row, ...]:
    lines = csv.reader(text.splitlines(), strict=True)
    header = next(lines, [])
    if header != [field["name"] for field in fields]:
        raise BadTable(f"{path}: the header does not name the columns of the schema in their order")
    rows = []
    for number, line in enumerate(lines, start=2):
        if len(line) != len(fields):
            raise BadTable(f"{path}, line {number}: {len(line)} cells where the schema has {len(fields)}")
        rows.append(
            {
                field["name"]: _cell(value, field, f"{path}, line {number}, {field['name']}")
                for value, field in zip(line, fields, strict=True)
            }
        )
    return tuple(rows)


def _cell(value: str, field: Mapping[str, Any], where: str) -> Cell:
    rules = field.get("constraints", {})
    if value == "":
        if rules.get("required"):
            raise BadTable(f"{where}: a value is required")
        return None
    if "enum" in rules and value not in rules["enum"]:
        raise BadTable(f"{where}: {value!r} is none of {', '.join(rules['enum'])}")
    if "pattern" in rules and not re.fullmatch(rules["pattern"], value):
        raise BadTable(f"{where}: {value!r} does not have the form {rules['pattern']}")
    try:
        cell: str | int | date
        match field["type"]:
            case "integer":
                cell = int(value)
            case "date":
                cell = date.fromisoformat(value)
            case _:
                cell = value
    except ValueError as error:
        raise BadTable(f"{where}: {value!r} is no {field['type']}") from error
    if isinstance(cell, int):
        low, high = rules.get("minimum", cell), rules.get("maximum", cell)
        if not low <= cell <= high:
            raise BadTable(f"{where}: {cell} lies outside {low} to {high}")
    return cell


def _check_keys(resource: Mapping[str, Any], tables: Mapping[str, tuple[Row, ...]]) -> None:
    rows, path = tables[resource["name"]], resource["path"]
    for field in resource["schema"]["fields"]:
        if field.get("constraints", {}).get("unique"):
            twice = _twice(row[field["name"]] for row in rows)
            if twice is not None:
                raise BadTable(f"{path}: {field['name']} {twice} stands there twice")
    for key in resource["schema"].get("foreignKeys", []):
        there = key["reference"]
        known = {row[there["fields"]] for row in tables[there["resource"]]}
        for row in rows:
            named = row[key["fields"]]
            if named is not None and named not in known:
                raise BadTable(f"{path}: {key['fields']} {named} is not in {there['resource']}")


def _twice(values: Iterable[Cell]) -> Cell:
    seen: set[Cell] = set()
    for value in values:
        if value in seen:
            return value
        seen.add(value)
    return None
