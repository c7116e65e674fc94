"""Where cement surely is: voxels brighter than this patient's bone could ever be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.cement.nearness import Nearness
from thecal.terms import DISC_OFFSET
from thecal.volume import BoolArray, FloatArray, IntArray

# Dense cortex and osteophytes on sharp kernels read to 1900 HU in single voxels, facets to 1500 in many.
ABOVE_BONE = 1.25
NOISE_MARGIN = 3.0
SEED_RANGE_HU = (1300.0, 2400.0)
LEAST_SEED_MM3 = 3.0
REACH_MM = 70.0
# Weak cements (10 % BaSO4 or ZrO2) are no brighter than cortex, but thick where cortex is thin.
WEAK_ABOVE_BONE = 0.95
WEAK_RANGE_HU = (1000.0, 1700.0)
WEAK_RADIUS_MM = 2.5
WEAK_LEAST_MM3 = 100.0


def seed_threshold_hu(bone_hu: float, noise_hu: float) -> float:
    """HU above which a voxel is brighter than this patient's bone."""
    return float(np.clip(ABOVE_BONE * bone_hu + NOISE_MARGIN * noise_hu, *SEED_RANGE_HU))


def strong_seeds(
    hu: IntArray, near: Nearness, threshold_hu: float, spacing_mm: FloatArray
) -> npt.NDArray[np.int32]:
    """Connected groups of voxels above the threshold, within reach of the spine, numbered from 1.

    A lone bright voxel is noise unless the voxel is as large as a deposit.
    """
    import cc3d
    import fastremap

    groups: npt.NDArray[np.int32] = cc3d.connected_components(
        (hu >= threshold_hu) & (near.bone_mm <= REACH_MM), connectivity=26, out_dtype=np.uint32
    ).astype(np.int32)
    counts = np.bincount(groups.ravel())
    least = LEAST_SEED_MM3 / float(np.prod(spacing_mm))
    small = [int(i) for i in np.flatnonzero((counts < least) | ((counts < 2) & (least > 0.3)))]
    if small:
        groups = fastremap.mask(groups, small)
    groups, _ = fastremap.renumber(groups, in_place=True)
    return groups.astype(np.int32)


def weak_seeds(hu: IntArray, spine: Spine, bone_hu: float, threshold_hu: float, noise_hu: float) -> BoolArray:
    """Thick, even blocks about as bright as cortex, inside bodies, discs and canal.

    Returns the cores only: voxels whose whole neighbourhood is bright.
    """
    from thecal.anatomy.spine import Part

    spacing = spine.grid.spacing_mm
    level = float(np.clip(WEAK_ABOVE_BONE * bone_hu, *WEAK_RANGE_HU))
    labels = spine.labels
    inside = (spine.parts == Part.BODY) | ((labels > DISC_OFFSET) & (labels < 200))
    inside |= (labels == 60) | (labels == 61)
    bright = (hu >= level) & inside
    if np.count_nonzero(bright) * float(np.prod(spacing)) < WEAK_LEAST_MM3:
        return np.zeros(hu.shape, bool)
    import edt

    depth = edt.edt(bright, anisotropy=[float(s) for s in spacing], black_border=False, parallel=1)
    core: BoolArray = depth >= WEAK_RADIUS_MM
    if not core.any():
        return core
    grown = ndimage.binary_dilation(core, iterations=2) & bright
    groups, count = ndimage.label(grown, np.ones((3, 3, 3)))
    sizes = np.bincount(groups.ravel(), minlength=count + 1) * float(np.prod(spacing))
    keep = sizes >= WEAK_LEAST_MM3
    keep[0] = False
    result: BoolArray = keep[groups]
    return result
