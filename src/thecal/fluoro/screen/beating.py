"""A screen kept awake while a replay pauses, as the timer of a watch keeps it awake."""

from __future__ import annotations

import threading

from thecal.fluoro.screen.web import BEAT_S, WebScreen
from thecal.fluoro.stream.events import Event
from thecal.fluoro.stream.watch import Shown


class Beating:
    """Passes everything on, and shows the last moment again and again.

    Parameters
    ----------
    screen : WebScreen
    """

    def __init__(self, screen: WebScreen) -> None:
        self._screen = screen
        self._last: Shown | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="beat", daemon=True)
        self._thread.start()

    def say(self, event: Event) -> None:
        """Pass it on."""
        self._screen.say(event)

    def show(self, shown: Shown) -> None:
        """Pass it on, and keep it."""
        self._last = shown
        self._screen.show(shown)

    def close(self) -> None:
        """Stop, and close the screen."""
        self._over.set()
        self._thread.join()
        self._screen.close()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_S):
            if self._last is not None:
                self._screen.show(self._last)
