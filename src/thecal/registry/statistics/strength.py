"""What became of the strength: each patient against herself, muscle by muscle, by order alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np

from thecal.registry.grades import GRADES, grade_value
from thecal.registry.statistics.columns import NERVE_SCALES, Columns, IntArray
from thecal.registry.statistics.intervals import (
    FEWEST,
    Share,
    detectable_by_sign,
    share,
    sign_test,
)
from thecal.registry.statistics.ordinal import Estimate, superiority

MRC: Final = NERVE_SCALES.index("mrc")
FULL: Final = grade_value("5")
Course = Literal["worse", "same", "better", "full"]
COURSES: Final[tuple[Course, ...]] = ("worse", "same", "better", "full")
"""What became of a patient, worst first: ``full`` is every muscle at 5."""


@dataclass(frozen=True)
class Patient:
    """One patient's course.

    Attributes
    ----------
    case : int
    pseudonym : str
    muscles : int
        Measured at two times at least; left and right count apart.
    better, worse : int
        Muscles.
    first, last : str
        Grade of the weakest of them, then and now.
    days : float
        From the first finding to the last.
    last_day : float
        Of the last finding, from the deficit on; from the procedure where nobody says when it came.
    course : str
    """

    case: int
    pseudonym: str
    muscles: int
    better: int
    worse: int
    first: str
    last: str
    days: float
    last_day: float
    course: Course


@dataclass(frozen=True)
class Point:
    """A patient's median muscle on one day after the deficit, for her curve."""

    day: float
    grade: str
    value: float


@dataclass(frozen=True)
class Strength:
    """Recovery of strength.

    Attributes
    ----------
    patients : tuple of Patient
        Who had less than full strength in a muscle and was measured again.
    once : int
        Had less, and was measured on one day only.
    undated : int
        Findings that have no day and no date.
    shares : tuple of Share
        "better", "same", "worse", of all patients.
    superiority : Estimate or None
        The probability of being better, ties a half; None under ten patients.
    p : float or None
        Sign test; None under ten patients.
    power : str
    curves : dict of str to list of Point
        By pseudonym; only under ten patients.
    """

    patients: tuple[Patient, ...]
    once: int
    undated: int
    shares: tuple[Share, ...]
    superiority: Estimate | None
    p: float | None
    power: str
    curves: dict[str, tuple[Point, ...]]


def strength(columns: Columns) -> Strength:
    """Recovery of strength over all patients."""
    mine = (columns.finding_scale == MRC) & np.isfinite(columns.finding_value)
    # What was found before the deficit, or before the cement, is no beginning of a recovery from it.
    dated = mine & np.isfinite(columns.finding_day) & (columns.finding_day >= 0.0)
    rows = np.flatnonzero(dated)
    day = columns.finding_day[rows]
    # Of several on the deficit's own day the lowest counts: the others may be older than it.
    lowest = np.where(day == 0.0, columns.finding_value[rows], 0.0)
    rows = rows[np.lexsort((lowest, day, columns.finding_what[rows], columns.finding_case[rows]))]
    patients, once = _patients(columns, rows)
    total = len(patients)
    better = sum(p.better > p.worse for p in patients)
    worse = sum(p.better < p.worse for p in patients)
    small = total < FEWEST
    counts = {"better": better, "same": total - better - worse, "worse": worse}
    return Strength(
        patients=tuple(patients),
        once=once,
        undated=int(mine.sum() - dated.sum()),
        shares=tuple(share(name, count, total) for name, count in counts.items()),
        superiority=None if small else superiority(better, worse, total),
        p=None if small else sign_test(better, worse),
        power="" if small else _power(better + worse),
        curves=_curves(columns, rows, patients) if small else {},
    )


@cache
def grade_of(value: float) -> str:
    """The grade that is nearest to a number."""
    return min(GRADES, key=lambda grade: abs(value - grade_value(grade)))


def _patients(columns: Columns, rows: IntArray) -> tuple[list[Patient], int]:
    """The patients of findings in order of case, muscle and day; and how many were measured only once."""
    if not rows.size:
        return [], 0
    case, value, day = columns.finding_case[rows], columns.finding_value[rows], columns.finding_day[rows]
    new = np.flatnonzero((np.diff(case) != 0) | (np.diff(columns.finding_what[rows]) != 0)) + 1
    starts, ends = np.array([0, *new]), np.array([*(new - 1), rows.size - 1])
    weak = np.unique(case[starts][value[starts] < FULL])
    again = day[ends] > day[starts]
    starts, ends = starts[again], ends[again]
    whose = case[starts]
    cases = np.flatnonzero(np.bincount(whose, minlength=1))
    once = int((~np.isin(weak, cases)).sum())
    if not cases.size:
        return [], once
    cuts = np.searchsorted(whose, cases)
    first, last = value[starts], value[ends]
    better = np.add.reduceat((last > first).astype(int), cuts)
    worse = np.add.reduceat((last < first).astype(int), cuts)
    muscles = np.add.reduceat(np.ones(whose.size, int), cuts)
    weakest, weakest_last = np.minimum.reduceat(first, cuts), np.minimum.reduceat(last, cuts)
    days = np.maximum.reduceat(day[ends] - day[starts], cuts)
    last_day = np.maximum.reduceat(day[ends], cuts)
    patients = [
        Patient(
            case=int(cases[at]),
            pseudonym=columns.pseudonyms.get(int(cases[at]), ""),
            muscles=int(muscles[at]),
            better=int(better[at]),
            worse=int(worse[at]),
            first=grade_of(float(weakest[at])),
            last=grade_of(float(weakest_last[at])),
            days=float(days[at]),
            last_day=float(last_day[at]),
            course=_course(int(better[at]), int(worse[at]), float(weakest_last[at])),
        )
        for at in np.flatnonzero(weakest < FULL).tolist()
    ]
    return patients, once


def _course(better: int, worse: int, weakest: float) -> Course:
    if weakest >= FULL:
        return "full"
    if better == worse:
        return "same"
    return "better" if better > worse else "worse"


def _power(changed: int) -> str:
    needed = detectable_by_sign(changed)
    if needed is None:
        return f"{changed} patients who changed are too few for the sign test to say anything."
    return (
        f"With {changed} patients who changed, {100 * needed:.0f} % of them would have to get better for "
        "the sign test to notice it four times in five."
    )


def _curves(columns: Columns, rows: IntArray, patients: list[Patient]) -> dict[str, tuple[Point, ...]]:
    curves: dict[str, tuple[Point, ...]] = {}
    for patient in patients:
        mine = rows[columns.finding_case[rows] == patient.case]
        points = []
        for day in np.unique(columns.finding_day[mine]):
            there = np.sort(columns.finding_value[mine][columns.finding_day[mine] == day])
            middle = float(there[(there.size - 1) // 2])
            points.append(Point(float(day), grade_of(middle), middle))
        curves[patient.pseudonym] = tuple(points)
    return curves
