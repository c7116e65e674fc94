"""A published case as the registry knows cases: what its sources say, and nothing that another disputes."""

from __future__ import annotations

import re
from typing import Any, Final

from thecal.registry.case import (
    Case,
    Deficit,
    Fracture,
    Leak,
    Outcome,
    Patient,
    Procedure,
    Revision,
    Sign,
    YesNo,
)
from thecal.registry.literature.library import CaseValue, PublishedCase
from thecal.terms import SignName

OUTCOMES: Final = ("mrc", "walking", "bladder", "bowel")
NOT_STATED: Final = "not stated"
"""The time of a finding that a paper gives without its time: no outcome, for it may be the beginning."""
BOTH_SIDES: Final = re.compile(r"([0-5][+-]?)/([0-5][+-]?)")
"""Table 1 prints strength as left/right in one cell."""


def as_case(published: PublishedCase) -> Case:
    """The case as a value of the registry.

    Values in conflict are left out: what is not certain is not known. Values that are inferred here are not,
    and `PublishedCase.inferences` names them. The pseudonym is the name in the
    literature.

    Parameters
    ----------
    published : PublishedCase

    Returns
    -------
    Case
        Without dates and days, which no paper gives; outcomes stand in the papers' order, and
        :func:`timed_outcomes` has their times.
    """
    levels = [str(v.understood) for v in _usable(published, "level")]
    cause: Any = _one(published, "cause")
    kind: Any = _one(published, "kind")
    sex: Any = _one(published, "sex")
    age = _one(published, "age_years")
    return Case(
        patient=Patient(pseudonym=published.name, age_years=None if age is None else float(age), sex=sex),
        fractures=tuple(Fracture(level=level, cause=cause) for level in levels),
        procedures=() if kind is None else tuple(Procedure(kind=kind, level=level) for level in levels),
        leaks=_leaks(published, levels),
        deficit=_deficit(published),
        revisions=_revisions(published),
        outcomes=tuple(outcome for _, outcome in timed_outcomes(published)),
    )


def timed_outcomes(published: PublishedCase) -> tuple[tuple[str, Outcome], ...]:
    """What is said of strength, walking and sphincters, each with its time in words, in the papers' order.

    A :class:`Case` has places for days and dates, which no paper gives, and none for "final follow-up".
    """
    return tuple(
        (value.when, _outcome(value))
        for value in _usable(published, *OUTCOMES)
        if value.when is not None and value.when != NOT_STATED
    )


def _usable(published: PublishedCase, *fields: str, when: str | None = None) -> list[CaseValue]:
    return [value for value in published.of(*fields, when=when) if value.usable]


def _one(published: PublishedCase, field: str, *, when: str | None = None) -> str | None:
    found = _usable(published, field, when=when)
    return found[0].understood if found else None


def _leaks(published: PublishedCase, levels: list[str]) -> tuple[Leak, ...]:
    """One for each compartment that is named; the signs stand with the cement inside the dura."""
    compartments: list[Any] = list(dict.fromkeys(v.understood for v in _usable(published, "compartment")))
    names: list[SignName] = [v.understood for v in _usable(published, "sign")]  # type: ignore[misc]
    signs = tuple(Sign(name=name, state="present") for name in names)
    level = levels[0] if len(levels) == 1 else None
    return tuple(
        Leak(compartment=where, level=level, signs=signs if where == "intradural" else ())
        for where in compartments
    )


def _deficit(published: PublishedCase) -> Deficit | None:
    said = _usable(published, "deficit")
    # Grades below 5 at the beginning are a deficit, also where the sides are disputed.
    weak = [v for v in published.of("mrc", when="initial") if v.understood and float(v.understood) < 5.0]
    if not said and not weak:
        return None
    delay = _one(published, "deficit_delay_h")
    return Deficit(
        present="yes",
        delay_h=None if delay is None else float(delay),
        description=said[0].as_printed if said else None,
    )


def _revisions(published: PublishedCase) -> tuple[Revision, ...]:
    times = sorted({v.when for v in published.values if v.when and v.when.startswith("operation ")})
    made = []
    for when in times:
        state: dict[str, YesNo] = {
            v.field: "yes" if v.understood == "yes" else "no"
            for v in _usable(published, "durotomy", "corpectomy", "fixation", when=when)
        }
        opened = _usable(published, "laminectomy_level", when=when)
        fixed = _usable(published, "fixation_level", when=when)
        if not any(value.usable for value in published.values if value.when == when):
            continue  # Of such an operation everything is disputed.
        watched = published.of("monitoring", when=when)
        printed = published.of("laminectomy", "operation", when=when)
        made.append(
            Revision(
                durotomy=state.get("durotomy", "unknown"),
                corpectomy=state.get("corpectomy", "unknown"),
                fixation=state.get("fixation", "unknown"),
                laminectomy_levels=tuple(str(v.understood) for v in opened),
                fixation_levels=tuple(str(v.understood) for v in fixed),
                monitoring_events=watched[0].as_printed if watched else None,
                notes="; ".join(dict.fromkeys(v.as_printed for v in printed if v.conflict is None)) or None,
            )
        )
    return tuple(made)


def _outcome(value: CaseValue) -> Outcome:
    graded: Any = value.field
    written = value.as_printed
    pair = BOTH_SIDES.fullmatch(written)
    if value.field == "mrc" and pair is not None and value.side is not None:
        written = pair[1] if value.side == "left" else pair[2]
    number = float(value.understood or "nan") if value.field == "mrc" else None
    return Outcome(
        scale=graded,
        as_written=written[:120],
        value=number,
        choice=None if value.field == "mrc" else value.understood,
        side=value.side,
        muscle=value.muscle,
    )
