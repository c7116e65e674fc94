"""The columns of a registry straight from its tables: no case is made, so that 100,000 take a moment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from thecal.registry.statistics.columns import (
    KINDS,
    LEVELS,
    NERVE_SCALES,
    NOT_SAID,
    PRESENT,
    SHOW_CEMENT,
    VISCOSITIES,
    WORDS,
    Beginning,
    Columns,
    IntArray,
    Operation,
    Raw,
    columns,
)
from thecal.terms import COMPARTMENTS

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from thecal.registry.store import Store

RADIX: Final = 64
"""More than any list of words has, with one for none."""
AT_A_TIME: Final = 2000
"""Cases that one statement names."""
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
    size = int(ids.size)
    looked = np.zeros(size, bool)
    places, kept = _places(ids, _numbers(connection, "CAST(i.case_id AS BIGINT)", _pictures()))
    looked[places[kept]] = True
    leaks = _coded(connection, ids, "leaks", (("compartment", COMPARTMENTS), ("level", LEVELS)))
    looked[leaks[:, 0]] = True
    deficit = np.full(size, NOT_SAID)
    number, present = _packed(connection, "deficits", (("present", PRESENT),))
    places, kept = _places(ids, number)
    deficit[places[kept]] = present[kept]
    # Only of these is more than a number wanted, and they are few.
    found = _rows(connection, _findings())
    nerves = sorted({row[0] for row in found})
    began = _rows(connection, "SELECT case_id, delay_h, \"on\" FROM deficits WHERE present = 'yes'")
    # Whose findings or deficits have dates, which count from the procedure's.
    dated = {row[0] for row in found if row[4] is None and row[5] is not None}
    dated |= {number for number, _, on in began if on is not None}.intersection(nerves)
    operated = 'SELECT case_id, MIN("on") FROM procedures WHERE case_id IN ({}) GROUP BY case_id'
    cases = dict(zip(ids.tolist(), range(size), strict=True))
    return Raw(
        cases=size,
        missing=_missing(connection),
        looked=looked,
        procedures=_coded(
            connection, ids, "procedures", (("kind", KINDS), ("level", LEVELS), ("viscosity", VISCOSITIES))
        ),
        leaks=leaks,
        deficit=deficit,
        began={
            cases[number]: Beginning(delay_h, _day(on)) for number, delay_h, on in began if number in cases
        },
        operated_on={
            cases[number]: day
            for number, on in _of_some(connection, operated, sorted(dated))
            if number in cases and (day := _day(on)) is not None
        },
        revisions=[
            Operation(cases[number], delay_h, _day(on), int(levels not in NO_LEVELS or "yes" in (dura, body)))
            for number, delay_h, on, levels, dura, body in _rows(
                connection,
                'SELECT case_id, delay_h, "on", laminectomy_levels, durotomy, corpectomy FROM revisions',
            )
            if number in cases
        ],
        findings=[
            (cases[number], scale, what, value, days, None if on is None else _day(on))
            for number, scale, what, value, days, on in found
            if number in cases
        ],
        died=[
            cases[number]
            for (number,) in _rows(connection, "SELECT case_id FROM events WHERE kind = 'death'")
            if number in cases
        ],
        pseudonyms={
            cases[number]: name
            for number, name in _of_some(
                connection, "SELECT id, pseudonym FROM cases WHERE id IN ({})", nerves
            )
            if number in cases
        },
    )


def _pictures() -> str:
    """The pictures on which somebody looked for a leak, as `columns.looked_at` says."""
    return (
        'imaging i LEFT JOIN (SELECT case_id, MIN("on") AS first_on FROM procedures GROUP BY case_id) p '
        f"ON p.case_id = i.case_id WHERE i.report_sha256 IS NOT NULL OR (i.modality IN {SHOW_CEMENT!r} "
        'AND (i."on" IS NULL OR p.first_on IS NULL OR i."on" >= p.first_on))'
    )


def _findings() -> str:
    """The outcomes of the nerves, words already as places on their scales."""
    words = " ".join(
        f"WHEN '{scale}' THEN {_code('choice', choices, 'NULL')}" for scale, choices in WORDS.items()
    )
    return (
        f"SELECT case_id, {_code('scale', NERVE_SCALES)}, COALESCE(muscle, '') || '/' || COALESCE(side, ''), "
        f'CASE scale {words} ELSE value END, days, CASE WHEN days IS NULL THEN "on" END '
        f"FROM outcomes WHERE {_of_nerves()} ORDER BY case_id, position"
    )


def _of_some(connection: Connection, statement: str, numbers: Sequence[int]) -> Iterator[Any]:
    """The rows of a statement for some cases, whose numbers take the place of ``{}``."""
    for start in range(0, len(numbers), AT_A_TIME):
        some = ", ".join(str(int(number)) for number in numbers[start : start + AT_A_TIME])
        yield from _rows(connection, statement.format(some))


def _ids(connection: Connection) -> IntArray:
    return np.sort(_numbers(connection, "id", "cases WHERE withdrawn = 0 AND erased = 0"))


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
    found = _packed(connection, table, words)
    places, kept = _places(ids, found[0])
    filled = [places, *found[1:], *([np.zeros(found[0].size, np.int64)] * (3 - len(words)))]
    coded_rows: IntArray = np.stack(filled, axis=1)[kept]
    return coded_rows


def _packed(
    connection: Connection, table: str, words: Sequence[tuple[str, tuple[str, ...]]]
) -> list[IntArray]:
    """The case and the place of each column's word, in order: each row comes as one number."""
    packed = "CAST(case_id AS BIGINT)"
    for column, choices in words:
        packed = f"({packed} * {RADIX} + 1 + {_code(column, choices)})"
    left = np.sort(_numbers(connection, packed, table))
    columns = []
    for _ in words:
        columns.append(left % RADIX - 1)
        left = left // RADIX
    return [left, *columns[::-1]]


def _numbers(connection: Connection, number: str, table: str) -> IntArray:
    """One whole number of every row, brought over as one text: many times faster than as rows."""
    if connection.dialect.name == "sqlite":
        joined = f"group_concat({number})"
    else:
        joined = f"string_agg(({number})::text, ',')"
    [(text,)] = _rows(connection, f"SELECT {joined} FROM {table}")
    return np.array([], np.int64) if text is None else np.fromstring(text, np.int64, sep=",")


def _code(column: str, choices: tuple[str, ...], other: str = "-1") -> str:
    cases = " ".join(f"WHEN '{word}' THEN {at}" for at, word in enumerate(choices))
    return f"CASE {column} {cases} ELSE {other} END"


def _of_nerves() -> str:
    return f"scale IN ({', '.join(repr(scale) for scale in NERVE_SCALES)})"


def _places(ids: IntArray, numbers: IntArray) -> tuple[IntArray, Any]:
    """Where each number lies among the sorted ids, and whether it is one of them."""
    if not ids.size:
        return np.zeros(numbers.size, np.int64), np.zeros(numbers.size, bool)
    places = np.minimum(np.searchsorted(ids, numbers), ids.size - 1)
    return places, ids[places] == numbers


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
