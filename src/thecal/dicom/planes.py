"""Label maps brought onto the planes of the images that the volume was read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.volume import Box, FloatArray, Grid, Volume, resample

# Below this a lattice's offset is rounding.
_LATTICE_EPS = 1e-4


@dataclass(frozen=True, eq=False)
class PlaneMaps:
    """Label maps on the planes of the source images, cropped to one size for all.

    Attributes
    ----------
    maps : tuple of (n, rows, columns) arrays
        Slice ``k`` lies on the plane of source image ``k``.
    corners : (n, 3) float64
        Centre of the first voxel of each slice, LPS mm.
    on_pixels : bool
        Whether voxels are pixels of the images; then ``first_row`` and ``first_column`` are where the
        rectangle begins in each of them.
    first_row, first_column : int
    """

    maps: tuple[npt.NDArray[Any], ...]
    corners: FloatArray
    on_pixels: bool = True
    first_row: int = 0
    first_column: int = 0


def on_source_planes(
    maps: Sequence[npt.NDArray[Any]], volume: Volume, box: Box, *, on_pixels: bool = False
) -> PlaneMaps:
    """Label maps of the volume's ``box`` on the planes of the source images.

    Where the volume is a re-ordering of the images this is one, too. Where it was resampled (gantry tilt,
    uneven or shifted slices) each slice keeps to the plane of its image; what was interpolated between two
    images lies on neither.

    Parameters
    ----------
    maps : sequence of (z, y, x) arrays
        All of the shape of ``box``.
    volume : Volume
        With ``source.images``.
    box : Box
    on_pixels : bool
        For a resampled volume: take the pixels of each image, so that the stack is as sheared as the images.
        Else voxels stand straight over each other, as in the volume, and a reader that knows no sheared
        stacks puts them right.
    """
    if volume.source.resampled:
        frames, row, column = _pixel_frames(volume, box) if on_pixels else _straight_frames(volume, box)
        corners = np.stack([frame.affine[:3, 3] for frame in frames])
        sampled = tuple(_sampled(labels, volume.grid.crop(box), frames) for labels in maps)
        return PlaneMaps(sampled, corners, on_pixels, row, column)
    source = volume.source
    start = [0, 0, 0]
    for k, (axis, flip) in enumerate(zip(source.axes, source.flips, strict=True)):
        start[axis] = volume.hu.shape[k] - box[k].stop if flip else box[k].start
    turn = tuple(slice(None, None, -1 if flip else None) for flip in source.flips)
    placed = []
    for labels in maps:
        # As read: column, row, slice.
        as_read = np.transpose(labels[turn], np.argsort(source.axes)).transpose(2, 1, 0)
        whole = np.zeros((len(source.images), *as_read.shape[1:]), labels.dtype)
        whole[start[2] : start[2] + len(as_read)] = as_read
        placed.append(whole)
    corners = np.stack([image.plane.to_lps([start[0], start[1], 0]) for image in source.images])
    return PlaneMaps(tuple(placed), corners, True, start[1], start[0])


def _pixel_frames(volume: Volume, box: Box) -> tuple[list[Grid], int, int]:
    """One rectangle of pixels of all images that holds the box."""
    planes = [image.plane for image in volume.source.images]
    corners = _corners(volume.grid.crop(box))
    at = np.stack([plane.to_index(corners)[:, :2] for plane in planes])
    size = np.array(planes[0].shape[:2])
    low = np.clip(np.floor(at.min(axis=(0, 1))), 0, size - 1).astype(int)
    high = np.clip(np.ceil(at.max(axis=(0, 1))) + 1, low + 1, size).astype(int)
    shape = (int(high[0] - low[0]), int(high[1] - low[1]), 1)
    column, row = int(low[0]), int(low[1])
    frames = [_moved(plane, shape, plane.to_lps([column, row, 0])) for plane in planes]
    return frames, row, column


def _straight_frames(volume: Volume, box: Box) -> tuple[list[Grid], int, int]:
    """The volume's own columns and rows on each image's plane, straight over each other."""
    first = volume.source.images[0].plane
    offset = first.to_index(volume.grid.to_lps([0, 0, 0]))[:2] % 1.0
    offset[(offset < _LATTICE_EPS) | (offset > 1 - _LATTICE_EPS)] = 0.0
    at = first.to_index(_corners(volume.grid.crop(box)))[:, :2] - offset
    low = np.floor(at.min(axis=0) + _LATTICE_EPS)
    high = np.ceil(at.max(axis=0) - _LATTICE_EPS) + 1
    shape = (int(high[0] - low[0]), int(high[1] - low[1]), 1)
    frames = []
    for image in volume.source.images:
        along = first.to_index(image.plane.affine[:3, 3])[2]
        frames.append(_moved(first, shape, first.to_lps([*(low + offset), along])))
    return frames, 0, 0


def _corners(grid: Grid) -> FloatArray:
    """The centres of a grid's eight outermost voxels, LPS mm."""
    ends = [(0, n - 1) for n in grid.shape]
    return grid.to_lps([[a, b, c] for a in ends[0] for b in ends[1] for c in ends[2]])


def _moved(plane: Grid, shape: tuple[int, int, int], origin: FloatArray) -> Grid:
    affine = plane.affine.copy()
    affine[:3, 3] = origin
    return Grid(shape, affine)


def _sampled(labels: npt.NDArray[Any], grid: Grid, frames: Sequence[Grid]) -> npt.NDArray[Any]:
    """The nearest voxel at each pixel of each frame (columns, rows, 1), as (n, rows, columns)."""
    # A voxel of background around: the sampler takes nothing even a hair beyond the outermost centres.
    n0, n1, n2 = labels.shape
    wide = _moved(grid, (n0 + 2, n1 + 2, n2 + 2), grid.to_lps([-1, -1, -1]))
    padded = np.pad(labels, 1)
    columns, rows, _ = frames[0].shape
    out = np.zeros((len(frames), rows, columns), labels.dtype)
    for k, frame in enumerate(frames):
        # (normal, row, column), the order of memory.
        turned = Grid((1, rows, columns), frame.affine[:, [2, 1, 0, 3]])
        out[k] = resample(padded, wide, turned, order=0, fill=0)[0]
    return out
