"""The columns of a registry straight from its tables: no case is made, so that 100,000 take a moment.

What every case has comes over as one text a column: many times faster than as rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import compress
from typing import Any, Final

import numpy as np

from thecal.errors import InputError
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
    Findings,
    IntArray,
    Operation,
    Raw,
    columns,
)
from thecal.registry.store.asking import Askable, Asking
from thecal.terms import COMPARTMENTS

NO_LEVELS: Final = ("[]", "")
"""How the tables write that there are none."""
NEVER: Final = "99999999"
"""In place of a date that is not there, later than any: dates are compared as YYYYMMDD."""


def columns_from(store: Askable) -> Columns:
    """The columns of every case that was not withdrawn, as of one moment.

    Dates are as they are stored: shifted by one number for each case where the registry has a key, which
    changes nothing between two of them.

    Raises
    ------
    InputError
        Where what stands in the tables makes no sense.
    """
    with store.asking() as ask:
        try:
            return columns(_raw(ask))
        except ValueError as error:
            raise InputError("The registry is damaged: thecal registry check says where") from error


def _raw(ask: Asking) -> Raw:
    ids, missing = _ids(ask)
    size = int(ids.size)
    case, kind, level, viscosity, on = _told(
        ask, "procedures", "kind", "level", "viscosity", _day_number("on")
    )
    places, kept = _places(ids, _numbers(case))
    procedures = np.stack(
        [places, _coded(kind, KINDS), _coded(level, LEVELS), _coded(viscosity, VISCOSITIES)], axis=1
    )[kept]
    first_on = np.full(size + 1, int(NEVER))
    np.minimum.at(first_on, places[kept], _numbers(on)[kept])
    looked = _looked(ask, ids, first_on)
    case, compartment, level = _told(ask, "leaks", "compartment", "level")
    places, kept = _places(ids, _numbers(case))
    nothing = np.zeros(places.size, np.int64)
    leaks = np.stack([places, _coded(compartment, COMPARTMENTS), _coded(level, LEVELS), nothing], axis=1)[
        kept
    ]
    looked[leaks[:, 0]] = True
    case, present = _told(ask, "deficits", "present")
    places, kept = _places(ids, _numbers(case))
    deficit = np.full(size, NOT_SAID)
    deficit[places[kept]] = _coded(present, PRESENT)[kept]
    # Only of these is more than a number wanted, and they are few.
    found = _findings(ask, ids)
    nerves = np.unique(found.case)
    lost = ask.rows("SELECT case_id, delay_h, \"on\" FROM deficits WHERE present = 'yes'")
    operations = ask.rows(
        'SELECT case_id, delay_h, "on", laminectomy_levels, durotomy, corpectomy FROM revisions'
    )
    died = ask.rows("SELECT case_id FROM events WHERE kind = 'death'")
    cases = _case_of(ids, [row[0] for row in (*lost, *operations, *died)])
    return Raw(
        cases=size,
        missing=missing,
        looked=looked,
        procedures=procedures,
        leaks=leaks,
        deficit=deficit,
        began={
            cases[number]: Beginning(delay_h, _day(on)) for number, delay_h, on in lost if number in cases
        },
        operated_on={
            at: date(day // 10_000, day // 100 % 100, day % 100).toordinal()
            for at, day in zip(nerves.tolist(), first_on[nerves].tolist(), strict=True)
            if day != int(NEVER)
        },
        revisions=[
            Operation(cases[number], delay_h, _day(on), int(levels not in NO_LEVELS or "yes" in (dura, body)))
            for number, delay_h, on, levels, dura, body in operations
            if number in cases
        ],
        findings=found,
        died=[cases[number] for (number,) in died if number in cases],
        pseudonyms=_pseudonyms(ask, ids, nerves),
    )


def _ids(ask: Asking) -> tuple[IntArray, dict[str, int]]:
    """The numbers of the cases, sorted, and how many do not say what."""
    [(numbers, age, sex, bone)] = ask.rows(
        f"SELECT {_joined(ask, 'id')}, SUM(CASE WHEN age_years IS NULL THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN sex IS NULL THEN 1 ELSE 0 END), "
        "SUM(CASE WHEN bone_t_score IS NULL AND bone_hu IS NULL THEN 1 ELSE 0 END) "
        "FROM cases WHERE withdrawn = 0 AND erased = 0"
    )
    missing = {"age": int(age or 0), "sex": int(sex or 0), "bone density": int(bone or 0)}
    return np.sort(_numbers(numbers)), missing


def _looked(ask: Asking, ids: IntArray, first_on: IntArray) -> Any:
    """Whether a report or a picture shows that somebody looked, as `columns.looked_at` says."""
    # A report counts whenever its pictures were taken.
    day = f"CASE WHEN report_sha256 IS NULL THEN {_day_number('on')} ELSE '{NEVER}' END"
    [(case, on)] = ask.rows(
        f"SELECT {_joined(ask, 'case_id')}, {_joined(ask, day)} FROM imaging "
        f"WHERE report_sha256 IS NOT NULL OR modality IN {SHOW_CEMENT!r}"
    )
    places, kept = _places(ids, _numbers(case))
    before = np.where(first_on == int(NEVER), 0, first_on)
    looked = np.zeros(ids.size, bool)
    looked[places[kept & (_numbers(on) >= before[places])]] = True
    return looked


def _findings(ask: Asking, ids: IntArray) -> Findings:
    """The outcomes of the nerves, words already as places on their scales."""
    words = " ".join(
        f"WHEN '{scale}' THEN {_code('choice', choices, 'NULL')}" for scale, choices in WORDS.items()
    )
    rows = ask.rows(
        f"SELECT case_id, {_code('scale', NERVE_SCALES)}, COALESCE(muscle, '') || '/' || COALESCE(side, ''), "
        f'CASE scale {words} ELSE value END, days, CASE WHEN days IS NULL THEN "on" END '
        f"FROM outcomes WHERE scale IN {NERVE_SCALES!r} ORDER BY case_id, position"
    )
    case, scale, what, value, days, on = zip(*rows, strict=True) if rows else ((),) * 6
    places, kept = _places(ids, np.array(case, np.int64))
    return Findings(
        case=places[kept],
        scale=np.array(scale, np.int64)[kept],
        what=list(compress(what, kept.tolist())),
        value=np.array(value, float)[kept],
        days=np.array(days, float)[kept],
        on=np.array([None if each is None else _day(each) for each in on], float)[kept],
    )


def _case_of(ids: IntArray, numbers: list[int]) -> dict[int, int]:
    """Which case each of a few numbers is; those of withdrawn cases are left out."""
    places, kept = _places(ids, np.array(numbers, np.int64))
    return dict(zip(compress(numbers, kept.tolist()), places[kept].tolist(), strict=True))


def _pseudonyms(ask: Asking, ids: IntArray, cases: IntArray) -> dict[int, str]:
    if not cases.size:
        return {}
    some = ", ".join(map(str, ids[cases].tolist()))
    names = dict(ask.rows(f"SELECT id, pseudonym FROM cases WHERE id IN ({some})"))
    return {case: names[number] for case, number in zip(cases.tolist(), ids[cases].tolist(), strict=True)}


def _told(ask: Asking, table: str, *columns: str) -> tuple[str | None, ...]:
    """Of every row the case's number, and these columns; each column one text."""
    joined = ", ".join(_joined(ask, column) for column in ("case_id", *columns))
    [row] = ask.rows(f"SELECT {joined} FROM {table}")
    return row


def _joined(ask: Asking, column: str) -> str:
    """A column's values in one text, in the same order as any other's of the statement; none is left out."""
    if ask.sqlite:
        return f"group_concat(COALESCE({column}, ''))"
    return f"string_agg(COALESCE(({column})::text, ''), ',')"


def _day_number(column: str) -> str:
    """A date as text that compares as dates do, once its dashes are gone."""
    return f"COALESCE(CAST(\"{column}\" AS TEXT), '{NEVER}')"


def _numbers(text: str | None) -> IntArray:
    """Whole numbers, or dates as YYYYMMDD, from one text."""
    return np.array([], np.int64) if text is None else np.fromstring(text.replace("-", ""), np.int64, sep=",")


def _coded(text: str | None, words: tuple[str, ...]) -> IntArray:
    """The place of each word of one text; -1 for those that are none of them."""
    place = {word: at for at, word in enumerate(words)}
    said = [] if text is None else text.split(",")
    # Which there are is found out first, so that the many are looked up without a default.
    place |= {word: NOT_SAID for word in set(said).difference(place)}
    return np.array(list(map(place.__getitem__, said)), np.int64)


def _code(column: str, choices: Sequence[str], other: str = "-1") -> str:
    cases = " ".join(f"WHEN '{word}' THEN {at}" for at, word in enumerate(choices))
    return f"CASE {column} {cases} ELSE {other} END"


def _places(ids: IntArray, numbers: IntArray) -> tuple[IntArray, Any]:
    """Where each number lies among the sorted ids, and whether it is one of them."""
    if not ids.size:
        return np.zeros(numbers.size, np.int64), np.zeros(numbers.size, bool)
    places = np.minimum(np.searchsorted(ids, numbers), ids.size - 1)
    return places, ids[places] == numbers


def _day(on: Any) -> int | None:
    if on is None:
        return None
    return (date.fromisoformat(on) if isinstance(on, str) else on).toordinal()
