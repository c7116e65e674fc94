"""Places in the coordinates of a curve, compiled: the hot loop behind ``CanalFrame.locate``."""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from thecal.volume import FloatArray

# Samples of the curve between those that are looked at first; neighbours of the best are looked at next.
STRIDE = 8


@njit(cache=True, parallel=True)
def _locate(where, points, left, posterior, cranial, step, stride, out):  # type: ignore[no-untyped-def]
    n = points.shape[0]
    for m in prange(where.shape[0]):
        x, y, z = where[m, 0], where[m, 1], where[m, 2]
        best = 1e300
        at = 0
        for i in range(0, n, stride):
            d = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2 + (z - points[i, 2]) ** 2
            if d < best:
                best = d
                at = i
        for i in range(max(0, at - stride), min(n, at + stride + 1)):
            d = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2 + (z - points[i, 2]) ** 2
            if d < best:
                best = d
                at = i
        for i in range(max(0, n - 1 - stride), n):
            d = (x - points[i, 0]) ** 2 + (y - points[i, 1]) ** 2 + (z - points[i, 2]) ** 2
            if d < best:
                best = d
                at = i
        dx, dy, dz = x - points[at, 0], y - points[at, 1], z - points[at, 2]
        a = dx * left[at, 0] + dy * left[at, 1] + dz * left[at, 2]
        p = dx * posterior[at, 0] + dy * posterior[at, 1] + dz * posterior[at, 2]
        out[m, 0] = at * step + dx * cranial[at, 0] + dy * cranial[at, 1] + dz * cranial[at, 2]
        out[m, 1] = np.arctan2(a, -p)
        out[m, 2] = np.hypot(a, p)


def locate_on_curve(
    where: FloatArray,
    points: FloatArray,
    left: FloatArray,
    posterior: FloatArray,
    cranial: FloatArray,
    step_mm: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Arc length from the curve's first point, angle and distance of LPS points (m, 3), each (m,)."""
    out = np.empty((len(where), 3))
    _locate(where, points, left, posterior, cranial, step_mm, STRIDE, out)
    return out[:, 0], out[:, 1], out[:, 2]
