"""What became of the strength: each patient against herself, muscle by muscle, by order alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
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
VALUES: Final = tuple(grade_value(grade) for grade in GRADES)
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
    course: Course


@dataclass(frozen=True)
class Point:
    """A patient's median muscle on one day, for her curve."""

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
    dated = mine & np.isfinite(columns.finding_day)
    rows = np.flatnonzero(dated)
    rows = rows[
        np.lexsort((columns.finding_day[rows], columns.finding_what[rows], columns.finding_case[rows]))
    ]
    patients: list[Patient] = []
    once = 0
    for part in _by_case(columns.finding_case[rows]):
        patient = _patient(columns, rows[part])
        if patient == "once":
            once += 1
        elif isinstance(patient, Patient):
            patients.append(patient)
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


def grade_of(value: float) -> str:
    """The grade that is nearest to a number."""
    return GRADES[int(np.argmin([abs(value - each) for each in VALUES]))]


def _by_case(case: IntArray) -> list[slice]:
    """Runs of one case in sorted cases."""
    if not case.size:
        return []
    cuts = [0, *(np.flatnonzero(np.diff(case)) + 1).tolist(), case.size]
    return [slice(start, end) for start, end in pairwise(cuts)]


def _patient(columns: Columns, rows: IntArray) -> Patient | Literal["once", "strong"]:
    what, value, day = (
        columns.finding_what[rows],
        columns.finding_value[rows],
        columns.finding_day[rows],
    )
    cuts = np.flatnonzero(np.diff(what)) + 1
    starts = np.array([0, *cuts])
    ends = np.array([*(cuts - 1), what.size - 1])
    if (value[starts] >= FULL).all():
        return "strong"
    again = day[ends] > day[starts]
    if not again.any():
        return "once"
    first, last = value[starts[again]], value[ends[again]]
    if (first >= FULL).all():
        return "strong"
    better, worse = int((last > first).sum()), int((last < first).sum())
    course: Course = "full" if (last >= FULL).all() else "same"
    if course != "full" and better != worse:
        course = "better" if better > worse else "worse"
    case = int(columns.finding_case[rows[0]])
    return Patient(
        case=case,
        pseudonym=columns.pseudonyms.get(case, ""),
        muscles=int(again.sum()),
        better=better,
        worse=worse,
        first=grade_of(float(first.min())),
        last=grade_of(float(last.min())),
        days=float((day[ends[again]] - day[starts[again]]).max()),
        course=course,
    )


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
