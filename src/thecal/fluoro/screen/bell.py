"""The terminal's bell: once for each level but ``ok``, and for what is added to one."""

from __future__ import annotations

from contextlib import suppress
from typing import TextIO

from thecal.fluoro.stream.events import Event
from thecal.fluoro.stream.watch import Shown


class Bell:
    """Rings.

    Parameters
    ----------
    terminal : TextIO
    """

    def __init__(self, terminal: TextIO) -> None:
        self._terminal = terminal

    def say(self, event: Event) -> None:
        """Ring for an alarm."""
        if event.event == "level" and event.level != "ok" and event.was is not None:
            with suppress(OSError, ValueError):
                self._terminal.write("\a")
                self._terminal.flush()

    def show(self, shown: Shown) -> None:
        """Nothing: a bell has no picture."""
