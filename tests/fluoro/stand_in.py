"""A scene for the stream: an injection in drawn pictures, a source that fails by script, a simple model."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Level, Outline, Reading
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry
from thecal.fluoro.stream.events import Event
from thecal.fluoro.stream.watch import Shown
from thecal.fluoro.target import Needle, Target
from thecal.frames import VertebraFrame
from thecal.volume import Grid

RATE_HZ = 7.5
SIZE = 96
BODY = slice(20, 76)
"""Columns of the body, anterior first; cement begins at column 30 and moves to the back."""


def picture(number: int, *, grown: float | None = None, seed: int = 0, dtype: Any = np.uint16) -> np.ndarray:
    """A picture with noise: soft tissue, a body, and cement of ``grown`` columns."""
    rng = np.random.default_rng((seed, number))
    pixels = np.full((SIZE, SIZE), 2600.0) + np.linspace(0.0, 500.0, SIZE)[:, None]
    pixels[30:66, BODY] -= 900.0
    columns = int(number if grown is None else grown)
    if columns > 0:
        pixels[42:54, 30 : min(30 + columns, SIZE)] = 500.0
    pixels += rng.normal(0.0, 25.0, pixels.shape)
    pixels = np.clip(np.rint(pixels), 0, 4095)
    return (pixels if dtype == np.uint16 else pixels / 16.0).astype(dtype)


def frames(count: int, *, start: int = 0, rate_hz: float = RATE_HZ, **options: Any) -> list[Frame]:
    """Pictures one after the other."""
    return [Frame(n, n / rate_hz, picture(n, **options)) for n in range(start, start + count)]


class ColumnModel:
    """Finds the hindmost dark column; its answer depends on the picture before too, as a real one's does."""

    def __init__(self, slow_s: float = 0.0) -> None:
        self.seen: list[int] = []
        self._before = 0.0
        self._slow_s = slow_s

    def see(self, frame: Frame) -> Reading:
        self.seen.append(frame.number)
        if self._slow_s:
            time.sleep(self._slow_s)
        scale = 1.0 if frame.pixels.dtype == np.uint16 else 16.0
        dark = frame.pixels[42:54].mean(axis=0) * scale < 1000.0
        columns = np.flatnonzero(dark)
        area, grown = float(dark.sum()), float(dark.sum()) - self._before
        self._before = area
        front = 1.0 - (columns.max() - BODY.start) / (BODY.stop - BODY.start) if len(columns) else None
        level: Level = "ok"
        if front is not None:
            level = "leak" if front < 0 else "stop" if front < 1 / 3 else "near" if front < 0.5 else "ok"
        outline = Outline("body", np.array([[30.0, 20], [30, 76], [66, 76], [66, 20]]), closed=True)
        wall = Outline("posterior wall", np.array([[30.0, 76], [66, 76]]))
        mask = np.zeros(frame.pixels.shape, bool)
        mask[42:54, columns] = True
        return Reading(
            frame.number,
            frame.time_s,
            level,
            f"The front stands at column {columns.max() if len(columns) else 0}",
            "lateral",
            front,
            None if front is None else 30.0 * front,
            area,
            grown * RATE_HZ,
            ("behind the posterior wall",) if level == "leak" else (),
            0.4,
            (outline, wall),
            mask,
        )


class Scripted:
    """A source that gives what it is told to: pictures, failures, and waits in seconds."""

    geometry: SourceGeometry | None = None
    states_times = True

    def __init__(self, script: Iterable[Arrival | float], *, live: bool) -> None:
        self.name, self.live = "script", live
        self._script, self._stopped = script, threading.Event()

    def arrivals(self) -> Iterator[Arrival]:
        for item in self._script:
            if self._stopped.is_set():
                return
            if isinstance(item, float):
                self._stopped.wait(item)
            else:
                yield item

    def stop(self) -> None:
        self._stopped.set()


class Heard:
    """Keeps what was said, and when by the clock on the wall."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.wall_s: list[float] = []
        self.shown: Shown | None = None

    def say(self, event: Event) -> None:
        self.events.append(event)
        self.wall_s.append(time.monotonic())

    def show(self, shown: Shown) -> None:
        self.shown = shown

    def levels(self) -> list[str]:
        return [event.level for event in self.events if event.event == "level"]

    def faults(self) -> list[str]:
        return [event.kind for event in self.events if event.event == "fault"]


def toy_target(level: str = "T12") -> Target:
    """A box of bone for a vertebra."""
    labels = np.zeros((12, 16, 14), np.uint16)
    labels[3:9, 4:12, 3:11] = 19
    parts = np.where(labels > 0, 1, 0).astype(np.uint8)
    hu = np.where(labels > 0, 300, 40).astype(np.int16)
    affine = np.array([[0, 0, 1.0, -7], [0, 1.0, 0, -8], [2.0, 0, 0, -12], [0, 0, 0, 1]])
    frame = VertebraFrame.from_axes((0.0, 4.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    needle = Needle("left", (20.0, 60.0, 5.0), (2.0, -2.0, 0.0), 3.0)
    return Target(level, 19, frame, 8.0, hu, labels, parts, Grid(labels.shape, affine), (needle,))
