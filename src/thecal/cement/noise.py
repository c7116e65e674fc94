"""Noise of the scan, measured in the scan itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.volume import FloatArray

SOFT_TISSUE_HU = (-150.0, 200.0)
PATCH_VOXELS = 5
MOST_PATCHES = 40_000
TYPICAL_NOISE_HU = 20.0


def noise_hu(hu: npt.NDArray[Any]) -> float:
    """Standard deviation of noise in soft tissue, HU.

    The scan is tiled with in-plane patches; each patch that lies wholly in soft tissue is freed of its plane
    (mean and tilt) and its residual deviation taken. Patches over an organ's border are noisier than the
    noise, so the lower third of the deviations speaks for the scan.

    Parameters
    ----------
    hu : (z, y, x) array, HU

    Returns
    -------
    float
        HU; ``TYPICAL_NOISE_HU`` where no soft tissue is in view.
    """
    patches = _patches(hu)
    if len(patches) < 20:
        return TYPICAL_NOISE_HU
    side = np.arange(PATCH_VOXELS) - (PATCH_VOXELS - 1) / 2
    tilt = np.stack(
        [np.ones(PATCH_VOXELS**2), np.repeat(side, PATCH_VOXELS), np.tile(side, PATCH_VOXELS)], axis=1
    )
    basis, _ = np.linalg.qr(tilt)
    residual = patches - (patches @ basis) @ basis.T
    deviation = np.sqrt((residual**2).sum(1) / (PATCH_VOXELS**2 - 3))
    return float(max(1.0, np.percentile(deviation, 35)))


def _patches(hu: npt.NDArray[Any]) -> FloatArray:
    """Flattened soft-tissue patches (n, PATCH_VOXELS ** 2), evenly drawn from the scan."""
    p = PATCH_VOXELS
    if min(hu.shape[1:]) < p:
        return np.empty((0, p * p))
    rows, columns = hu.shape[1] // p, hu.shape[2] // p
    step = max(1, int(np.ceil(hu.shape[0] * rows * columns / (4 * MOST_PATCHES))))
    slices = hu[:: max(1, min(step, hu.shape[0] // 3 or 1)), : rows * p, : columns * p]
    tiles = slices.reshape(-1, rows, p, columns, p).transpose(0, 1, 3, 2, 4).reshape(-1, p * p)
    soft = (tiles.min(1) > SOFT_TISSUE_HU[0]) & (tiles.max(1) < SOFT_TISSUE_HU[1])
    chosen = np.flatnonzero(soft)
    chosen = chosen[:: max(1, len(chosen) // MOST_PATCHES)]
    patches: FloatArray = tiles[chosen].astype(np.float64)
    # A flat patch (padding, a segmented-out table) carries no noise and must not speak for the scan.
    rough: FloatArray = patches[patches.std(1) > 0.0]
    return rough
