"""Levels of alarm: up at once, down only after a while."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from thecal.fluoro.front.find_front import Front
from thecal.fluoro.front.medial_line import NeedleMedial
from thecal.fluoro.reading import LEVELS, Level

Posterior = Literal["third", "quarter"]
STOP_AT: Final[dict[Posterior, float]] = {"third": 1.0 / 3.0, "quarter": 0.25}
"""Depth of the body at which injection stops: its posterior third, or quarter."""
NEAR_AHEAD: Final = 1.0 / 12.0
"""``near`` is said so much of the depth ahead of that: the end of the middle third."""
DOWN_S: Final = 1.5
"""A level is left for a lower one when it was not seen for so long."""


@dataclass(frozen=True)
class Alarm:
    """What is said: the level, and the others that hold beside it."""

    level: Level
    why: str
    also: tuple[Level, ...] = ()


class Alarms:
    """Keeps the level."""

    def __init__(self, posterior: Posterior) -> None:
        self._posterior: Posterior = posterior
        self._seen_s: dict[Level, float] = {}
        self._needle: NeedleMedial | None = None
        self._last: Level = "ok"
        self._before: Level = "ok"
        self._cement = False

    def begin_anew(self) -> None:
        """A new baseline is taken: what was said holds on, for the cement of before is not seen any more.

        With cement in, it is never less than ``near``: from then on the front is not where it seems.
        """
        least: Level = "near" if self._cement else "ok"
        self._before = max(self._before, self._last, least, key=LEVELS.index)
        self._seen_s.clear()

    def say(
        self, time_s: float, front: Front | None, leaks: tuple[str, ...], needle: NeedleMedial | None = None
    ) -> Alarm:
        """The alarm of a picture on which the vertebra was seen; never less than on an older baseline.

        Parameters
        ----------
        time_s : float
        front : Front or None
        leaks : tuple of str
        needle : NeedleMedial, optional
            A needle whose tip is medial of the pedicle on an AP view.
        """
        self._cement |= front is not None or bool(leaks)
        now = self._now(time_s, front, leaks, needle)
        self._last = now.level
        if LEVELS.index(now.level) >= LEVELS.index(self._before):
            return now
        why = f"{self._before.capitalize()} holds since the vertebra was lost: cement already in is not seen."
        return Alarm(self._before, f"{why} {now.why}", (now.level, *now.also))

    def _now(
        self, time_s: float, front: Front | None, leaks: tuple[str, ...], needle: NeedleMedial | None
    ) -> Alarm:
        """The alarm of the cement that is seen against this baseline."""
        self._needle = needle
        if needle is not None and needle.level != "lost":
            self._seen_s[needle.level] = time_s
        if leaks:
            self._seen_s["leak"] = time_s
        if front is not None and front.share <= STOP_AT[self._posterior]:
            self._seen_s["stop"] = time_s
        if front is not None and front.share <= STOP_AT[self._posterior] + NEAR_AHEAD:
            self._seen_s["near"] = time_s
        held: list[Level] = [
            level
            for level in LEVELS[:0:-1]
            if level in self._seen_s and time_s - self._seen_s[level] <= DOWN_S
        ]
        if not held:
            return Alarm("ok", _where(front))
        return Alarm(held[0], self._why(held[0], front, leaks), tuple(held[1:]))

    def _why(self, level: Level, front: Front | None, leaks: tuple[str, ...]) -> str:
        if level == "leak":
            return (
                f"Cement outside the body: {', '.join(leaks)}."
                if leaks
                else "Cement was seen outside the body."
            )
        if self._needle is not None and level == self._needle.level:
            return self._needle.why
        said = "has reached" if level == "stop" else "nears"
        if front is None:
            said = "had reached" if level == "stop" else "was near"
        where = "" if front is None else f" {_where(front)}"
        return f"Cement {said} the posterior {self._posterior}.{where}"


def _where(front: Front | None) -> str:
    if front is None:
        return "No new cement is seen in the body."
    return f"The front is {front.to_posterior_wall_mm:.0f} mm from the posterior wall."
