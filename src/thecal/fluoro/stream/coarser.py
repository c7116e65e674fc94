"""Large pictures, read with several pixels as one: 1024 rows show no finer wall than 512."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading

ROWS: Final = 512
"""Pictures are read with about so many rows: what the picture model was measured on."""


def factor_of(shape: tuple[int, int]) -> int:
    """Pixels each way that are read as one."""
    return max(1, round(min(shape) / ROWS))


def coarser(frame: Frame, factor: int) -> Frame:
    """The picture with the mean of ``factor`` by ``factor`` pixels as one; odd edges are left out."""
    if factor == 1:
        return frame
    rows, columns = (n // factor for n in frame.pixels.shape)
    blocks = frame.pixels[: rows * factor, : columns * factor].reshape(rows, factor, columns, factor)
    total = blocks.sum(axis=(1, 3), dtype=np.uint32)
    # Of bytes the sum is kept: it holds what their mean would round away.
    small = total if frame.pixels.dtype == np.uint8 else total // np.uint32(factor * factor)
    return replace(frame, pixels=small.astype(np.uint16))


def finer(reading: Reading, factor: int, shape: tuple[int, int]) -> Reading:
    """What was drawn on the coarser picture, on the picture as it came.

    Parameters
    ----------
    reading : Reading
    factor : int
    shape : (int, int)
        Rows and columns of the picture as it came.
    """
    if factor == 1:
        return reading
    lines = tuple(replace(line, pixels=line.pixels * factor + (factor - 1) / 2) for line in reading.outlines)
    cement = None
    if reading.cement is not None:
        cement = np.zeros(shape, bool)
        large = reading.cement.repeat(factor, axis=0).repeat(factor, axis=1)
        cement[: large.shape[0], : large.shape[1]] = large
    return replace(reading, outlines=lines, cement=cement)
