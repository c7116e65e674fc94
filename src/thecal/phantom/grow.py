"""Growing a deposit: noise, and the fill that takes the nearest places first until the volume is reached."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.volume import FloatArray

TILE = 48


class Noise:
    """Smooth periodic noise of zero mean and unit deviation at any point, by seed."""

    def __init__(self, rng: np.random.Generator) -> None:
        white = rng.standard_normal((TILE, TILE, TILE)).astype(np.float32)
        tile = ndimage.gaussian_filter(white, 1.5, mode="wrap")
        self._tile = tile / tile.std()

    def at(self, points: FloatArray, length_mm: float) -> FloatArray:
        """Noise that changes over about ``length_mm``, at LPS points (m, 3)."""
        place = points.T / (length_mm / 3.0) + 11.3 * length_mm
        values: FloatArray = ndimage.map_coordinates(self._tile, place, order=1, mode="grid-wrap").astype(
            float
        )
        return values


def nearest_first(
    index: npt.NDArray[np.intp], cost: FloatArray, count: int, *, connected: bool = True
) -> npt.NDArray[np.intp]:
    """The ``count`` voxels of least cost, as one piece about the least of them.

    Parameters
    ----------
    index : (m, 3) ints
        Voxels that may be taken.
    cost : (m,) float64
        Infinite where cement cannot go.
    count : int
    connected : bool
        Keep only the piece that holds the cheapest voxel, and let it grow to make good.

    Returns
    -------
    (n, 3) ints
        Fewer than ``count`` where the compartment is full.
    """
    able = np.flatnonzero(np.isfinite(cost))
    if len(able) == 0 or count <= 0:
        return index[:0]
    order = able[np.argsort(cost[able], kind="stable")]
    if not connected:
        return index[order[:count]]
    low = index[order].min(0)
    shape = index[order].max(0) - low + 1
    want = count
    taken = index[:0]
    for _ in range(6):
        chosen = index[order[:want]]
        mask = np.zeros(shape, bool)
        mask[tuple((chosen - low).T)] = True
        pieces, _ = ndimage.label(mask, np.ones((3, 3, 3), bool))
        mine = pieces[tuple((chosen - low).T)] == pieces[tuple(chosen[0] - low)]
        if mine.sum() < 0.3 * count:
            # The cheapest voxel lies on a crumb: the largest piece is the deposit.
            sizes = np.bincount(pieces[tuple((chosen - low).T)])
            mine = pieces[tuple((chosen - low).T)] == int(np.argmax(sizes))
        taken = chosen[mine]
        if len(taken) >= 0.98 * count or want >= len(order):
            break
        want = min(len(order), want + max(1, int(1.05 * (count - len(taken)))))
    return taken[:count] if len(taken) > count else taken
