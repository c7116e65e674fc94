"""Between a live source and the picture model: the newest picture wins."""

from __future__ import annotations

import threading
from typing import Final

from thecal.fluoro.frame import Frame
from thecal.fluoro.sources.arrival import Arrival

MOST: Final = 32
"""Arrivals that wait at most; of a source that fails faster than that, the newest failures."""


class Mailbox:
    """Holds what came and was not yet taken: of pictures in a row the newest alone, of failures each."""

    def __init__(self) -> None:
        self._waiting: list[Arrival] = []
        self._passed = 0
        self._closed = False
        self._changed = threading.Condition()

    def put(self, arrival: Arrival) -> None:
        """Never waits."""
        with self._changed:
            newest = self._waiting[-1] if self._waiting else None
            if isinstance(arrival, Frame) and isinstance(newest, Frame):
                self._waiting[-1] = arrival
                self._passed += 1
            else:
                self._waiting.append(arrival)
                del self._waiting[:-MOST]
            self._changed.notify()

    def close(self) -> None:
        """Nothing more will come."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def take(self, timeout_s: float) -> tuple[Arrival | None, int]:
        """The oldest arrival and how many pictures were passed over; None where nothing came in time.

        Raises
        ------
        EOFError
            Where the mailbox is empty and closed.
        """
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(timeout_s)
            passed, self._passed = self._passed, 0
            if self._waiting:
                return self._waiting.pop(0), passed
            if self._closed:
                raise EOFError
            return None, passed
