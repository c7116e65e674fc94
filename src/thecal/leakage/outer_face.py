"""The outer face of cement in the canal: where it is, and whether it rests on the canal's wall there."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.volume import BoolArray, FloatArray

EDGE: Final = 0.25
"""The outer face of cement ends where less of a voxel is filled."""
NEXT_TO_MM: Final = 2.2
"""Dura, fat and veins are looked for so far outside the outer face ..."""
BONE_BEYOND_MM: Final = 4.2
"""... and the bone beyond them so far."""
RISE_HU: Final = 100.0
"""Bone beyond a gap is at least this much brighter than the gap: cement on bone only grows darker outward,
through cortex into marrow."""
DARK_HU: Final = 700.0
"""A gap is darker than this, however much cement and bone blur into it."""
BONE_HU: Final = 200.0
"""Where all that lies next to the outer face is brighter, it is bone."""
NEAR_WALL_MM: Final = 1.2
"""Where neither is seen, on ligament or in a foramen, the drawn wall decides: dura, fat and veins keep cement
inside the dura at least this far from it ..."""
NEAR_WALL_AHEAD_MM: Final = 2.0
"""... and in front, where the epidural veins are and a wall hidden by cement is drawn a little far out."""


def outer_faces(
    own: npt.NDArray[np.int32],
    cement: npt.NDArray[np.float32],
    hu: npt.NDArray[np.float32],
    wall_mm: FloatArray,
    theta: FloatArray,
    step_mm: float,
) -> tuple[npt.NDArray[np.int64], BoolArray, FloatArray]:
    """Where rays from the middle of the canal leave cement for the last time.

    Parameters
    ----------
    own : (n, m, k) int32
        Number of the cement looked at on each sample of the rays, 0 where none.
    cement : (n, m, k) float32
        Share of any cement.
    hu : (n, m, k) float32
    wall_mm : (n, m) float64
        Radius of the canal's wall.
    theta : (m,) float64
        Angles of the rays from anterior, rad.
    step_mm : float
        Between samples.

    Returns
    -------
    owner : (n, m) int64
        The cement left last, 0 where a ray meets none.
    rests : (n, m) bool
        Whether bone follows without anything dark between, or, where neither bone nor gap is seen, whether
        the drawn wall is near.
    outer : (n, m) float64
        Distance of the outer face from the curve, mm.
    """
    limit = np.where(np.cos(theta) > 0, NEAR_WALL_AHEAD_MM, NEAR_WALL_MM)
    found: tuple[npt.NDArray[np.int64], BoolArray, FloatArray] = _outer_faces(
        own, cement, hu, wall_mm, limit, step_mm, round(NEXT_TO_MM / step_mm), round(BONE_BEYOND_MM / step_mm)
    )
    return found


@njit(cache=True)
def _outer_faces(own, cement, bright, wall, limit, step, beside, beyond):  # type: ignore[no-untyped-def]
    """Of each ray the section it leaves last, whether that rests on the wall there, and where, mm."""
    n, m, k = cement.shape
    owner = np.zeros((n, m), np.int64)
    rests = np.zeros((n, m), np.bool_)
    outer = np.zeros((n, m))
    for i in range(n):
        for j in range(m):
            last = -1
            for q in range(k):
                if own[i, j, q] > 0:
                    last = q
            if last < 0:
                continue
            owner[i, j] = own[i, j, last]
            outer[i, j] = last * step
            edge = last
            while edge + 1 < k and cement[i, j, edge + 1] >= EDGE:
                edge += 1
            darkest, brightest = np.inf, -np.inf
            for q in range(edge + 1, min(k, edge + 1 + beyond)):
                if q <= edge + beside and bright[i, j, q] < darkest:
                    darkest = bright[i, j, q]
                    brightest = darkest
                brightest = max(brightest, bright[i, j, q])
            if darkest < DARK_HU and brightest - darkest >= RISE_HU:
                continue
            rests[i, j] = darkest >= BONE_HU or wall[i, j] - last * step < limit[j]
    return owner, rests, outer
