"""Which leaks lie on the canal's side, and how an alarm is worded that holds more than one thing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from thecal.fluoro.reading import Reading

CANAL_LEAKS: Final = ("behind the posterior wall", "over the foramen")
"""Leaks towards the cord and the roots: they rank above all others."""


def canal_leaks(leaks: Iterable[str]) -> tuple[str, ...]:
    """Those of the leaks that lie on the canal's side."""
    found = set(leaks)
    return tuple(name for name in CANAL_LEAKS if name in found)


def why_of(reading: Reading) -> str:
    """The reading's reason, a leak on the canal's side first, and the other levels that hold.

    Parameters
    ----------
    reading : Reading
    """
    why = reading.why
    canal = canal_leaks(reading.leaks)
    if reading.level == "leak" and canal:
        others = [name for name in reading.leaks if name not in canal]
        beside = f"; also: {', '.join(others)}" if others else ""
        why = f"Cement on the canal's side: {', '.join(canal)}{beside}."
    # "near" is part of "stop".
    beside_level = next((level for level in ("stop", "near") if level in reading.also), None)
    if reading.level == "leak" and beside_level is not None:
        why = f"{why.rstrip('.')}. {beside_level.upper()} holds too."
    return why
