"""Whether something dark is seen between cement and what lies beyond it, whatever any outline says."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.volume import FloatArray

TISSUE: Final = 0.25
"""Less cement than this is taken for tissue: thin sheets blur."""
BEYOND_MM: Final = 1.6
"""A wall that cement hides may be drawn so far inside the true one: bone is looked for as far beyond it."""
RISE_HU: Final = 100.0
"""Cortex or other cement beyond a gap is at least this much brighter than the gap. Cement that lies on bone
only grows darker outward, through cortex into marrow."""
SMOOTH: Final = (0.7, 0.5, 0.7)
"""Planes and pixels over which noise is evened out."""

Image = npt.NDArray[np.float32]


def smoothed(canal: StraightCanal) -> Image:
    """The HU of the straight canal (k, v, u) without the noise of single pixels."""
    even: Image = ndimage.gaussian_filter(canal.hu, SMOOTH)
    return even


def rise_beyond(
    hu: Image, cement: Image, start: npt.NDArray[np.intp], stop: npt.NDArray[np.intp]
) -> FloatArray:
    """How much brighter it gets beyond the darkest tissue outside of cement, HU.

    Parameters
    ----------
    hu, cement : (n, m) float32
        One line each, outward; brightness and share of cement.
    start, stop : (n,) int
        Outermost sample of the cement looked at, and the last sample to look at.

    Returns
    -------
    (n,) float64
        0 where no tissue lies between.
    """
    rise: FloatArray = _rise(hu, cement, start, stop, TISSUE)
    return rise


@njit(cache=True)
def _rise(hu, cement, start, stop, least):  # type: ignore[no-untyped-def]
    rise = np.zeros(len(start))
    for i in range(len(start)):
        j = start[i] + 1
        while j <= stop[i] and cement[i, j] >= least:
            j += 1
        darkest = np.inf
        brightest = -np.inf
        in_tissue = True
        while j <= stop[i]:
            if cement[i, j] >= least:
                in_tissue = False
            if in_tissue and hu[i, j] < darkest:
                darkest = hu[i, j]
                brightest = -np.inf
            brightest = max(brightest, hu[i, j])
            j += 1
        if brightest > -np.inf and darkest < np.inf:
            rise[i] = brightest - darkest
    return rise
