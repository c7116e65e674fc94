"""What cement and metal hide: voxels that anatomy must not read."""

from __future__ import annotations

import edt
import numpy as np
from scipy import ndimage

from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray, box_of, wider

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
# Bone in the canal's reach stands on more bone; a drop of cement in it lies in soft tissue: of the shell
# beyond its blur at most this share is bone. Sought at several levels of HU, since a thin one is blurred far
# down.
ISLE_LEVELS_HU = (350, 600, 900)
ISLE_REACH_MM = 9.0
ISLE_BLUR_MM = 2.0
ISLE_SHELL_MM = 1.5
ISLE_BONE_HU = 180
ISLE_SHARE = 0.3
LARGEST_ISLE_MM3 = 2000.0


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


def isles_in_canal(hu: IntArray, grid: Grid, course: CanalFrame) -> BoolArray:
    """Bright drops near the canal's middle that hang on no bone, with what they blur into.

    They are too small or too faint for `missing_data`, yet a wall that took one for bone would be drawn
    before it. A free fragment of bone is one as well: the wall is then closed behind it by smoothness.

    Parameters
    ----------
    hu : (z, y, x) int16
    grid : Grid
        Of this array.
    course : CanalFrame
        Along the middle of the canal.

    Returns
    -------
    (z, y, x) bool
    """
    import cc3d

    out = np.zeros(hu.shape, bool)
    spacing = grid.spacing_mm
    margin = np.ceil((ISLE_BLUR_MM + ISLE_SHELL_MM) / spacing).astype(int)
    reach = grid.box_around(course.points, ISLE_REACH_MM + ISLE_BLUR_MM + ISLE_SHELL_MM)
    near, local = hu[reach], grid.crop(reach)
    bone = near >= ISLE_BONE_HU
    most = LARGEST_ISLE_MM3 / local.voxel_mm3
    for level in ISLE_LEVELS_HU:
        pieces = cc3d.connected_components(near >= level, connectivity=26)
        found = cc3d.statistics(pieces)
        small = np.flatnonzero(found["voxel_counts"] <= most)
        small = small[small > 0]
        if not len(small):
            continue
        away = course.locate(local.to_lps(found["centroids"][small]))[2]
        for piece in small[away <= ISLE_REACH_MM]:
            box = wider(found["bounding_boxes"][piece], margin, near.shape)
            gap = edt.edt(pieces[box] != piece, anisotropy=tuple(spacing), black_border=False)
            shell = (gap > ISLE_BLUR_MM) & (gap <= ISLE_BLUR_MM + ISLE_SHELL_MM)
            if bone[box][shell].mean() <= ISLE_SHARE:
                out[reach][box] |= gap <= ISLE_BLUR_MM
    return out
