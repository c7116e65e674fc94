"""From pictures to what is said: checks, levels, faults. A function of what came in, and of nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Level, Reading
from thecal.fluoro.stream.canal import canal_leaks, why_of
from thecal.fluoro.stream.events import (
    End,
    Event,
    FaultBegins,
    FaultEnds,
    LevelChange,
    PassedOver,
    PictureRead,
    figures,
)
from thecal.fluoro.stream.watchdog import Fault, FaultKind, Watchdog

LOST_AFTER_S: Final = 0.9
"""So long without a picture that could be read, and the watch is lost; 0.1 s is left to say it."""
CLOCK_DIGITS: Final = 4


@dataclass(frozen=True, eq=False)
class Shown:
    """What a screen shows at a moment.

    Attributes
    ----------
    level : Level
    why : str
    at_s : float
    frame : Frame or None
        The last picture that was read, or could not be; ``reading`` is its own where the numbers agree.
    reading : Reading or None
        The last reading.
    faults : tuple of str
        What is wrong now.
    passed_over : int
    canal : bool
        Whether a leak on the canal's side was said since the level became ``leak``.
    """

    level: Level
    why: str
    at_s: float
    frame: Frame | None
    reading: Reading | None
    faults: tuple[str, ...]
    passed_over: int
    canal: bool = False


class Watch:
    """One injection that is watched.

    Each method takes the time ``at_s`` since the watch began, and returns what is to be said. What was said
    depends on the calls, their order and their times alone, so that a recording of the calls can be replayed.

    Parameters
    ----------
    every_frame : bool
        Whether each reading is said, not only changes of level.
    """

    def __init__(self, *, every_frame: bool = False) -> None:
        self._dog = Watchdog()
        self._every_frame = every_frame
        self._level: Level | None = None
        self._why = ""
        self._leaks: set[str] = set()
        self._also: set[Level] = set()
        self._reading: Reading | None = None
        self._frame: Frame | None = None
        self._waiting: Frame | None = None
        self._fresh_s: float | None = None
        self._arrived: dict[int, float] = {}
        self._fault: Fault | None = None
        self._with_fault = 0
        self._source_lost: str | None = None
        self._came, self._read, self._passed = 0, 0, 0

    def begin(self) -> list[Event]:
        """Nothing has been seen yet, and that is said."""
        return self._say("lost", "No picture has been read yet", None, 0.0)

    def offer(self, frame: Frame, at_s: float) -> tuple[Frame | None, list[Event]]:
        """A picture came; it is returned where it is to be read, with its number and time set right."""
        self._came += 1
        said: list[Event] = []
        if self._source_lost is not None:
            said += self._source_is_back(at_s)
        seen = self._dog.look(frame)
        # Whether the picture model works again is known when it has read this one.
        if seen.fault is not None or self._fault is None or self._fault.kind != "model":
            said += self._faults(seen.fault, seen.frame.number, at_s)
        if seen.fault is not None and not seen.fault.usable:
            self._frame = seen.frame
            return None, said + self.tick(at_s)
        self._arrived = {seen.frame.number: at_s}
        self._waiting = seen.frame
        return seen.frame, said

    def told(self, reading: Reading, at_s: float) -> list[Event]:
        """A picture was read."""
        self._read += 1
        self._reading = reading
        self._frame = self._waiting
        self._fresh_s = self._arrived.pop(reading.number, at_s)
        said: list[Event] = []
        if self._fault is not None and self._fault.kind == "model":
            said += self._faults(None, reading.number, at_s)
        if self._every_frame:
            said.append(
                PictureRead(at_s=_clock(at_s), level=reading.level, why=reading.why, **figures(reading))
            )
        if at_s >= self._fresh_s + LOST_AFTER_S:
            return said + self.tick(at_s)
        if self._source_lost is None:
            said += self._say(reading.level, why_of(reading), reading, at_s)
        return said

    def not_told(self, error: str, number: int, at_s: float) -> list[Event]:
        """The picture model broke on a picture; the watch goes on."""
        self._arrived.pop(number, None)
        self._frame = self._waiting
        return self._faults(Fault("model", error), number, at_s) + self.tick(at_s)

    def source_lost(self, text: str, at_s: float) -> list[Event]:
        """The source says that it has no pictures any more."""
        if self._source_lost is not None:
            return []
        self._source_lost = text
        lost: list[Event] = [FaultBegins(at_s=_clock(at_s), kind="source_lost", text=text, picture=None)]
        return lost + self._say("lost", f"The source is lost: {text}", None, at_s)

    def unreadable(self, text: str, at_s: float) -> list[Event]:
        """Something came that is no picture."""
        return self._faults(Fault("unreadable", text), None, at_s) + self.tick(at_s)

    def noted(self, kind: FaultKind, text: str, at_s: float) -> list[Event]:
        """Something beside the pictures failed."""
        return [FaultBegins(at_s=_clock(at_s), kind=kind, text=text, picture=None)]

    def passed_over(self, pictures: int, at_s: float) -> list[Event]:
        """Newer pictures overtook so many before they were read."""
        self._passed += pictures
        return [PassedOver(at_s=_clock(at_s), pictures=pictures, in_all=self._passed)]

    def tick(self, at_s: float) -> list[Event]:
        """Time has passed; says ``lost`` where nothing could be read for ``LOST_AFTER_S``."""
        due = self.next_tick_s()
        if due is None or at_s < due:
            return []
        if self._fault is not None:
            why = f"For {LOST_AFTER_S:.1f} s no picture could be read: {self._fault.text}"
        elif self._arrived:
            why = f"Reading a picture takes longer than {LOST_AFTER_S:.1f} s"
        else:
            why = f"No picture has come for {LOST_AFTER_S:.1f} s"
        return self._say("lost", why, None, at_s)

    def next_tick_s(self) -> float | None:
        """When `tick` would say ``lost`` if nothing came before; None where it has nothing to say."""
        if self._fresh_s is None or self._level == "lost":
            return None
        return self._fresh_s + LOST_AFTER_S

    def end(self, why: str, at_s: float) -> list[Event]:
        """The last thing that is said."""
        return [
            End(at_s=_clock(at_s), why=why, pictures=self._came, read=self._read, passed_over=self._passed)
        ]

    def shown(self, at_s: float) -> Shown:
        """What a screen shows now."""
        why, frame = self._why, self._frame
        if self._reading is None and self._arrived:
            why, frame = "The first picture is being read", self._waiting
        faults = [self._fault.text] if self._fault is not None else []
        if self._source_lost is not None:
            faults.append(self._source_lost)
        return Shown(
            self._level or "lost",
            why,
            at_s,
            frame,
            self._reading,
            tuple(faults),
            self._passed,
            bool(canal_leaks(self._leaks)),
        )

    def _source_is_back(self, at_s: float) -> list[Event]:
        self._source_lost = None
        self._dog.source_back()
        return [FaultEnds(at_s=_clock(at_s), kind="source_lost", pictures=0)]

    def _faults(self, fault: Fault | None, number: int | None, at_s: float) -> list[Event]:
        """What begins and what ends with this picture."""
        said: list[Event] = []
        if self._fault is not None and (fault is None or fault.kind != self._fault.kind):
            said.append(FaultEnds(at_s=_clock(at_s), kind=self._fault.kind, pictures=self._with_fault))
            self._fault, self._with_fault = None, 0
        if fault is None:
            return said
        if self._fault is None:
            begins = FaultBegins(at_s=_clock(at_s), kind=fault.kind, text=fault.text, picture=number)
            said.append(begins)
        # Missing pictures are a matter of one moment.
        if fault.kind != "missing":
            self._fault = fault
            self._with_fault += 1
        return said

    def _say(self, level: Level, why: str, reading: Reading | None, at_s: float) -> list[Event]:
        leaks: set[str] = set() if reading is None or level != "leak" else set(reading.leaks)
        also: set[Level] = set() if reading is None else set(reading.also)
        # A leak that comes and goes from picture to picture is said once; the model holds a level beside.
        same = level == self._level
        more = bool(leaks - self._leaks or also - self._also)
        held = bool(canal_leaks(self._leaks)) and not canal_leaks(leaks)
        self._leaks, self._also = (self._leaks | leaks if same else leaks), also
        if same and not more:
            self._why = self._why if held else why
            return []
        self._why = why
        was, self._level = self._level, level
        values: dict[str, Any] = figures(reading)
        return [LevelChange(at_s=_clock(at_s), level=level, was=was, why=why, **values)]


def _clock(at_s: float) -> float:
    return round(at_s, CLOCK_DIGITS)
