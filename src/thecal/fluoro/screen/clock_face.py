"""A cement clock as a screen shows it; who computes it stands outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ClockFace:
    """What the clock says at a moment.

    Attributes
    ----------
    since_s : float
        Since mixing began.
    phase : str
        "too fluid", "toothpaste", "too stiff", "cured", "not known".
    text : str
        One sentence.
    footing : str
        What it rests on, and how certain that is.
    """

    since_s: float
    phase: str
    text: str
    footing: str


Clock = Callable[[float], ClockFace]
"""The face at a time of the watch, s since it began."""
