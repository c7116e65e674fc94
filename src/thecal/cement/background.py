"""What would be there without the cement: HU around it, carried inward."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.volume import BoolArray, FloatArray, IntArray

CARRY_SIGMA_MM = 2.0
# Streaks dig holes and raise ridges beside cement; tissue does not.
TISSUE_HU = (-200.0, 1400.0)
FALLBACK_HU = 100.0


def background_hu(hu: IntArray, hidden: BoolArray, spacing_mm: FloatArray) -> npt.NDArray[np.float32]:
    """HU of the tissue around ``hidden`` voxels, carried into them by a normalised Gaussian mean.

    Parameters
    ----------
    hu : (z, y, x) int16
    hidden : (z, y, x) bool
        Cement and its blurred rim.
    spacing_mm : (3,)

    Returns
    -------
    (z, y, x) float32
    """
    known = (~hidden).astype(np.float32)
    values = np.clip(hu, *TISSUE_HU).astype(np.float32) * known
    result = np.full(hu.shape, np.nan, np.float32)
    for widen in (1.0, 2.5):
        sigma = widen * CARRY_SIGMA_MM / spacing_mm
        weight = ndimage.gaussian_filter(known, sigma, truncate=3.0, mode="nearest")
        mean = ndimage.gaussian_filter(values, sigma, truncate=3.0, mode="nearest")
        here = np.isnan(result) & (weight > 0.02)
        result[here] = mean[here] / weight[here]
    everywhere = float(values.sum() / known.sum()) if known.any() else FALLBACK_HU
    result[np.isnan(result)] = everywhere
    return result
