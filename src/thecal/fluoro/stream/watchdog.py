"""Whether a picture can be used: what is wrong with the stream of pictures, by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.fluoro.frame import Frame

FaultKind = Literal[
    "missing",
    "repeated",
    "out_of_order",
    "wrong_size",
    "black",
    "flat",
    "saturated",
    "inverted",
    "source_lost",
    "unreadable",
    "model",
    "recording",
    "screen",
]
FLAT_SHARE: Final = 0.1
"""A picture whose greys span less than this share of the widest span so far shows nothing."""
FLAT_GREYS: Final = 2.0
"""The same for the first picture, in grey levels."""
DARK_SHARE: Final = 0.25
"""A flat picture this low in the range of greys seen before is called black."""
CLIPPED_SHARE: Final = 0.4
"""A picture is saturated where so much of its middle, where no collimator stands, is black or white."""
MIRRORED: Final = -0.8
"""Correlation with the last good picture below which the greys were turned over, not the C-arm."""
RESTART_FRAMES: Final = 3
"""So many pictures in their own order, though numbered back, are a source that began to count again."""
THUMB: Final = 32


@dataclass(frozen=True)
class Fault:
    """What is wrong.

    Attributes
    ----------
    kind : FaultKind
    text : str
        One plain sentence without a full stop.
    usable : bool
        Whether the picture may be read all the same.
    """

    kind: FaultKind
    text: str
    usable: bool = False


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture as checked: with numbers and times that only grow, and what is wrong with it."""

    frame: Frame
    fault: Fault | None


class Watchdog:
    """Looks at each picture before the picture model does.

    It keeps the last picture and a thumbnail of the last good one, and no more.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] | None = None
        self._last: Frame | None = None
        self._good: npt.NDArray[np.float64] | None = None
        self._span = 0.0
        self._greys = (0.0, 0.0)
        self._back: list[int] = []
        self._number_shift, self._time_shift = 0, 0.0
        self._step_s = 0.0

    def look(self, frame: Frame) -> Seen:
        """Check one picture as it came."""
        frame = replace(
            frame, number=frame.number + self._number_shift, time_s=frame.time_s + self._time_shift
        )
        last = self._last
        if last is not None and (frame.number < last.number or frame.time_s < last.time_s):
            frame, fault = self._behind(frame, last)
            if fault is not None:
                return Seen(frame, fault)
        self._back = []
        fault = self._fault(frame, last)
        if last is not None and frame.number > last.number:
            self._step_s = frame.time_s - last.time_s
        self._last = frame
        return Seen(frame, fault)

    def source_back(self) -> None:
        """The source was lost and counts anew: the next picture follows the last one, whatever its number."""
        self._back = [-1] * RESTART_FRAMES

    def _behind(self, frame: Frame, last: Frame) -> tuple[Frame, Fault | None]:
        """A picture numbered or timed before the last one: late, or the first of a new count."""
        if self._back and frame.number <= self._back[-1]:
            self._back = []
        self._back.append(frame.number)
        if len(self._back) <= RESTART_FRAMES:
            return frame, Fault("out_of_order", f"picture {frame.number} came after picture {last.number}")
        by_number = last.number + 1 - frame.number
        by_time = last.time_s + self._step_s - frame.time_s
        self._number_shift += by_number
        self._time_shift += by_time
        return replace(frame, number=frame.number + by_number, time_s=frame.time_s + by_time), None

    def _fault(self, frame: Frame, last: Frame | None) -> Fault | None:
        pixels = frame.pixels
        if pixels.ndim != 2:
            return Fault("wrong_size", "the picture has colours or no rows")
        if self._shape is None:
            self._shape = pixels.shape
        if pixels.shape != self._shape:
            return Fault(
                "wrong_size", f"the picture has {_size(pixels.shape)} pixels, not {_size(self._shape)}"
            )
        if last is not None and frame.number == last.number:
            return Fault("repeated", f"picture {frame.number} came again")
        fault = self._grey_fault(pixels)
        if fault is None and last is not None and np.array_equal(pixels, last.pixels):
            return Fault("repeated", "the picture stands still")
        if fault is None and last is not None and frame.number > last.number + 1:
            lost = frame.number - last.number - 1
            fault = Fault("missing", f"{lost} picture{'s are' if lost > 1 else ' is'} missing", usable=True)
        return fault

    def _grey_fault(self, pixels: npt.NDArray[Any]) -> Fault | None:
        low, high = np.percentile(pixels[::4, ::4], (1.0, 99.0))
        if high - low <= max(FLAT_GREYS, FLAT_SHARE * self._span):
            dark = self._greys[0] + DARK_SHARE * (self._greys[1] - self._greys[0])
            black = low <= dark if self._span else low <= FLAT_GREYS
            return (
                Fault("black", "the picture is black")
                if black
                else Fault("flat", "the picture is of one grey")
            )
        rows, columns = pixels.shape
        middle = pixels[rows // 4 : rows - rows // 4, columns // 4 : columns - columns // 4]
        clipped = np.mean((middle == pixels.max()) | (middle == pixels.min()))
        if clipped > CLIPPED_SHARE:
            return Fault("saturated", "most of the picture is black or white")
        thumb = _thumb(pixels)
        if self._good is not None and _correlation(thumb, self._good) < MIRRORED:
            return Fault("inverted", "black and white are turned over")
        self._good = thumb
        self._span = max(self._span, float(high - low))
        self._greys = (min(self._greys[0], float(low)), max(self._greys[1], float(high)))
        return None


def _thumb(pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Means of blocks, at most ``THUMB`` a side."""
    rows, columns = (max(n // THUMB, 1) for n in pixels.shape)
    high, wide = pixels.shape[0] // rows, pixels.shape[1] // columns
    blocks = pixels[: high * rows, : wide * columns].reshape(high, rows, wide, columns)
    means: npt.NDArray[np.float64] = blocks.mean(axis=(1, 3), dtype=np.float64)
    return means


def _correlation(first: npt.NDArray[np.float64], second: npt.NDArray[np.float64]) -> float:
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size else 0.0


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
