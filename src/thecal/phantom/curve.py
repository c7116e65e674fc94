"""The canal as arrays over arc length: what the tissue kernel looks points up in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thecal.frames import CanalFrame
from thecal.volume import FloatArray

STEP_MM = 0.25


@dataclass(frozen=True, eq=False)
class CanalCurve:
    """The canal's centre line and what lies in it.

    Attributes
    ----------
    frame : CanalFrame
        n points, ``STEP_MM`` apart.
    rows : (n, 22) float64
        Point, left, posterior, cranial (12 numbers), then half width and half AP of the canal, its posterior
        narrowing, half width and half AP of the sac, shift of the sac to the back, half width and half
        AP of the cord, the level's number (8 is T1, 20 is L1), and the distance below the
        conus tip in mm (negative above it).
    index_of_z : (m,) float64
        Continuous index along the curve for each z from ``z0`` in steps of ``STEP_MM``.
    """

    frame: CanalFrame
    rows: FloatArray
    z0: float
    index_of_z: FloatArray


def build_curve(points: npt.ArrayLike, at_point: npt.ArrayLike, conus_z: float) -> CanalCurve:
    """The canal through points (m, 3) caudal to cranial, with values (m, 9) at each of them."""
    path = np.asarray(points, float)
    frame = CanalFrame.through(path, step_mm=STEP_MM, smooth=30.0)
    values = np.asarray(at_point, float)
    # Values belong to the nearest point of the curve; both run caudal to cranial.
    order = np.argsort([np.argmin(((frame.points - p) ** 2).sum(1)) for p in path])
    where = frame.s_mm[[np.argmin(((frame.points - p) ** 2).sum(1)) for p in path]][order]
    columns = np.stack(
        [np.interp(frame.s_mm, where, values[order, k]) for k in range(values.shape[1])], axis=1
    )
    kernel = np.exp(-0.5 * (np.arange(-24, 25) / 8.0) ** 2)
    kernel /= kernel.sum()
    columns = np.stack(
        [np.convolve(np.pad(c, 24, mode="edge"), kernel, mode="valid") for c in columns.T], axis=1
    )
    below = conus_z - frame.points[:, 2]
    rows = np.concatenate(
        [frame.points, frame.left, frame.posterior, frame.cranial, columns, below[:, None]], axis=1
    )
    z0 = float(frame.points[0, 2]) - 40.0
    z = np.arange(z0, float(frame.points[-1, 2]) + 40.0, STEP_MM)
    return CanalCurve(
        frame, np.ascontiguousarray(rows), z0, np.interp(z, frame.points[:, 2], np.arange(len(rows)))
    )
