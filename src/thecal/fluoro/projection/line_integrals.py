"""Integrals of a volume along the rays from the source to each pixel."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.fluoro.projection.view import View
from thecal.volume import Grid

FloatImage = npt.NDArray[np.float32]
STEP_SHARE: Final = 0.75
"""Step of the march as a share of the smallest voxel spacing."""


def line_integrals(
    values: npt.NDArray[Any], grid: Grid, view: View, *, step_mm: float | None = None
) -> FloatImage:
    """Trilinear marching along each ray.

    Parameters
    ----------
    values : (z, y, x) array
        On ``grid``; nothing lies outside it.
    grid : Grid
    view : View
    step_mm : float, optional
        Length of a step; by default ``STEP_SHARE`` of the smallest voxel spacing.

    Returns
    -------
    (rows, columns) float32
        Value times mm.
    """
    inverse = np.linalg.inv(grid.affine)
    turn = inverse[:3, :3]
    step = STEP_SHARE * float(grid.spacing_mm.min()) if step_mm is None else step_mm
    integrals: FloatImage = _march(
        np.ascontiguousarray(values),
        turn @ view.source + inverse[:3, 3],
        turn @ view.corner + inverse[:3, 3],
        turn @ view.along_row,
        turn @ view.along_column,
        view.shape[0],
        view.shape[1],
        np.linalg.inv(turn),
        step,
    )
    return integrals


@njit(parallel=True, cache=True, fastmath=True)
def _march(values, source, corner, along_row, along_column, rows, columns, to_mm, step_mm):  # type: ignore[no-untyped-def]
    """Marching in index coordinates; ``to_mm`` turns an index step into mm."""
    out = np.zeros((rows, columns), np.float32)
    nz, ny, nx = values.shape
    limit = np.array([nz - 1.0, ny - 1.0, nx - 1.0])
    for i in prange(rows):
        for j in range(columns):
            ray = np.empty(3)
            for a in range(3):
                ray[a] = corner[a] + i * along_column[a] + j * along_row[a] - source[a]
            near, far = 0.0, 1.0
            for a in range(3):
                if abs(ray[a]) < 1e-12:
                    if source[a] < 0.0 or source[a] > limit[a]:
                        far = -1.0
                    continue
                t0 = -source[a] / ray[a]
                t1 = (limit[a] - source[a]) / ray[a]
                near = max(near, min(t0, t1))
                far = min(far, max(t0, t1))
            if far <= near:
                continue
            length = 0.0
            for a in range(3):
                mm = to_mm[a, 0] * ray[0] + to_mm[a, 1] * ray[1] + to_mm[a, 2] * ray[2]
                length += mm * mm
            length = np.sqrt(length)
            steps = max(int(np.ceil((far - near) * length / step_mm)), 1)
            dt = (far - near) / steps
            total = 0.0
            for k in range(steps):
                t = near + (k + 0.5) * dt
                z = source[0] + t * ray[0]
                y = source[1] + t * ray[1]
                x = source[2] + t * ray[2]
                z0 = min(int(z), nz - 2)
                y0 = min(int(y), ny - 2)
                x0 = min(int(x), nx - 2)
                fz, fy, fx = z - z0, y - y0, x - x0
                c00 = values[z0, y0, x0] * (1 - fx) + values[z0, y0, x0 + 1] * fx
                c01 = values[z0, y0 + 1, x0] * (1 - fx) + values[z0, y0 + 1, x0 + 1] * fx
                c10 = values[z0 + 1, y0, x0] * (1 - fx) + values[z0 + 1, y0, x0 + 1] * fx
                c11 = values[z0 + 1, y0 + 1, x0] * (1 - fx) + values[z0 + 1, y0 + 1, x0 + 1] * fx
                total += (c00 * (1 - fy) + c01 * fy) * (1 - fz) + (c10 * (1 - fy) + c11 * fy) * fz
            out[i, j] = total * dt * length
    return out
