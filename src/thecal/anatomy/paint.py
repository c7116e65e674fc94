"""Painting the surfaces that anatomy found onto a voxel grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.anatomy.bodies import Body, local_box
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid


@njit(cache=True)
def _bilinear(field, a, b):  # type: ignore[no-untyped-def]
    i = min(max(a, 0.0), field.shape[0] - 1.0)
    j = min(max(b, 0.0), field.shape[1] - 1.0)
    p, q = min(int(i), field.shape[0] - 2), min(int(j), field.shape[1] - 2)
    u, v = i - p, j - q
    return (1 - u) * ((1 - v) * field[p, q] + v * field[p, q + 1]) + u * (
        (1 - v) * field[p + 1, q] + v * field[p + 1, q + 1]
    )


@njit(cache=True, parallel=True)
def _body(out, matrix, offset, cells, lower, upper, axis, angle, levels, ring, beyond):  # type: ignore[no-untyped-def]
    """1 inside the body, 2 within ``beyond`` mm below its lower endplate, 3 the same above its upper one."""
    for z in prange(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                left = matrix[0, 0] * z + matrix[0, 1] * y + matrix[0, 2] * x + offset[0]
                front = matrix[1, 0] * z + matrix[1, 1] * y + matrix[1, 2] * x + offset[1]
                up = matrix[2, 0] * z + matrix[2, 1] * y + matrix[2, 2] * x + offset[2]
                a = (left - cells[0]) / cells[2]
                b = (front - cells[1]) / cells[2]
                low = _bilinear(lower, a, b)
                high = _bilinear(upper, a, b)
                if up < low - beyond or up > high + beyond:
                    continue
                share = min(max((up - low) / max(high - low, 0.5), 0.0), 1.0)
                forward = front - axis
                turn = (np.arctan2(left, forward) - angle[0]) / angle[1]
                row = (share - levels[0]) / levels[1]
                if np.hypot(left, forward) > _bilinear(ring, row, turn % (ring.shape[1] - 1)):
                    continue
                out[z, y, x] = 1 if low <= up <= high else (2 if up < low else 3)


def paint_body(
    body: Body, grid: Grid, beyond_mm: float
) -> tuple[tuple[slice, slice, slice], npt.NDArray[np.uint8]]:
    """A body on a grid.

    Returns
    -------
    box : index box on the grid
    inside : (z, y, x) uint8 within the box
        1 in the body; 2 and 3 up to ``beyond_mm`` below and above it, within its waist: disc, where another
        body lies opposite.
    """
    box = local_box(body, grid)
    sub = grid.crop(box)
    axes = np.stack([body.frame.left, body.frame.anterior, body.frame.cranial])
    matrix = np.ascontiguousarray(axes @ sub.affine[:3, :3])
    offset = np.ascontiguousarray(axes @ (sub.affine[:3, 3] - body.frame.origin))
    out = np.zeros(sub.shape, np.uint8)
    _body(
        out,
        matrix,
        offset,
        np.array([body.left[0], body.anterior[0], body.left[1] - body.left[0]]),
        np.ascontiguousarray(body.lower),
        np.ascontiguousarray(body.upper),
        body.axis_mm,
        np.array([body.angles[0], body.angles[1] - body.angles[0]]),
        np.array([body.levels[0], body.levels[1] - body.levels[0]]),
        np.concatenate([body.waist, body.waist[:, :1]], axis=1),
        beyond_mm,
    )
    return box, out


@njit(cache=True, parallel=True)
def _tube(out, affine, points, left, posterior, cranial, step, first, surfaces):  # type: ignore[no-untyped-def]
    """How many of the nested surfaces r(s, theta) hold each voxel; 0 outside all."""
    n = points.shape[0]
    m = surfaces.shape[2] - 1
    reach = 0.0
    for k in range(surfaces.shape[0]):
        reach = max(reach, surfaces[k].max())
    for z in prange(out.shape[0]):
        for y in range(out.shape[1]):
            for x in range(out.shape[2]):
                px = affine[0, 0] * z + affine[0, 1] * y + affine[0, 2] * x + affine[0, 3]
                py = affine[1, 0] * z + affine[1, 1] * y + affine[1, 2] * x + affine[1, 3]
                pz = affine[2, 0] * z + affine[2, 1] * y + affine[2, 2] * x + affine[2, 3]
                best = 1e18
                at = 0
                for i in range(0, n, 8):
                    d = (px - points[i, 0]) ** 2 + (py - points[i, 1]) ** 2 + (pz - points[i, 2]) ** 2
                    if d < best:
                        best = d
                        at = i
                if best > (reach + 9 * step) ** 2:
                    continue
                for i in range(max(0, at - 8), min(n, at + 9)):
                    d = (px - points[i, 0]) ** 2 + (py - points[i, 1]) ** 2 + (pz - points[i, 2]) ** 2
                    if d < best:
                        best = d
                        at = i
                dx, dy, dz = px - points[at, 0], py - points[at, 1], pz - points[at, 2]
                along = dx * cranial[at, 0] + dy * cranial[at, 1] + dz * cranial[at, 2]
                if abs(along) > step:
                    continue
                a = dx * left[at, 0] + dy * left[at, 1] + dz * left[at, 2]
                p = dx * posterior[at, 0] + dy * posterior[at, 1] + dz * posterior[at, 2]
                radius = np.hypot(a, p)
                row = at + along / step
                column = ((np.arctan2(a, -p) - first) / (2 * np.pi) * m) % m
                inside = 0
                for k in range(surfaces.shape[0]):
                    if radius <= _bilinear(surfaces[k], row, column):
                        inside += 1
                out[z, y, x] = inside


def paint_tube(
    grid: Grid, frame: CanalFrame, theta: FloatArray, surfaces: list[FloatArray]
) -> npt.NDArray[np.uint8]:
    """How many of some nested surfaces r(s, theta), each (n, m) mm, hold each voxel of a grid.

    Returns
    -------
    (z, y, x) uint8
    """
    out = np.zeros(grid.shape, np.uint8)
    reach = max(float(s.max()) for s in surfaces) + 2.0
    box = grid.box_around(frame.points, reach)
    view = np.zeros(grid.crop(box).shape, np.uint8)
    ring = np.stack([np.concatenate([s, s[:, :1]], axis=1) for s in surfaces])
    _tube(
        view,
        np.ascontiguousarray(grid.crop(box).affine),
        frame.points,
        frame.left,
        frame.posterior,
        frame.cranial,
        frame.step_mm,
        float(theta[0]),
        ring,
    )
    out[box] = view
    return out


def inside_wall(grid: Grid, frame: CanalFrame, theta: FloatArray, wall: FloatArray) -> BoolArray:
    """Voxels of a grid within one surface r(s, theta), (z, y, x) bool."""
    mask: BoolArray = paint_tube(grid, frame, theta, [wall]) > 0
    return mask
