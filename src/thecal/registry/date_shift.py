"""A case with every date moved by the same number of days: the intervals stay, the calendar goes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeVar

from thecal.errors import InputError
from thecal.registry.case import Case, Part

Dated = TypeVar("Dated", bound=Part)


def shifted(case: Case, days: int) -> Case:
    """The case with every date ``days`` later (earlier where negative); the birth stays as it is.

    Raises
    ------
    InputError
        Where a date would leave the calendar.
    """
    if not days:
        return case
    try:
        return case.model_copy(
            update={
                "procedures": _all(case.procedures, days),
                "imaging": _all(case.imaging, days),
                "deficit": case.deficit and _one(case.deficit, days),
                "revisions": _all(case.revisions, days),
                "outcomes": _all(case.outcomes, days),
                "events": _all(case.events, days),
            }
        )
    except OverflowError as error:
        raise InputError(f"Case {case.patient.pseudonym} has a date that cannot be shifted") from error


def _all(parts: tuple[Dated, ...], days: int) -> tuple[Dated, ...]:
    return tuple(_one(part, days) for part in parts)


def _one(part: Dated, days: int) -> Dated:
    on: date | None = part.__dict__["on"]
    return part if on is None else part.model_copy(update={"on": on + timedelta(days=days)})
