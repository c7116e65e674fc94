"""Bring sheared or unevenly spaced slices to a right-angled, even grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.dicom.layout import Layout
from thecal.volume import AIR_HU, FloatArray, Grid, IntArray


def straighten(slices: IntArray, layout: Layout) -> tuple[IntArray, Grid]:
    """The slices on a right-angled, even grid.

    The planes of the new grid are parallel to the slices, so that a tilted stack is only moved within its
    planes, and nothing is interpolated across them unless the spacing is uneven.

    Parameters
    ----------
    slices : (n, rows, columns) int16
        HU, in the layout's order.
    layout : Layout

    Returns
    -------
    hu : (m, rows', columns') int16
        Where the stack drifts sideways the planes are wider, and air fills their new edges.
    grid : Grid
        Of ``hu`` with its axes reversed, (column, row, slice).
    """
    first = layout.frames[0]
    voxel = np.array([first.spacing_mm[1], first.spacing_mm[0]])
    shift: FloatArray = layout.drift_mm / voxel
    low: FloatArray = np.floor(shift.min(axis=0) + 1e-6)
    extra = np.ceil(shift.max(axis=0) - 1e-6) - low
    shift = np.subtract(shift, low)
    columns, rows = slices.shape[2] + int(extra[0]), slices.shape[1] + int(extra[1])
    count = len(slices)
    if not layout.even:
        count = int(np.floor(layout.at_mm[-1] / layout.spacing_mm + 1e-6)) + 1
    planes = np.arange(count) * layout.spacing_mm
    out = np.full((count, rows, columns), AIR_HU, np.int16)
    for k, z in enumerate(planes):
        if layout.even:
            below, part = k, 0.0
        else:
            below = int(np.clip(np.searchsorted(layout.at_mm, z, side="right") - 1, 0, len(slices) - 2))
            part = float((z - layout.at_mm[below]) / (layout.at_mm[below + 1] - layout.at_mm[below]))
        plane = _moved(slices[below], shift[below], rows, columns)
        if part > 1e-6:
            plane = np.float32(1 - part) * plane + np.float32(part) * _moved(
                slices[below + 1], shift[below + 1], rows, columns
            )
        out[k] = np.rint(plane)
    affine = np.eye(4)
    affine[:3, 0] = first.along_row * voxel[0]
    affine[:3, 1] = first.along_column * voxel[1]
    affine[:3, 2] = first.normal * layout.spacing_mm
    affine[:3, 3] = (
        first.position + first.along_row * low[0] * voxel[0] + first.along_column * low[1] * voxel[1]
    )
    return out, Grid((columns, rows, count), affine)


def _moved(plane: IntArray, shift: FloatArray, rows: int, columns: int) -> npt.NDArray[np.float32]:
    """The slice on the wider plane, moved by (columns, rows) of zero or more, linear in between."""
    wide = np.full((rows + 1, columns + 1), AIR_HU, np.float32)
    x, y = int(shift[0] + 1e-6), int(shift[1] + 1e-6)
    wide[y : y + plane.shape[0], x : x + plane.shape[1]] = plane
    fx, fy = max(float(shift[0]) - x, 0.0), max(float(shift[1]) - y, 0.0)
    for axis, part in ((1, fx), (0, fy)):
        if part > 1e-4:
            moved = wide.copy()
            after = (slice(None),) * axis + (slice(1, None),)
            before = (slice(None),) * axis + (slice(None, -1),)
            moved[after] = (1 - part) * wide[after] + part * wide[before]
            moved[(slice(None),) * axis + (0,)] = AIR_HU
            wide = moved
    return wide[:rows, :columns]
