"""What cement and metal hide: voxels that anatomy must not read."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.volume import BoolArray, FloatArray, IntArray

# Above this at 1 mm a voxel is cement, metal or enamel, hardly ever bone.
DENSE_HU = 1300
# Thin sheets and rims beside dense cement, blurred into bone's range or above it.
SHEET_HU = 600
SHEET_REACH_MM = 5.0
LEAST_CORE_MM3 = 15.0
BLUR_MM = 1.0


def missing_data(hu: IntArray, spacing_mm: FloatArray, slice_mm: float) -> BoolArray:
    """Dense voxels, the thinner sheets that hang on them, and what they blur into.

    Parameters
    ----------
    hu : (z, y, x) int16
    spacing_mm : (3,)
        Of this array.
    slice_mm : float
        Slice spacing of the scan: blur through the plane reaches so far.

    Returns
    -------
    (z, y, x) bool
        All False where the scan holds nothing dense.
    """
    core = hu >= DENSE_HU
    if not core.any():
        return core
    import cc3d

    pieces = cc3d.connected_components(core, connectivity=26)
    sizes = np.bincount(pieces.ravel()) * float(np.prod(spacing_mm))
    large = sizes >= LEAST_CORE_MM3
    large[0] = False
    core = large[pieces]
    if not core.any():
        return core
    reach = max(1, round(SHEET_REACH_MM / float(spacing_mm.max())))
    cross = ndimage.generate_binary_structure(3, 2)
    grown = ndimage.binary_dilation(core, cross, iterations=reach, mask=hu >= SHEET_HU)
    out: BoolArray = grown
    for axis, size in enumerate(spacing_mm):
        blur = max(BLUR_MM, 0.5 * slice_mm) if axis == 0 else BLUR_MM
        n = 2 * max(1, round(blur / float(size))) + 1
        out = ndimage.maximum_filter1d(out.view(np.uint8), n, axis=axis).astype(bool)
    return out
