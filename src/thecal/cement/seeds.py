"""Where cement surely is: voxels brighter than this patient's bone could ever be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.cement.nearness import Nearness
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import BoolArray, FloatArray, IntArray, box_of

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

    result = np.zeros(hu.shape, np.int32)
    bright = (hu >= threshold_hu) & (near.bone_mm <= REACH_MM)
    box = box_of(bright)
    if box is None:
        return result
    groups = cc3d.connected_components(bright[box], connectivity=26)
    counts = np.bincount(groups.ravel())
    least = LEAST_SEED_MM3 / float(np.prod(spacing_mm))
    keep = ~((counts < least) | ((counts < 2) & (least > 0.3)))
    keep[0] = False
    result[box] = np.where(keep, np.cumsum(keep), 0).astype(np.int32)[groups]
    return result


def weak_seeds(hu: IntArray, spine: Spine, bone_hu: float, threshold_hu: float, noise_hu: float) -> BoolArray:
    """Thick, even blocks about as bright as cortex, inside bodies, discs and canal.

    Returns the cores only: voxels whose whole neighbourhood is bright.
    """
    from thecal.anatomy.spine import Part

    spacing = spine.grid.spacing_mm
    level = float(np.clip(WEAK_ABOVE_BONE * bone_hu, *WEAK_RANGE_HU))
    dense = np.flatnonzero(hu >= level)
    labels = spine.labels.ravel()[dense]
    inside = (spine.parts.ravel()[dense] == Part.BODY) | ((labels > DISC_OFFSET) & (labels < 200))
    inside |= (labels == THECAL_SAC) | (labels == EPIDURAL_SPACE)
    dense = dense[inside]
    result = np.zeros(hu.shape, bool)
    if len(dense) * float(np.prod(spacing)) < WEAK_LEAST_MM3:
        return result
    places = np.unravel_index(dense, hu.shape)
    box = tuple(slice(max(0, int(p.min()) - 1), int(p.max()) + 2) for p in places)
    result.ravel()[dense] = True
    bright = result[box].copy()
    result[box] = False
    import edt

    depth = edt.edt(bright, anisotropy=[float(s) for s in spacing], black_border=False, parallel=1)
    core: BoolArray = depth >= WEAK_RADIUS_MM
    if not core.any():
        return result
    grown = ndimage.binary_dilation(core, iterations=2) & bright
    groups, count = ndimage.label(grown, np.ones((3, 3, 3)))
    sizes = np.bincount(groups.ravel(), minlength=count + 1) * float(np.prod(spacing))
    keep = sizes >= WEAK_LEAST_MM3
    keep[0] = False
    result[box] = keep[groups]
    return result
