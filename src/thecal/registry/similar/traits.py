"""What cases are compared by; what is not known is None, and counts neither for nor against."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from types import MappingProxyType
from typing import Final

from thecal.registry.case import Case, Outcome
from thecal.report.schema import Report
from thecal.terms import USUAL_ORDER, SignName

FULL_STRENGTH: Final = 5.0
FILLED_ML: Final = 0.5
"""A body with so much cement counts as treated: less is what ran into a neighbour (a convention)."""
NEXT_TO_IT: Final = 1
"""Vertebrae between the treated one and the cement that ran along the canal."""


@dataclass(frozen=True)
class Traits:
    """One case by what it is compared by.

    Attributes
    ----------
    levels : tuple of str
        Treated or, where that is not known, where the cement lies; empty where no level is known.
    intradural, epidural : bool or None
        Cement in that part of the canal. A paper that names no epidural cement does not say that there was
        none.
    signs : mapping
        Of cement inside the dura: present or absent; one that could not be read is missing.
    deficit : bool or None
    weakest : float or None
        The lowest MRC grade at the beginning, 0 to 5.
    sphincter : bool or None
        Whether bladder or bowel were impaired at the beginning.
    """

    levels: tuple[str, ...] = ()
    intradural: bool | None = None
    epidural: bool | None = None
    signs: Mapping[SignName, bool] = field(default_factory=lambda: MappingProxyType({}))
    deficit: bool | None = None
    weakest: float | None = None
    sphincter: bool | None = None


def traits_of_case(case: Case, first: Sequence[Outcome] | None = None) -> Traits:
    """The traits of a case of the registry or of the literature.

    Parameters
    ----------
    case : Case
    first : sequence of Outcome, optional
        How strength and sphincters were at the beginning; else the earliest findings from the cement on.

    Returns
    -------
    Traits
    """
    levels = [p.level for p in case.procedures if p.kind != "conservative"]
    levels = levels or [f.level for f in case.fractures]
    levels = levels or [leak.level for leak in case.leaks if leak.level is not None]
    verdicts = {leak.intradural for leak in case.leaks}
    named = {leak.compartment for leak in case.leaks}
    intradural: bool | None = None
    if "intradural" in named or verdicts & {"probable", "possible"}:
        intradural = True
    elif "not_detected" in verdicts:
        intradural = False
    signs = {
        s.name: s.state == "present" for leak in case.leaks for s in leak.signs if s.state != "not_assessable"
    }
    first = _first(case.outcomes) if first is None else first
    grades = [o.value for o in first if o.scale == "mrc" and o.value is not None]
    sphincters = [o.choice for o in first if o.scale in ("bladder", "bowel") and o.choice is not None]
    deficit = (
        None if case.deficit is None or case.deficit.present == "unknown" else case.deficit.present == "yes"
    )
    return Traits(
        levels=tuple(dict.fromkeys(levels)),
        intradural=intradural,
        epidural=True if "epidural" in named else None,
        signs=MappingProxyType(signs),
        deficit=True if deficit is None and grades and min(grades) < FULL_STRENGTH else deficit,
        weakest=min(grades) if grades else None,
        sphincter=any(choice != "normal" for choice in sphincters) if sphincters else None,
    )


def _first(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    """The findings of the beginning: those without a time beside later ones, else the earliest after it.

    None where no time is known at all.
    """
    untimed = [o for o in outcomes if o.days is None and o.on is None]
    if untimed and len(untimed) < len(outcomes):
        return untimed
    days = [o.days for o in outcomes if o.days is not None and o.days >= 0.0]
    if days:
        return [o for o in outcomes if o.days == min(days)]
    dates = [o.on for o in outcomes if o.on is not None]
    return [o for o in outcomes if dates and o.on == min(dates)]


def traits_of_report(report: Report) -> Traits:
    """The traits of an assessment.

    Parameters
    ----------
    report : Report

    Returns
    -------
    Traits
        Levels are those of the filled bodies at the cement in the canal or next to it, as papers name the
        treated level; of the cement itself where no such body is known. CT knows no deficit: it is the one of
        ``--findings``.
    """
    canal = [d for d in report.deposits if d.compartment in ("intradural", "epidural")]
    finding = report.intradural.finding
    seen = any(section.cement_area_mm2 is not None for section in report.canal.profile)
    deficit = report.observations.deficit
    return Traits(
        levels=_levels(report, [d.level for d in canal if d.level is not None]),
        intradural=None if finding == "not_assessable" else finding in ("probable", "possible"),
        epidural=any(d.compartment == "epidural" for d in canal) if seen else None,
        signs=MappingProxyType(
            {s.name: s.state == "present" for s in report.intradural.signs if s.state != "not_assessable"}
        ),
        deficit=None if deficit == "unknown" else deficit == "yes",
    )


def vertebrae_apart(one: str, other: str) -> int:
    """How many vertebrae lie between two levels, as most people's are counted.

    A T13 or L6 stands half a step below its upper neighbour, the sacrum one step below L5.
    """
    between = {
        "T13": USUAL_ORDER.index("T12") + 0.5,
        "L6": len(USUAL_ORDER) - 0.5,
        "sacrum": len(USUAL_ORDER),
    }
    places = [
        between.get(level, USUAL_ORDER.index(level) if level in USUAL_ORDER else 0) for level in (one, other)
    ]
    return ceil(abs(places[0] - places[1]))


def _levels(report: Report, in_canal: list[str]) -> tuple[str, ...]:
    treated = [
        vertebra.level
        for vertebra in report.vertebrae
        if vertebra.level is not None
        and (vertebra.cement_ml or 0.0) >= FILLED_ML
        and (not in_canal or min(vertebrae_apart(vertebra.level, at) for at in in_canal) <= NEXT_TO_IT)
    ]
    return tuple(dict.fromkeys(treated or in_canal))


def cement_in_canal(report: Report) -> bool:
    """Whether an assessment found cement in the canal."""
    return any(d.compartment in ("intradural", "epidural") for d in report.deposits)
