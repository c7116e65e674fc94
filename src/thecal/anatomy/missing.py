"""What cement and metal hide: voxels that anatomy must not read."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.volume import BoolArray, FloatArray, IntArray, box_of

# Above this at 1 mm a voxel is cement, metal or enamel, hardly ever bone.
DENSE_HU = 1300
# Thin sheets and rims beside dense cement, blurred into bone's range or above it.
SHEET_HU = 600
SHEET_REACH_MM = 5.0
# A core is at least so large, or so bright: sharp kernels lift spots of cortical bone above DENSE_HU.
LEAST_CORE_MM3 = 60.0
BRIGHT_HU = 2200
LEAST_BRIGHT_MM3 = 8.0
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
    import cc3d

    out = np.zeros(hu.shape, bool)
    core = hu >= DENSE_HU
    box = box_of(core, np.ceil((SHEET_REACH_MM + BLUR_MM + slice_mm) / spacing_mm).astype(int))
    if box is None:
        return out
    core, near = core[box], hu[box]
    pieces = cc3d.connected_components(core, connectivity=26)
    sizes = np.bincount(pieces.ravel()) * float(np.prod(spacing_mm))
    bright = np.zeros(len(sizes), bool)
    bright[np.unique(pieces[near >= BRIGHT_HU])] = True
    large = (sizes >= LEAST_CORE_MM3) | (bright & (sizes >= LEAST_BRIGHT_MM3))
    large[0] = False
    core = large[pieces]
    if not core.any():
        return out
    reach = max(1, round(SHEET_REACH_MM / float(spacing_mm.max())))
    cross = ndimage.generate_binary_structure(3, 2)
    grown = ndimage.binary_dilation(core, cross, iterations=reach, mask=near >= SHEET_HU)
    for axis, size in enumerate(spacing_mm):
        blur = max(BLUR_MM, 0.5 * slice_mm) if axis == 0 else BLUR_MM
        n = 2 * max(1, round(blur / float(size))) + 1
        grown = ndimage.maximum_filter1d(grown.view(np.uint8), n, axis=axis).view(bool)
    out[box] = grown
    return out
