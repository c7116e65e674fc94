"""Fields of distances read between their points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.volume import FloatArray

FloatField = npt.NDArray[np.float32]


@njit(cache=True)
def trilinear(
    field: FloatField, low: FloatArray, step: float, x: float, y: float, z: float, outside: float
) -> float:
    """A field whose first point is ``low`` at a point of the vertebra's frame; ``outside`` beyond it."""
    a = (x - low[0]) / step
    b = (y - low[1]) / step
    c = (z - low[2]) / step
    na, nb, nc = field.shape
    if a < 0.0 or b < 0.0 or c < 0.0 or a > na - 1.001 or b > nb - 1.001 or c > nc - 1.001:
        return outside
    i, j, k = int(a), int(b), int(c)
    u, v, w = a - i, b - j, c - k
    low_plane = (
        field[i, j, k] * (1 - v) * (1 - w)
        + field[i, j + 1, k] * v * (1 - w)
        + field[i, j, k + 1] * (1 - v) * w
        + field[i, j + 1, k + 1] * v * w
    )
    high_plane = (
        field[i + 1, j, k] * (1 - v) * (1 - w)
        + field[i + 1, j + 1, k] * v * (1 - w)
        + field[i + 1, j, k + 1] * (1 - v) * w
        + field[i + 1, j + 1, k + 1] * v * w
    )
    return float(low_plane * (1 - u) + high_plane * u)


def sampled(
    field: FloatField, low_mm: tuple[float, float, float], step_mm: float, local: FloatArray, outside: float
) -> FloatArray:
    """A field at points (..., 3) of the vertebra's frame."""
    points = np.ascontiguousarray(np.asarray(local, float).reshape(-1, 3))
    values = np.empty(len(points))
    _many(field, np.array(low_mm), step_mm, points, outside, values)
    return values.reshape(np.shape(local)[:-1])


@njit(cache=True)
def _many(
    field: FloatField, low: FloatArray, step: float, points: FloatArray, outside: float, values: FloatArray
) -> None:
    for n in range(len(points)):
        values[n] = trilinear(field, low, step, points[n, 0], points[n, 1], points[n, 2], outside)
