"""Many rows into a table; on SQLite past what SQLAlchemy does for each, most of an import's time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table, insert

from thecal.registry.store.tables import Day


def insert_rows(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that each have a value for every column."""
    if connection.dialect.name != "sqlite":
        connection.execute(insert(table), rows)
        return
    names = table.c.keys()
    values: list[tuple[Any, ...]] = list(map(itemgetter(*names), rows))
    days = [index for index, column in enumerate(table.c) if isinstance(column.type, Day)]
    for index in days:
        values = [_with_text(row, index) if row[index] is not None else row for row in values]
    columns = ", ".join(f'"{name}"' for name in names)
    marks = ", ".join("?" * len(names))
    connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", values)


def _with_text(row: tuple[Any, ...], index: int) -> tuple[Any, ...]:
    day: date = row[index]
    return (*row[:index], day.isoformat(), *row[index + 1 :])
