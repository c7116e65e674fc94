"""The part of a film's or a camera's pictures that shows the fluoroscopy: the rest is the screen round it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.sources.arrival import Arrival, Source, SourceGeometry, Unreadable
from thecal.fluoro.sources.video import Stream, VideoFile

LEAST_PX: Final = 64
"""A smaller part shows no vertebra."""


@dataclass(frozen=True)
class Part:
    """First row and column, and how many, of a picture."""

    row: int
    column: int
    rows: int
    columns: int

    def __post_init__(self) -> None:
        if self.row < 0 or self.column < 0 or min(self.rows, self.columns) < LEAST_PX:
            raise InputError(
                f"--crop takes a first row and column from 0 and at least {LEAST_PX} rows and columns"
            )


class Cropped:
    """A source of which only a part is shown, recorded and read.

    Parameters
    ----------
    source : Source
    part : Part

    Raises
    ------
    InputError
        Where the source is no film, camera or stream: others hold the picture alone.
    """

    geometry: SourceGeometry | None = None

    def __init__(self, source: Source, part: Part) -> None:
        if not isinstance(source, VideoFile | Stream):
            raise InputError(
                "--crop is for a film, a camera or a stream; other sources hold the picture alone"
            )
        self._source, self._part = source, part
        self.name, self.live, self.states_times = source.name, source.live, source.states_times

    def arrivals(self) -> Iterator[Arrival]:
        """What comes, cut; a picture that does not reach so far cannot be read."""
        part = self._part
        for arrival in self._source.arrivals():
            if not isinstance(arrival, Frame):
                yield arrival
                continue
            rows, columns = arrival.pixels.shape
            if part.row + part.rows > rows or part.column + part.columns > columns:
                yield Unreadable(
                    f"A picture of {rows} x {columns} pixels does not hold the part that --crop names"
                )
                continue
            cut = arrival.pixels[part.row : part.row + part.rows, part.column : part.column + part.columns]
            yield replace(arrival, pixels=cut.copy())

    def stop(self) -> None:
        """End ``arrivals``."""
        self._source.stop()
