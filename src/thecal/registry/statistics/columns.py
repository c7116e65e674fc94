"""What the statistics read: a registry as a few arrays, not as objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from thecal.registry.words import SPHINCTER, WALKING
from thecal.terms import COMPARTMENTS, VERSE_IDS

if TYPE_CHECKING:
    from thecal.registry.case import Case

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

KINDS: Final = ("VP", "KP", "conservative")
VISCOSITIES: Final = ("low", "medium", "high")
PRESENT: Final = ("yes", "no", "unknown")
LEVELS: Final = tuple(sorted(VERSE_IDS, key=lambda level: VERSE_IDS[level] if level != "T13" else 19.5))
"""Cranial to caudal."""
NERVE_SCALES: Final = ("mrc", "walking", "bladder", "bowel")
"""Scales of which the course is told."""
WORDS: Final = {"walking": WALKING, "bladder": SPHINCTER, "bowel": SPHINCTER}
NOT_SAID: Final = -1
SHOW_CEMENT: Final = ("CT", "CR", "DX", "XA", "RF")
"""Modalities on which cement outside a body is looked for."""
DAY_H: Final = 24.0


@dataclass(frozen=True)
class Columns:
    """A registry without its withdrawn cases, numbered from 0; -1 and NaN are what nobody wrote down.

    Attributes
    ----------
    cases : int
        How many there are.
    missing : dict of str to int
        How many cases do not say "age", "sex", "bone density".
    looked : (cases,) bool
        Whether somebody looked for a leak, so that no leak means none was seen (``looked_at``).
    procedure_case, procedure_kind, procedure_level, procedure_viscosity : (n,) int
        ``KINDS``, ``LEVELS`` and ``VISCOSITIES`` by number.
    leak_case, leak_compartment, leak_level : (n,) int
        ``COMPARTMENTS`` and ``LEVELS`` by number.
    deficit : (cases,) int
        ``PRESENT`` by number.
    decompressed_case, decompressed_h : (n,) int and float
        The first operation that made room, and hours from the deficit to it.
    dated_by_day : int
        How many of those hours come from two dates, and are only known to a day.
    finding_case, finding_scale, finding_what : (n,) int
        ``NERVE_SCALES`` by number; the muscle and side by any number.
    finding_value, finding_day : (n,) float
        The grade's number or the word's place; days after the deficit came. Where nobody says when it did, or
        there was none, days after the procedure. Below 0 is before it. A finding that is known to a whole
        day, and that day is the deficit's, counts as found with it: 0.
    deficits_without_time : int
        How many cases with a deficit and findings do not say when it came, and count from the procedure.
    died : (n,) int
        Cases that died.
    pseudonyms : dict of int to str
        Of cases that have findings.
    """

    cases: int
    missing: dict[str, int]
    looked: BoolArray
    procedure_case: IntArray
    procedure_kind: IntArray
    procedure_level: IntArray
    procedure_viscosity: IntArray
    leak_case: IntArray
    leak_compartment: IntArray
    leak_level: IntArray
    deficit: IntArray
    decompressed_case: IntArray
    decompressed_h: FloatArray
    dated_by_day: int
    finding_case: IntArray
    finding_scale: IntArray
    finding_what: IntArray
    finding_value: FloatArray
    finding_day: FloatArray
    deficits_without_time: int
    died: IntArray
    pseudonyms: dict[int, str]


@dataclass(frozen=True)
class Findings:
    """Outcomes as far as their course matters, a row each, in the order in which they were entered.

    The case; the place of its scale in ``NERVE_SCALES``; its muscle and side; the grade's number or the
    word's place; days after the procedure, and else its date's number. NaN is what nobody wrote down.
    """

    case: IntArray
    scale: IntArray
    what: list[str]
    value: FloatArray
    days: FloatArray
    on: FloatArray


class Beginning(NamedTuple):
    """When a deficit that was there began: hours after the cement, and a day's number."""

    delay_h: float | None
    on: int | None


NEVER_SAID: Final = Beginning(None, None)


@dataclass(frozen=True)
class Operation:
    """A revision as far as its time matters: hours after the cement, a day's number, 1 if it made room."""

    case: int
    delay_h: float | None
    on: int | None
    room: int


@dataclass(frozen=True)
class Raw:
    """Rows from which `columns` makes its arrays, wherever they were kept."""

    cases: int
    missing: dict[str, int]
    looked: BoolArray
    procedures: IntArray
    leaks: IntArray
    deficit: IntArray
    began: dict[int, Beginning]
    operated_on: dict[int, int]
    revisions: list[Operation]
    findings: Findings
    died: list[int]
    pseudonyms: dict[int, str]


def columns_of(cases: Iterable[Case]) -> Columns:
    """The columns of cases in memory; withdrawn ones are left out."""
    kept = [case for case in cases if not case.withdrawn]
    patients = [case.patient for case in kept]
    return columns(
        Raw(
            cases=len(kept),
            missing={
                "age": sum(p.age_years is None for p in patients),
                "sex": sum(p.sex is None for p in patients),
                "bone density": sum(p.bone_t_score is None and p.bone_hu is None for p in patients),
            },
            looked=np.array([looked_at(case) for case in kept], bool),
            procedures=_table(
                (i, number(KINDS, p.kind), number(LEVELS, p.level), number(VISCOSITIES, p.viscosity))
                for i, case in enumerate(kept)
                for p in case.procedures
            ),
            leaks=_table(
                (i, number(COMPARTMENTS, leak.compartment), number(LEVELS, leak.level), 0)
                for i, case in enumerate(kept)
                for leak in case.leaks
            ),
            deficit=np.array(
                [NOT_SAID if c.deficit is None else number(PRESENT, c.deficit.present) for c in kept],
                np.int64,
            ),
            began={
                i: Beginning(case.deficit.delay_h, _day(case.deficit.on))
                for i, case in enumerate(kept)
                if case.deficit is not None and case.deficit.present == "yes"
            },
            operated_on={
                i: min(days)
                for i, case in enumerate(kept)
                if (days := [p.on.toordinal() for p in case.procedures if p.on is not None])
            },
            revisions=[
                Operation(i, r.delay_h, _day(r.on), int(made_room(r)))
                for i, case in enumerate(kept)
                for r in case.revisions
            ],
            findings=_findings(kept),
            died=[i for i, case in enumerate(kept) if any(e.kind == "death" for e in case.events)],
            pseudonyms={i: case.patient.pseudonym for i, case in enumerate(kept) if case.outcomes},
        )
    )


def looked_at(case: Case) -> bool:
    """Whether somebody looked for a leak: a leak was written down, a report attached, or pictures taken.

    Pictures count that show cement and are not known to be older than the first procedure.
    """
    days = [p.on for p in case.procedures if p.on is not None]
    first = min(days, default=None)
    return bool(case.leaks) or any(
        each.report_sha256 is not None
        or (each.modality in SHOW_CEMENT and not (first and each.on and each.on < first))
        for each in case.imaging
    )


def made_room(revision: Any) -> bool:
    """Whether an operation opened the canal: a laminectomy, a durotomy or a corpectomy."""
    return bool(revision.laminectomy_levels or revision.durotomy == "yes" or revision.corpectomy == "yes")


def columns(raw: Raw) -> Columns:
    """Arrays of what was read; findings are counted from the deficit, and times that are only dates too."""
    decompressed, by_day = _decompressed(raw.revisions, raw.began)
    found = raw.findings
    day = _after_deficit(raw, found.case, found.days, found.on)
    lost = {each for each in set(found.case.tolist()) if raw.deficit[each] == PRESENT.index("yes")}
    whats: dict[str, int] = {}
    return Columns(
        cases=raw.cases,
        missing=raw.missing,
        looked=raw.looked,
        procedure_case=raw.procedures[:, 0],
        procedure_kind=raw.procedures[:, 1],
        procedure_level=raw.procedures[:, 2],
        procedure_viscosity=raw.procedures[:, 3],
        leak_case=raw.leaks[:, 0],
        leak_compartment=raw.leaks[:, 1],
        leak_level=raw.leaks[:, 2],
        deficit=raw.deficit,
        decompressed_case=np.array(sorted(decompressed), np.int64),
        decompressed_h=np.array([decompressed[case] for case in sorted(decompressed)], float),
        dated_by_day=by_day,
        finding_case=found.case,
        finding_scale=found.scale,
        finding_what=np.array([whats.setdefault(each, len(whats)) for each in found.what], np.int64),
        finding_value=found.value,
        finding_day=day,
        deficits_without_time=sum(raw.began.get(each, NEVER_SAID) == NEVER_SAID for each in lost),
        died=np.array(sorted(set(raw.died)), np.int64),
        pseudonyms=raw.pseudonyms,
    )


def number(words: tuple[str, ...], word: str | None) -> int:
    """The place of a word, -1 where there is none."""
    return NOT_SAID if word is None or word not in words else words.index(word)


def value_of(scale: str, value: float | None, choice: str | None) -> float | None:
    """The number of a finding: the grade's, or the place of the word on its scale."""
    if scale not in WORDS:
        return value
    return None if choice is None else float(WORDS[scale].index(choice))


def _findings(kept: list[Case]) -> Findings:
    mine = [(i, o) for i, case in enumerate(kept) for o in case.outcomes if o.scale in NERVE_SCALES]
    return Findings(
        case=np.array([i for i, _ in mine], np.int64),
        scale=np.array([NERVE_SCALES.index(o.scale) for _, o in mine], np.int64),
        what=[f"{o.muscle or ''}/{o.side or ''}" for _, o in mine],
        value=np.array([value_of(o.scale, o.value, o.choice) for _, o in mine], float),
        days=np.array([o.days for _, o in mine], float),
        on=np.array([_day(o.on) for _, o in mine], float),
    )


def _after_deficit(raw: Raw, case: IntArray, days: FloatArray, on: FloatArray) -> FloatArray:
    """Days from the deficit to each finding, or from the procedure; NaN where it has no time.

    ``days`` count from the procedure, ``on`` are days' numbers; NaN where nobody wrote them.
    """
    operated, began, delay = (np.full(raw.cases, np.nan) for _ in range(3))
    for each, number in raw.operated_on.items():
        operated[each] = number
    for each, beginning in raw.began.items():
        began[each] = np.nan if beginning.on is None else beginning.on
        days_later = _delay_days(beginning, raw.operated_on.get(each))
        delay[each] = np.nan if days_later is None else days_later
    day = np.where(np.isnan(days), on - operated[case], days)
    later = np.where(day == np.floor(delay[case]), 0.0, day - delay[case])
    counted = np.where(np.isnan(delay[case]), day, later)
    # Two dates tell it too, where nobody knows when the procedure was.
    by_date = np.isnan(days) & np.isnan(operated[case])
    return np.where(by_date, on - began[case], counted)


def _delay_days(began: Beginning, operated: int | None) -> float | None:
    """Days from the procedure to the deficit; 0 for one that was there before it, None where unknown."""
    if began.delay_h is not None:
        return began.delay_h / DAY_H
    if began.on is None or operated is None:
        return None
    return max(0.0, float(began.on - operated))


def _decompressed(operations: list[Operation], began: dict[int, Beginning]) -> tuple[dict[int, float], int]:
    """Hours from the deficit to the first operation that made room, by case; how many are known to a day."""
    first: dict[int, float] = {}
    by_day: set[int] = set()
    for operation in operations:
        deficit = began.get(operation.case)
        if not operation.room or deficit is None:
            continue
        dated = operation.delay_h is None or deficit.delay_h is None
        if operation.delay_h is not None and deficit.delay_h is not None:
            hours = operation.delay_h - deficit.delay_h
        elif operation.on is not None and deficit.on is not None:
            hours = DAY_H * (operation.on - deficit.on)
        else:
            continue
        if hours < 0 or hours >= first.get(operation.case, np.inf):
            continue
        first[operation.case] = hours
        (by_day.add if dated else by_day.discard)(operation.case)
    return first, len(by_day)


def _day(on: Any) -> int | None:
    return None if on is None else int(on.toordinal())


def _table(rows: Iterable[tuple[int, int, int, int]]) -> IntArray:
    return np.array(list(rows), np.int64).reshape(-1, 4)
