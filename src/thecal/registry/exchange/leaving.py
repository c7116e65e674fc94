"""What may leave the registry: the one door that every export goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from thecal.registry.case import Case
from thecal.registry.date_shift import shifted
from thecal.registry.exchange.fields import LISTS, SINGLE, fields_of
from thecal.registry.hidden import FREE_TEXT, UIDS


def leaving(
    cases: Iterable[Case],
    shift_days: Callable[[Case], int],
    *,
    identified: bool = False,
    notes: bool = False,
) -> Iterator[Case]:
    """The cases as they may leave.

    Parameters
    ----------
    cases : iterable of Case
    shift_days : callable
        By how many days a case's dates are moved: the registry's own secret offset (`Store.shift_days`).
    identified : bool
        Names, dates and the images' UIDs leave as they are.
    notes : bool
        Free text leaves too, which may hold a name.

    Yields
    ------
    Case
        Withdrawn cases never. Without ``identified`` there is no name, no birth, no UID, and every date is
        shifted; without ``notes`` or ``identified`` there is no free text.
    """
    for case in cases:
        if case.withdrawn:
            continue
        if identified:
            yield case
            continue
        bare = _without(case, notes=notes)
        yield shifted(bare, shift_days(case))


def _without(case: Case, *, notes: bool) -> Case:
    out: dict[str, Any] = {}
    for part in (*SINGLE, *LISTS):
        gone = {name: None for name in fields_of(part) if name in _gone(part, notes)}
        value = getattr(case, part)
        if not gone or not value:
            continue
        if isinstance(value, tuple):
            out[part] = tuple(each.model_copy(update=gone) for each in value)
        else:
            out[part] = value.model_copy(update=gone)
    return case.model_copy(update=out)


def _gone(part: str, notes: bool) -> tuple[str, ...]:
    names = {"patient": ("name", "born"), "imaging": UIDS}.get(part, ())
    return names if notes else (*names, *FREE_TEXT)
