"""The columns of a registry straight from its tables: no case is made, so that 100,000 take a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thecal.registry.statistics.columns import (
    KINDS,
    LEVELS,
    NERVE_SCALES,
    VISCOSITIES,
    Columns,
    Finding,
    IntArray,
    Operation,
    Raw,
    columns,
)
from thecal.terms import COMPARTMENTS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from thecal.registry.store import Store

NO_LEVELS: Final = ("[]", "")
"""How the tables write that there are none."""


def columns_from(store: Store) -> Columns:
    """The columns of every case that was not withdrawn, as of one moment.

    Dates are as they are stored: shifted by one number for each case where the registry has a key, which
    changes nothing between two of them.
    """
    with store.reading() as connection:
        ids = _ids(connection)
        return columns(_raw(connection, ids))


def _raw(connection: Connection, ids: IntArray) -> Raw:
    looked = np.zeros(ids.size, bool)
    for table in ("imaging", "leaks"):
        [there] = _integers(connection, f"SELECT DISTINCT case_id FROM {table}", 1)
        places, kept = _places(ids, there)
        looked[places[kept]] = True
    operated = _rows(
        connection,
        'SELECT case_id, MIN("on") FROM procedures WHERE "on" IS NOT NULL AND case_id IN '
        f"(SELECT case_id FROM outcomes WHERE {_of_nerves()}) GROUP BY case_id",
    )
    findings = _rows(
        connection,
        f'SELECT case_id, scale, muscle, side, value, choice, days, "on" FROM outcomes WHERE {_of_nerves()} '
        "ORDER BY case_id, position",
    )
    cases = {int(number): at for at, number in enumerate(ids.tolist())}
    names = _rows(
        connection,
        f"SELECT id, pseudonym FROM cases WHERE id IN (SELECT case_id FROM outcomes WHERE {_of_nerves()})",
    )
    return Raw(
        cases=int(ids.size),
        missing=_missing(connection),
        looked=looked,
        procedures=_coded(
            connection,
            ids,
            "procedures",
            (("kind", KINDS), ("level", LEVELS), ("viscosity", VISCOSITIES)),
        ),
        leaks=_coded(connection, ids, "leaks", (("compartment", COMPARTMENTS), ("level", LEVELS))),
        deficits=[
            (cases[number], present, _day(on))
            for number, present, on in _rows(connection, 'SELECT case_id, present, "on" FROM deficits')
            if number in cases
        ],
        operated_on={cases[n]: day for n, on in operated if n in cases and (day := _day(on)) is not None},
        revisions=[
            Operation(
                cases[number],
                delay_h,
                _day(on),
                int(levels not in NO_LEVELS or "yes" in (durotomy, corpectomy)),
            )
            for number, delay_h, on, levels, durotomy, corpectomy in _rows(
                connection,
                'SELECT case_id, delay_h, "on", laminectomy_levels, durotomy, corpectomy FROM revisions',
            )
            if number in cases
        ],
        findings=[
            Finding(cases[number], scale, (muscle, side), value, choice, days, _day(on))
            for number, scale, muscle, side, value, choice, days, on in findings
            if number in cases
        ],
        died=[
            cases[number]
            for (number,) in _rows(connection, "SELECT case_id FROM events WHERE kind = 'death'")
            if number in cases
        ],
        pseudonyms={cases[number]: name for number, name in names if number in cases},
    )


def _ids(connection: Connection) -> IntArray:
    [ids] = _integers(connection, "SELECT id FROM cases WHERE withdrawn = 0 AND erased = 0 ORDER BY id", 1)
    return ids


def _missing(connection: Connection) -> dict[str, int]:
    [row] = _rows(
        connection,
        "SELECT SUM(CASE WHEN age_years IS NULL THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN sex IS NULL THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN bone_t_score IS NULL AND bone_hu IS NULL THEN 1 ELSE 0 END) "
        "FROM cases WHERE withdrawn = 0 AND erased = 0",
    )
    return dict(zip(("age", "sex", "bone density"), (int(count or 0) for count in row), strict=True))


def _coded(
    connection: Connection, ids: IntArray, table: str, words: Sequence[tuple[str, tuple[str, ...]]]
) -> IntArray:
    """Case and the place of each column's word, four columns in all."""
    coded = ", ".join(_code(column, choices) for column, choices in words)
    found = _integers(connection, f"SELECT case_id, {coded} FROM {table} ORDER BY case_id", len(words) + 1)
    places, kept = _places(ids, found[0])
    filled = [places, *found[1:], *([np.zeros(found[0].size, np.int64)] * (3 - len(words)))]
    coded_rows: IntArray = np.stack(filled, axis=1)[kept]
    return coded_rows


def _code(column: str, choices: tuple[str, ...]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {at}" for at, word in enumerate(choices))
    return f"CASE {column} {cases} ELSE -1 END"


def _of_nerves() -> str:
    return f"scale IN ({', '.join(repr(scale) for scale in NERVE_SCALES)})"


def _places(ids: IntArray, numbers: IntArray) -> tuple[IntArray, Any]:
    """Where each number lies among the sorted ids, and whether it is one of them."""
    if not ids.size:
        return np.zeros(numbers.size, np.int64), np.zeros(numbers.size, bool)
    places = np.minimum(np.searchsorted(ids, numbers), ids.size - 1)
    return places, ids[places] == numbers


def _integers(connection: Connection, statement: str, count: int) -> list[IntArray]:
    rows = _rows(connection, statement)
    table: IntArray = np.array(rows, np.int64).reshape(-1, count)
    return [table[:, at] for at in range(count)]


def _rows(connection: Connection, statement: str) -> Sequence[Any]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
        found: Sequence[Any] = cursor.fetchall()
    finally:
        cursor.close()
    return found


def _day(on: Any) -> int | None:
    if on is None:
        return None
    return (date.fromisoformat(on) if isinstance(on, str) else on).toordinal()
