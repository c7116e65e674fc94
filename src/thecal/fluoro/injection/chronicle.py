"""What is kept of a watch for its page: a few numbers of each reading, and the pictures that mattered."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from math import nan
from typing import Any, Final

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import LEVELS, Reading
from thecal.fluoro.stream.canal import canal_leaks
from thecal.fluoro.stream.events import End, Event, FaultBegins, LevelChange
from thecal.fluoro.stream.watch import Shown

MOST_EVENTS: Final = 400
"""Level changes and faults that are kept each; how many there were beyond is counted."""


@dataclass(frozen=True, eq=False)
class KeyPicture:
    """The first picture of its kind.

    Attributes
    ----------
    name : str
        "first cement", "canal leak", or a level.
    at_s : float
    why : str
    frame : Frame
    reading : Reading or None
        None where the picture could not be read.
    """

    name: str
    at_s: float
    why: str
    frame: Frame
    reading: Reading | None


class Chronicle:
    """Listens to a watch; grows by a few dozen bytes a picture.

    Attributes
    ----------
    at_s, to_wall_mm, front, area_mm2, level : array
        One entry a reading; NaN where not known; ``level`` counts in ``LEVELS``.
    changes : list of LevelChange
    faults : list of FaultBegins
    keys : dict of str to KeyPicture
    end : End or None
    beyond : int
        Changes and faults that were not kept.
    """

    def __init__(self) -> None:
        self.at_s, self.to_wall_mm, self.front = array("d"), array("d"), array("d")
        self.area_mm2, self.level = array("d"), array("b")
        self.changes: list[LevelChange] = []
        self.faults: list[FaultBegins] = []
        self.keys: dict[str, KeyPicture] = {}
        self.end: End | None = None
        self.beyond = 0
        self._last = -1
        self._wanted: list[str] = []

    def say(self, event: Event) -> None:
        """Keep what is of the page."""
        if isinstance(event, LevelChange):
            self._keep(self.changes, event)
            # The first "lost" is before the first picture.
            if event.was is not None:
                names: list[str] = [event.level, *event.also]
                if event.level == "leak" and canal_leaks(event.leaks):
                    names.append("canal leak")
                self._wanted += [name for name in names if name != "ok" and name not in self.keys]
        elif isinstance(event, FaultBegins):
            self._keep(self.faults, event)
        elif isinstance(event, End):
            self.end = event

    def show(self, shown: Shown) -> None:
        """Keep a reading's numbers, and its picture where it is the first of its kind."""
        reading, frame = shown.reading, shown.frame
        if reading is not None and reading.number != self._last:
            self._last = reading.number
            self.at_s.append(shown.at_s)
            self.to_wall_mm.append(
                nan if reading.to_posterior_wall_mm is None else reading.to_posterior_wall_mm
            )
            self.front.append(nan if reading.front is None else reading.front)
            self.area_mm2.append(nan if reading.area_mm2 is None else reading.area_mm2)
            self.level.append(LEVELS.index(reading.level))
            if frame is not None and reading.front is not None and "first cement" not in self.keys:
                self._picture("first cement", shown, frame)
        if self._wanted and frame is not None:
            for name in self._wanted:
                self._picture(name, shown, frame)
            self._wanted = []

    def _picture(self, name: str, shown: Shown, frame: Frame) -> None:
        reading = shown.reading
        own = reading if reading is not None and reading.number == frame.number else None
        self.keys[name] = KeyPicture(name, shown.at_s, shown.why, frame, own)

    def _keep(self, kept: list[Any], event: Event) -> None:
        if len(kept) < MOST_EVENTS:
            kept.append(event)
        else:
            self.beyond += 1
