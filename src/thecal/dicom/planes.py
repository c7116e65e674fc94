"""Label maps brought onto the planes of the images that the volume was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.volume import Box, Grid, IntArray, Volume, resample


@dataclass(frozen=True, eq=False)
class PlaneMaps:
    """Label maps on the source images, cropped to one rectangle of columns and rows for all.

    Attributes
    ----------
    maps : tuple of (n, rows, columns) arrays
        Slice ``k`` lies on the plane of source image ``k``.
    first_row, first_column : int
        Where the rectangle begins in the images.
    """

    maps: tuple[npt.NDArray[Any], ...]
    first_row: int
    first_column: int


def on_source_planes(maps: Sequence[npt.NDArray[Any]], volume: Volume, box: Box) -> PlaneMaps:
    """Label maps of the volume's ``box`` on the planes of the source images.

    Where the volume is a re-ordering of the images this is one, too. Where it was resampled (gantry tilt,
    uneven or shifted slices) each image takes the nearest voxel at its own pixels; what was interpolated
    between two images lies on neither.

    Parameters
    ----------
    maps : sequence of (z, y, x) arrays
        All of the shape of ``box``.
    volume : Volume
        With ``source.images``.
    box : Box
    """
    if volume.source.resampled:
        return _sampled(maps, volume, box)
    source = volume.source
    start = [0, 0, 0]
    for k, (axis, flip) in enumerate(zip(source.axes, source.flips, strict=True)):
        start[axis] = volume.hu.shape[k] - box[k].stop if flip else box[k].start
    turn = tuple(slice(None, None, -1 if flip else None) for flip in source.flips)
    back = np.argsort(source.axes)
    placed = []
    for labels in maps:
        # As read: column, row, slice.
        as_read = np.transpose(labels[turn], back).transpose(2, 1, 0)
        whole = np.zeros((len(source.images), *as_read.shape[1:]), labels.dtype)
        whole[start[2] : start[2] + len(as_read)] = as_read
        placed.append(whole)
    return PlaneMaps(tuple(placed), start[1], start[0])


def _sampled(maps: Sequence[npt.NDArray[Any]], volume: Volume, box: Box) -> PlaneMaps:
    grid = volume.grid.crop(box)
    ends = [(-0.5, n - 0.5) for n in grid.shape]
    corners = grid.to_lps([[a, b, c] for a in ends[0] for b in ends[1] for c in ends[2]])
    images = volume.source.images
    at = np.stack([image.plane.to_index(corners) for image in images])
    columns, rows = images[0].plane.shape[:2]
    low = np.clip(np.floor(at.min(axis=(0, 1))), 0, [columns - 1, rows - 1, 0]).astype(int)
    high = np.clip(np.ceil(at.max(axis=(0, 1))) + 1, low + 1, [columns, rows, 1]).astype(int)
    column, row = int(low[0]), int(low[1])
    # A voxel of background around: the sampler takes nothing even a hair beyond the outermost centres.
    wide = Grid(
        (grid.shape[0] + 2, grid.shape[1] + 2, grid.shape[2] + 2), _moved(grid, np.array([-1, -1, -1]))
    )
    placed = []
    for labels in maps:
        padded = np.pad(labels, 1)
        out = np.zeros((len(images), int(high[1]) - row, int(high[0]) - column), labels.dtype)
        for k, image in enumerate(images):
            # The images' (column, row, normal) as (normal, row, column), the order of memory.
            affine = image.plane.affine[:, [2, 1, 0, 3]].copy()
            affine[:3, 3] = image.plane.to_lps([column, row, 0])
            out[k] = resample(padded, wide, Grid((1, *out.shape[1:]), affine), order=0, fill=0)[0]
        placed.append(out)
    return PlaneMaps(tuple(placed), row, column)


def _moved(grid: Grid, by: IntArray | npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_lps(by)
    return affine
