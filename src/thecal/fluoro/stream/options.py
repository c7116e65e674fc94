"""What is chosen for a watch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class WatchOptions:
    """Choices that change what is said, and so belong to its recording.

    Attributes
    ----------
    posterior : "third" or "quarter"
        Which part of the body, counted from its posterior wall, cement must not reach.
    view : "lateral", "ap" or None
        How the C-arm stands where the source does not state its angles.
    every_frame : bool
        Whether each reading is said.
    sid_mm, sod_mm, pitch_mm : float or None
        Source to detector, source to patient, pixel pitch at the detector, where the source does not state
        them.
    clock : str
        What the cement clock was set to, in words; empty without one.
    """

    posterior: Literal["third", "quarter"] = "third"
    view: Literal["lateral", "ap"] | None = None
    every_frame: bool = False
    sid_mm: float | None = None
    sod_mm: float | None = None
    pitch_mm: float | None = None
    clock: str = ""
