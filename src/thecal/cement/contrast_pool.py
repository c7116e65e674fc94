"""Blood and bowel that hold contrast medium: wide, even, brighter than muscle, not bone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.cement.nearness import Nearness
from thecal.volume import BoolArray, FloatArray, IntArray

COARSE_MM = 2.5
# Enhanced blood lies between muscle (to 90 HU) and a first-pass bolus.
POOL_HU = (130.0, 900.0)
LEAST_RADIUS_MM = 4.0
LEAST_ML = 2.0
CLEAR_OF_BONE_MM = 2.0


def contrast_pool(hu: IntArray, near: Nearness, spacing_mm: FloatArray) -> BoolArray:
    """Voxels of contrast-filled vessels, heart, kidney or bowel, (z, y, x) bool in blocks.

    Found on block means of about ``COARSE_MM``: noise and thin calcium fall out, a lumen stays.
    """
    import cc3d
    import edt

    block = np.maximum(1, np.rint(COARSE_MM / spacing_mm)).astype(int)
    starts = [np.arange(0, n, b) for n, b in zip(hu.shape, block, strict=True)]
    coarse: npt.NDArray[np.float32] = hu[:: block[0]].astype(np.float32)
    for axis in (1, 2):
        counts = np.diff(np.append(starts[axis], hu.shape[axis]))
        shape = [1, 1, 1]
        shape[axis] = len(counts)
        summed = np.add.reduceat(coarse, starts[axis], axis=axis)
        coarse = (summed / counts.reshape(shape)).astype(np.float32)
    away = near.bone_mm[:: block[0], :: block[1], :: block[2]] > CLEAR_OF_BONE_MM
    even = (coarse > POOL_HU[0]) & (coarse < POOL_HU[1]) & away
    if not even.any():
        return np.zeros(hu.shape, bool)
    step = [float(s) for s in spacing_mm * block]
    depth = edt.edt(even, anisotropy=step, black_border=False, parallel=1)
    lumen = edt.edt(depth < LEAST_RADIUS_MM, anisotropy=step, black_border=False, parallel=1)
    wide = even & (lumen <= LEAST_RADIUS_MM)
    groups = cc3d.connected_components(wide, connectivity=6)
    sizes = np.bincount(groups.ravel()) * float(np.prod(spacing_mm * block)) / 1000
    keep = sizes >= LEAST_ML
    keep[0] = False
    pool = keep[groups]
    full: BoolArray = pool
    for axis in range(3):
        full = np.repeat(full, block[axis], axis=axis)
    return full[: hu.shape[0], : hu.shape[1], : hu.shape[2]]
