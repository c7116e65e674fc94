"""Cement of the canal that a wall drawn too far in has cut in two: it ends just beyond that wall.

Under cement the canal's wall is carried over from clean slices, and bodies are hollow behind: behind their
middle the true wall stands farther out than at the discs. A sheet of cement on it then straddles the drawn
wall. Where cement leaves the canal along a ray and ends within a few millimetres, what lies beyond the drawn
wall is that sheet. Where it goes on, it is the neck of the leak, or fill.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.rays import sample_rays
from thecal.anatomy.spine import Canal
from thecal.leakage.regions import BONE, EPIDURAL, SAC, TRACK
from thecal.volume import Grid

STEP_MM: Final = 0.4
BEYOND_MM: Final = 4.0
"""A wall that cement hides may be drawn so far in front of the true one."""
WITHIN_MM: Final = 1.6
"""The sheet lies so near inside the drawn wall as well."""
BEGINS_MM: Final = 1.2
"""Or begins so near outside it, on rays beside others on which it reaches into the canal."""
REACHING: Final = 4
"""At the least so many rays must show it within the canal."""
SOLID: Final = 0.4
ENDS: Final = 0.4
"""Cement has ended where less of a sample is filled."""
NEIGHBOURS: Final = 5
AGREEING: Final = 0.5
"""Of the rays about, so many must show the same: a single one may pass between two grains of a fill."""


def before_hidden_wall(
    codes: npt.NDArray[np.uint16], fraction: npt.NDArray[np.float32], canal: Canal, grid: Grid
) -> npt.NDArray[np.uint16]:
    """Codes with cement that ends just beyond the drawn wall of the canal given to the epidural space.

    Parameters
    ----------
    codes : (z, y, x) uint16
        Region of each cement voxel, 0 elsewhere.
    fraction : (z, y, x) float32
        Share of each voxel that is cement.
    canal : Canal
    grid : Grid
        Of the arrays.
    """
    in_bone = (codes >= BONE) & (codes < TRACK)
    in_canal = (codes == SAC) | (codes == EPIDURAL)
    if not in_bone.any() or not in_canal.any():
        return codes
    radii = np.arange(0.0, float(canal.wall_mm.max()) + BEYOND_MM + 2.0, STEP_MM)
    cement = sample_rays(fraction, grid, canal.frame, canal.theta, radii)
    own = sample_rays(in_canal.astype(np.uint8), grid, canal.frame, canal.theta, radii, order=0) > 0.5
    end, inside = _ends(cement, own, canal.wall_mm, STEP_MM, BEYOND_MM, WITHIN_MM)
    sheets = _around(end > 0)
    # A sheet lies on the canal's side of a wall only if it is seen to reach into the canal somewhere.
    reaching = np.bincount(sheets.ravel(), weights=(inside & (end > 0)).ravel())
    end = np.where((sheets > 0) & (reaching[sheets] < REACHING), -1.0, end)
    ended = ndimage.uniform_filter((end > 0).astype(float), NEIGHBOURS, mode=("nearest", "wrap"))
    # Neighbours that say nothing, for no cement leaves the canal there, do not vote.
    voting = ndimage.uniform_filter((end != 0).astype(float), NEIGHBOURS, mode=("nearest", "wrap"))
    limit = np.where((end > 0) & (ended >= AGREEING * np.maximum(voting, 1e-9)), end, 0.0)
    voxels = np.argwhere(in_bone)
    s, theta, r = canal.frame.locate(grid.to_lps(voxels))
    column = np.rint((theta - canal.theta[0]) / (2 * np.pi) * len(canal.theta)).astype(int)
    given = r <= limit[canal.frame.index(s), column % len(canal.theta)]
    changed = codes.copy()
    changed[tuple(voxels[given].T)] = EPIDURAL
    return changed


def _around(ended: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """Connected rays (n, m) that show an end; the second axis is a circle."""
    sheets, _ = ndimage.label(ended, np.ones((3, 3)))
    for first, last in zip(sheets[:, 0], sheets[:, -1], strict=True):
        if first and last and first != last:
            sheets[sheets == last] = first
    found: npt.NDArray[np.int32] = sheets
    return found


@njit(cache=True)
def _ends(cement, own, wall, step, beyond, within):  # type: ignore[no-untyped-def]
    """Where cement on the wall ends, mm; -1 where it goes on, 0 where none is. And if it reaches inside."""
    n, m, k = cement.shape
    end = np.zeros((n, m))
    inside = np.zeros((n, m), np.bool_)
    begins = round(BEGINS_MM / step)
    for i in range(n):
        for j in range(m):
            at = min(k - 1, int(wall[i, j] / step))
            for q in range(max(0, at - round(within / step)), at + 1):
                inside[i, j] = inside[i, j] or (own[i, j, q] and cement[i, j, q] >= SOLID)
            start = at + 1
            while not inside[i, j] and start < k - 1 and start - at < begins and cement[i, j, start] < SOLID:
                start += 1
            if cement[i, j, min(k - 1, start)] < ENDS:
                continue
            end[i, j] = -1.0
            for q in range(start, min(k, at + 1 + round(beyond / step))):
                if cement[i, j, q] < ENDS:
                    end[i, j] = q * step
                    break
    return end, inside
