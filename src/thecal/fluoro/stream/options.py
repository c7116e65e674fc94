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
        How the C-arm stands; goes before angles of the source that say otherwise.
    every_frame : bool
        Whether each reading is said.
    sid_mm, sod_mm, pitch_mm : float or None
        Source to detector, source to patient, pixel pitch at the detector; go before the source's.
    clock : str
        What the cement clock was set to, in words; empty without one.
    mixing : (str, float, float) or None
        The cement, degrees C of the room, and s since mixing began when the watch began.
    primary_deg, secondary_deg : float or None
        Positioner angles; go before the source's and before ``view``.
    flip : bool or None
        Whether the pictures are mirrored left to right; None where nobody says so.
    at : (float, float) or None
        (row, column) of the middle of the body on the first picture; None where it is the picture's middle.
    walls : (float, float, float, float) or None
        Row and column of the middle of the body's posterior wall, then of its anterior wall, on a lateral
        picture: where the body lies and how it is turned.
    tip : "behind", "past" or None
        Where the lateral view has shown the needle's tip against the posterior wall of the body: still behind
        it, or past it; None where nobody says so. On AP views the tip is held against the pedicle by it.
    needle : "one", "left", "right", "both" or None
        Which of the planned needles are put in; None where nobody says so, and any of them may be.
    supine : bool
        Whether she lies on her back: on an AP view that nobody measured the detector is then in front of her.
    """

    posterior: Literal["third", "quarter"] = "third"
    view: Literal["lateral", "ap"] | None = None
    every_frame: bool = False
    sid_mm: float | None = None
    sod_mm: float | None = None
    pitch_mm: float | None = None
    clock: str = ""
    mixing: tuple[str, float, float] | None = None
    primary_deg: float | None = None
    secondary_deg: float | None = None
    flip: bool | None = None
    at: tuple[float, float] | None = None
    walls: tuple[float, float, float, float] | None = None
    tip: Literal["behind", "past"] | None = None
    needle: Literal["one", "left", "right", "both"] | None = None
    supine: bool = False
