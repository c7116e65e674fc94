"""How long until she walks again, or her sphincters hold: known only at visits.

That she walks again is written down at the visit at which it is seen; it came about at some time between that
visit and the one before. The estimate is Turnbull's, which knows no more than that. Beside it two
Kaplan-Meier curves are drawn: one as though it came about just after the last visit without it, the other as
though at the visit that saw it. Where others are lost in between, the truth may lie outside both of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.registry.statistics.columns import NERVE_SCALES, Columns, FloatArray
from thecal.registry.statistics.intervals import FEWEST, widest_half
from thecal.registry.statistics.kaplan_meier import Curve, at_risk, kaplan_meier
from thecal.registry.statistics.turnbull import Turnbull, turnbull
from thecal.registry.words import SPHINCTER, WALKING

RISK_DAYS: Final = (0, 30, 90, 180, 365)
"""Days at which the numbers at risk are said."""

DIGITS: Final = 4
"""Of days, so that differences of equal times are equal; a ten-thousandth is nine seconds."""


@dataclass(frozen=True)
class Wait:
    """One patient: she was first seen without it, then last without it, then with it (None: never).

    Days from the visit, not before the deficit, at which it was first written that she could not;
    ``after_deficit`` is how many days after the deficit that was, or after the procedure where nobody says
    when it came.
    """

    pseudonym: str
    after_deficit: float
    last_without: float
    first_with: float | None


@dataclass(frozen=True)
class Waiting:
    """Walking again, or sphincters that hold again.

    Attributes
    ----------
    what : str
        "walking" or "sphincters".
    patients : tuple of Wait
    never_again : int
        Were seen without it once and never after: they tell nothing, and are not in the curve.
    died : int
        Of the patients in the curve, how many died later; they are counted until their last visit.
    between : Turnbull or None
        The estimate from what is known: that it came about between two visits. None under ten.
    pairs : int
        Different pairs of visits, and of a last visit and never, that the patients have.
    late, early : Curve or None
        As though it came about at the visit that saw it, or just after the visit before. None under ten.
    at_risk : tuple of (int, int)
        Day and how many are still waiting and looked at.
    first_day : float or None
        The median of the days from the deficit to the visit from which a patient is counted.
    gap_days : float or None
        The median time between the two visits that enclose a recovery.
    power : str
    """

    what: str
    patients: tuple[Wait, ...]
    never_again: int
    died: int
    between: Turnbull | None
    pairs: int
    late: Curve | None
    early: Curve | None
    at_risk: tuple[tuple[int, int], ...]
    first_day: float | None
    gap_days: float | None
    power: str


def walking_again(columns: Columns) -> Waiting:
    """From the first visit at which she could not walk to one at which she does, with or without an aid."""
    return _waiting(columns, "walking", {"walking": WALKING.index("aided")})


def sphincters_again(columns: Columns) -> Waiting:
    """From the first visit at which bladder or bowel was not normal to one at which what was not is again."""
    normal = SPHINCTER.index("normal")
    return _waiting(columns, "sphincters", {"bladder": normal, "bowel": normal})


def _waiting(columns: Columns, what: str, enough: dict[str, int]) -> Waiting:
    waits: dict[int, list[tuple[float, float, float | None]]] = {}
    for scale, needed in enough.items():
        mine = (columns.finding_scale == NERVE_SCALES.index(scale)) & np.isfinite(columns.finding_value)
        rows = np.flatnonzero(mine & np.isfinite(columns.finding_day) & (columns.finding_day >= 0.0))
        rows = rows[np.lexsort((columns.finding_day[rows], columns.finding_case[rows]))]
        by_case: dict[int, list[tuple[float, bool]]] = {}
        for case, day, value in zip(
            columns.finding_case[rows].tolist(),
            columns.finding_day[rows].tolist(),
            columns.finding_value[rows].tolist(),
            strict=True,
        ):
            by_case.setdefault(case, []).append((day, value >= needed))
        for case, readings in by_case.items():
            one = _one(readings)
            if one is not None:
                waits.setdefault(case, []).append(one)
    patients, cases = [], []
    never_again = 0
    for case, parts in sorted(waits.items()):
        began = min(part[0] for part in parts)
        last_without = round(max(part[1] for part in parts) - began, DIGITS)
        ends = [part[2] for part in parts]
        first_with = (
            None if None in ends else round(max(end for end in ends if end is not None) - began, DIGITS)
        )
        if first_with is None:
            # Until the first of the scales was last looked at she surely did not have all of it.
            last_without = round(max(part[1] for part in parts if part[2] is None) - began, DIGITS)
            if last_without <= 0:
                never_again += 1
                continue
        patients.append(Wait(columns.pseudonyms.get(case, ""), began, last_without, first_with))
        cases.append(case)
    return _summed(columns, what, patients, cases, never_again)


def _one(readings: list[tuple[float, bool]]) -> tuple[float, float, float | None] | None:
    """First and last day without it before the first day with it after; None where it never was without."""
    began = next((day for day, has in readings if not has), None)
    if began is None:
        return None
    last = began
    for day, has in readings:
        if day < began or (has and day == last):
            continue
        if has:
            return began, last, day
        last = day
    return began, last, None


def _summed(columns: Columns, what: str, patients: list[Wait], cases: list[int], never_again: int) -> Waiting:
    seen = np.array([p.first_with is not None for p in patients], bool)
    late: FloatArray = np.array(
        [p.last_without if p.first_with is None else p.first_with for p in patients], float
    )
    early: FloatArray = np.array([p.last_without for p in patients], float)
    gaps = late[seen] - early[seen]
    total = len(patients)
    small = total < FEWEST
    return Waiting(
        what=what,
        patients=tuple(patients),
        never_again=never_again,
        died=int(np.isin(cases, columns.died).sum()) if cases else 0,
        between=None if small else turnbull(early, np.where(seen, late, np.inf)),
        pairs=len({(p.last_without, p.first_with) for p in patients}),
        late=None if small else kaplan_meier(late, seen),
        early=None if small else kaplan_meier(early, seen),
        at_risk=tuple((day, at_risk(late, day)) for day in RISK_DAYS),
        first_day=float(np.median([p.after_deficit for p in patients])) if patients else None,
        gap_days=float(np.median(gaps)) if gaps.size else None,
        power=""
        if small
        else f"With {total} patients, of whom {int(seen.sum())} recovered, a share near a half is known to "
        f"±{100 * widest_half(total):.0f} points at best, before anyone is lost.",
    )
