"""Samples of an array on rays that leave the canal's curve at right angles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.working_grid import interpolate_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid


def sample_rays(
    array: npt.NDArray[Any],
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    radii_mm: FloatArray,
    *,
    order: int = 1,
) -> npt.NDArray[np.float32]:
    """Sample an array around the canal.

    Parameters
    ----------
    array : (z, y, x)
    grid : Grid
        Where the array lies.
    frame : CanalFrame
        n points.
    theta : (m,) float64
        Angles, rad.
    radii_mm : (k,) float64
    order : int
        0 nearest, 1 trilinear; outside the array the nearest voxel is taken.

    Returns
    -------
    (n, m, k) float32
    """
    to_index = np.linalg.inv(grid.affine)
    centre = frame.points @ to_index[:3, :3].T + to_index[:3, 3]
    direction = frame.outward(theta) @ to_index[:3, :3].T
    if order == 1:
        return interpolate_rays(array, centre, direction, radii_mm)
    samples = np.empty((len(centre), len(theta), len(radii_mm)), np.float32)
    for k, r in enumerate(radii_mm):
        where = (centre[:, None, :] + r * direction).transpose(2, 0, 1)
        ndimage.map_coordinates(array, where, order=order, mode="nearest", output=samples[:, :, k])
    return samples


def near_canal(grid: Grid, frame: CanalFrame, radius_mm: float) -> BoolArray:
    """Voxels in boxes that hold all within a distance of the canal's curve, (z, y, x) bool.

    The boxes follow the curve in short pieces, so that a curved spine costs no more than a straight one.
    """
    PIECE_MM = 15.0
    near = np.zeros(grid.shape, bool)
    step = max(1, round(PIECE_MM / frame.step_mm))
    for start in range(0, len(frame.points), step):
        near[grid.box_around(frame.points[start : start + step + 1], radius_mm)] = True
    return near
