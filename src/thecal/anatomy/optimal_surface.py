"""A smooth surface through a stack of cost profiles, by semi-global dynamic programming.

The surface is a height (an index along the last axis) over a two-dimensional grid. Costs are gathered
along eight straight directions with a convex penalty on steps (Hirschmueller 2008,
doi 10.1109/TPAMI.2007.1166); the second axis may be a circle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.volume import FloatArray

_DIRECTIONS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])


@njit(cache=True)
def _gather(cost, di, dj, cyclic, penalty, along):  # type: ignore[no-untyped-def]
    """Best path cost along direction (di, dj)."""
    ni, nj, nk = cost.shape
    reach = len(penalty) - 1
    # A circle has no first column: a second lap starts from the first one's end.
    laps = 2 if (cyclic and di == 0) else 1
    for lap in range(laps):
        for a in range(ni):
            i = a if di >= 0 else ni - 1 - a
            for b in range(nj):
                j = b if dj >= 0 else nj - 1 - b
                pi, pj = i - di, j - dj
                inside = 0 <= pi < ni
                if cyclic:
                    pj = pj % nj
                elif pj < 0 or pj >= nj:
                    inside = False
                if inside and di == 0 and lap == 0 and ((dj > 0 and pj > j) or (dj < 0 and pj < j)):
                    inside = False
                if not inside:
                    for k in range(nk):
                        along[i, j, k] = cost[i, j, k]
                    continue
                lowest = along[pi, pj, 0]
                for k in range(1, nk):
                    lowest = min(lowest, along[pi, pj, k])
                for k in range(nk):
                    best = np.float32(1e30)
                    for m in range(max(0, k - reach), min(nk, k + reach + 1)):
                        c = along[pi, pj, m] + penalty[abs(m - k)]
                        if c < best:
                            best = c
                    along[i, j, k] = cost[i, j, k] + best - lowest


@njit(cache=True, parallel=True)
def _gather_all(cost, steps, cyclic, penalty):  # type: ignore[no-untyped-def]
    """Sum of the path costs along eight directions, four at a time."""
    total = np.zeros(cost.shape, np.float32)
    part = np.empty((4, *cost.shape), np.float32)
    for half in range(2):
        for d in prange(4):
            _gather(cost, steps[half * 4 + d, 0], steps[half * 4 + d, 1], cyclic, penalty, part[d])
        for d in range(4):
            total += part[d]
    return total


def optimal_surface(
    cost: npt.NDArray[np.float32], *, cyclic: bool, linear: float, square: float, reach: int = 4
) -> FloatArray:
    """The smooth surface of least cost.

    Parameters
    ----------
    cost : (i, j, k) float32
        Cost of the surface passing through height ``k`` over grid point (i, j).
    cyclic : bool
        Whether the second axis is a circle.
    linear, square : float
        Penalty on a step of d heights between neighbours: linear * d + square * d**2.
    reach : int
        Largest step between neighbours.

    Returns
    -------
    (i, j) float64
        Height in index units, with sub-index precision by a parabola through the summed cost.
    """
    steps = np.arange(reach + 1)
    penalty = (linear * steps + square * steps**2).astype(np.float32)
    total = _gather_all(np.ascontiguousarray(cost, np.float32), _DIRECTIONS, cyclic, penalty)
    best = total.argmin(axis=2)
    inner = np.clip(best, 1, cost.shape[2] - 2)
    i, j = np.ogrid[: cost.shape[0], : cost.shape[1]]
    before, at, after = (total[i, j, inner + d].astype(float) for d in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(bend > 1e-9, 0.5 * (before - after) / np.where(bend > 1e-9, bend, 1), 0.0)
    height: FloatArray = np.where(best == inner, inner + np.clip(shift, -0.5, 0.5), best)
    return height
