"""Whether who was decompressed sooner got more back: an association, and not a cause."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from thecal.registry.statistics.columns import DAY_H, PRESENT, Columns
from thecal.registry.statistics.intervals import FEWEST
from thecal.registry.statistics.ordinal import Estimate, kendall_tau
from thecal.registry.statistics.strength import COURSES, Course, Strength


@dataclass(frozen=True)
class Delay:
    """One patient: hours from the deficit to the operation that made room, and the course of her strength."""

    pseudonym: str
    hours: float
    course: Course


@dataclass(frozen=True)
class Decompression:
    """Time to decompression against recovery.

    Attributes
    ----------
    patients : tuple of Delay
        Sooner first.
    by_day : int
        Of all decompressed patients, how many have a time that is only known to a day.
    not_after : int
        Patients with both whose last finding is no later than the decompression: no course of it is known.
    no_time : int
        Patients whose course is known, and whose time to decompression is not, or who had none.
    no_course : int
        Decompressed patients with a time whose course is not known.
    deficits : int
        Patients with a deficit.
    tau : Estimate or None
        Kendall's tau-b of hours and course; below 0 where sooner goes with better. None under ten patients.
    power : str
    """

    patients: tuple[Delay, ...]
    by_day: int
    not_after: int
    no_time: int
    no_course: int
    deficits: int
    tau: Estimate | None
    power: str


def decompression(columns: Columns, found: Strength) -> Decompression:
    """The time to decompression beside the course of strength."""
    hours = dict(zip(columns.decompressed_case.tolist(), columns.decompressed_h.tolist(), strict=True))
    both = [p for p in found.patients if p.case in hours]
    known = [p for p in both if DAY_H * p.last_day > hours[p.case]]
    patients = sorted((Delay(p.pseudonym, hours[p.case], p.course) for p in known), key=lambda d: d.hours)
    tau = None
    power = ""
    if len(patients) >= FEWEST:
        x = np.array([each.hours for each in patients])
        y = np.array([COURSES.index(each.course) for each in patients], float)
        tau = kendall_tau(x, y)
        power = _power(tau, len(patients))
    return Decompression(
        patients=tuple(patients),
        by_day=columns.dated_by_day,
        not_after=len(both) - len(known),
        no_time=len(found.patients) - len(both),
        no_course=len(hours) - len(both),
        deficits=int((columns.deficit == PRESENT.index("yes")).sum()),
        tau=tau,
        power=power,
    )


def _power(tau: Estimate, total: int) -> str:
    if not isfinite(tau.value) or tau.low is None or tau.high is None:
        return f"All {total} patients have the same course or the same time: nothing can be told."
    return (
        f"The interval of {total} patients is {tau.high - tau.low:.2f} wide: an association weaker than "
        "half of that could not be told from none."
    )
