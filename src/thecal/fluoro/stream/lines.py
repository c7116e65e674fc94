"""Events as lines, into a file and to a reader, without ever waiting for either."""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

from thecal.errors import InputError
from thecal.fluoro.stream.events import Event, to_line
from thecal.fluoro.stream.watch import Shown

NAME: Final = "events.jsonl"
LAST_WAIT_S: Final = 3.0
MOST_UNREAD: Final = 20_000
"""Lines that are kept for a reader that does not read; the file gets every line."""


class Lines:
    """Writes each event as a line of JSON and flushes it.

    A file or a reader that fails is left out from then on; one that does not read holds up nobody.

    Parameters
    ----------
    path : Path or None
    stream : TextIO or None
        Usually stdout.
    """

    def __init__(self, path: Path | None, stream: TextIO | None = None) -> None:
        self._ends: list[tuple[queue.Queue[str | None], threading.Thread]] = []
        if path is not None:
            try:
                file = path.open("w", encoding="utf-8", newline="\n")
            except OSError as error:
                raise InputError(f"{path} cannot be written: {error.strerror}") from error
            self._add(file, closes=True)
        if stream is not None:
            self._add(stream, closes=False)

    def say(self, event: Event) -> None:
        """Put one event down."""
        line = to_line(event) + "\n"
        for lines, _ in self._ends:
            with suppress(queue.Full):
                lines.put_nowait(line)

    def show(self, shown: Shown) -> None:
        """Nothing: what is shown is no event."""

    def close(self) -> None:
        """Write what waits; a reader that does not read is not waited for."""
        for lines, thread in self._ends:
            with suppress(queue.Full):
                lines.put_nowait(None)
                thread.join(LAST_WAIT_S)

    def _add(self, stream: TextIO, *, closes: bool) -> None:
        lines: queue.Queue[str | None] = queue.Queue(0 if closes else MOST_UNREAD)
        thread = threading.Thread(target=_write, args=(lines, stream, closes), name="lines", daemon=True)
        self._ends.append((lines, thread))
        thread.start()


def _write(lines: queue.Queue[str | None], stream: TextIO, closes: bool) -> None:
    works = True
    while (line := lines.get()) is not None:
        if not works:
            continue
        try:
            stream.write(line)
            stream.flush()
        except (OSError, ValueError):
            works = False
    if closes:
        try:
            stream.close()
        except OSError:
            return
