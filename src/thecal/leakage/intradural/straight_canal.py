"""The canal with its cement, straightened: planes normal to its curve, one above the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Canal
from thecal.volume import FloatArray, Grid

FloatImage = npt.NDArray[np.float32]

STEP_MM: Final = 0.4
"""Pixels of the planes: half the pixel of a usual scan."""
AROUND_MM: Final = 3.0
"""How far beyond the canal's wall the planes reach."""
PLANES_BEYOND_MM: Final = 6.0
"""How far above and below the cement."""


@dataclass(frozen=True, eq=False)
class StraightCanal:
    """The stretch of the canal that holds cement, on planes normal to it.

    Arrays are (k, v, u): planes caudal to cranial, pixels front to back and right to left.

    Attributes
    ----------
    rows : (k,) int
        Index of each plane into the canal's curve.
    plane_mm, step_mm : float
        Between planes, between pixels.
    u_mm, v_mm : (n,), (m,) float64
        Left of and behind the curve.
    theta, r : (v, u) float32
        Angle from anterior (left positive) and distance from the curve, rad and mm.
    wall, sac : (k, v, u) float32
        Radius of the canal's wall and of the sac's outline in each pixel's direction, mm.
    canal_cement : (k, v, u) float32
        Share of cement given to the canal.
    sac_cement : (k, v, u) float32
        The part of it given to the thecal sac.
    any_cement : (k, v, u) float32
        All cement, that in bone and disc as well.
    hu : (k, v, u) float32
    """

    rows: npt.NDArray[np.intp]
    plane_mm: float
    step_mm: float
    u_mm: FloatArray
    v_mm: FloatArray
    theta: FloatImage
    r: FloatImage
    wall: FloatImage
    sac: FloatImage
    canal_cement: FloatImage
    sac_cement: FloatImage
    any_cement: FloatImage
    hu: FloatImage

    def rays(self, count: int, step_mm: float) -> Rays:
        """Rays from the curve to the edge of the planes, evenly round it."""
        theta = -np.pi + (np.arange(count) + 0.5) * 2 * np.pi / count
        r = np.arange(0.0, float(self.v_mm[-1]), step_mm)
        return Rays(theta, r, *self.pixel_at(theta[:, None], r))

    def pixel_at(self, theta: FloatArray, r_mm: FloatArray | float) -> tuple[FloatArray, FloatArray]:
        """Where on a plane (v, u), in pixels, a direction and a distance from the curve lie."""
        centre, r = -self.v_mm[0] / self.step_mm, np.asarray(r_mm) / self.step_mm
        return centre - np.cos(theta) * r, centre + np.sin(theta) * r


@dataclass(frozen=True, eq=False)
class Rays:
    """Rays from the curve of the canal outward.

    Attributes
    ----------
    theta : (a,) float64
        Angle from anterior, left positive, rad.
    r_mm : (n,) float64
        Distances of the samples from the curve.
    v, u : (a, n) float64
        The samples' pixels on a plane.
    """

    theta: FloatArray
    r_mm: FloatArray
    v: FloatArray
    u: FloatArray


def straighten(
    canal: Canal,
    grid: Grid,
    hu: npt.NDArray[np.int16],
    fraction: FloatImage,
    in_canal: npt.NDArray[np.bool_],
    in_sac: npt.NDArray[np.bool_],
) -> StraightCanal | None:
    """The planes that hold canal cement and a few beyond, or None where there is none.

    Parameters
    ----------
    canal : Canal
    grid : Grid
        Of the arrays.
    hu : (z, y, x) int16
    fraction : (z, y, x) float32
        Share of cement.
    in_canal, in_sac : (z, y, x) bool
        Cement given to the canal, and that of it given to the sac.
    """
    voxels = np.argwhere(in_canal)
    frame = canal.frame
    if not len(voxels):
        return None
    at = frame.index(frame.locate(grid.to_lps(voxels))[0])
    beyond = round(PLANES_BEYOND_MM / frame.step_mm)
    rows = np.arange(max(0, at.min() - beyond), min(len(frame.s_mm), at.max() + beyond + 1))
    reach = float(canal.wall_mm[rows].max()) + AROUND_MM
    half = int(np.ceil(reach / STEP_MM))
    axis = np.arange(-half, half + 1).astype(np.float64) * STEP_MM
    v, u = np.meshgrid(axis, axis, indexing="ij")
    theta, r = np.arctan2(u, -v), np.hypot(u, v)
    points = (
        frame.points[rows][:, None, None, :]
        + u[None, :, :, None] * frame.left[rows][:, None, None, :]
        + v[None, :, :, None] * frame.posterior[rows][:, None, None, :]
    )
    index = np.moveaxis(grid.to_index(points), -1, 0)
    # Only the box that the planes pass is turned into floating point.
    low = np.maximum(np.floor(index.reshape(3, -1).min(1)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(index.reshape(3, -1).max(1)).astype(int) + 2, grid.shape)
    near = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    index -= low[:, None, None, None]

    def sampled(array: npt.NDArray[Any], outside: float) -> FloatImage:
        image: FloatImage = ndimage.map_coordinates(
            array[near].astype(np.float32), index, order=1, mode="constant", cval=outside, output=np.float32
        )
        return image

    return StraightCanal(
        rows.astype(np.intp),
        frame.step_mm,
        STEP_MM,
        axis,
        axis,
        theta.astype(np.float32),
        r.astype(np.float32),
        _radius(canal.theta, canal.wall_mm[rows], theta),
        _radius(canal.theta, canal.sac_mm[rows], theta),
        sampled(np.where(in_canal, fraction, 0), 0.0),
        sampled(np.where(in_sac, fraction, 0), 0.0),
        sampled(fraction, 0.0),
        sampled(hu, -1024.0),
    )


def _radius(theta: FloatArray, radius_mm: FloatArray, at: FloatArray) -> FloatImage:
    """Radii (k, m) at angles ``theta`` (m,), read at the angles ``at`` (v, u), as (k, v, u)."""
    around = np.concatenate([theta - 2 * np.pi, theta, theta + 2 * np.pi])
    flat = np.stack([np.interp(at.ravel(), around, np.tile(row, 3)) for row in radius_mm])
    return flat.reshape(len(radius_mm), *at.shape).astype(np.float32)
