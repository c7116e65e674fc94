"""Where cement surely is: voxels brighter than this patient's bone could ever be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, disc_mask
from thecal.cement.groups import groups_by_size
from thecal.cement.nearness import Nearness
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
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
    """Connected groups of voxels above the threshold, within reach of the spine, numbered from 1."""
    return groups_by_size((hu >= threshold_hu) & (near.bone_mm <= REACH_MM), spacing_mm, LEAST_SEED_MM3)


def weak_seeds(hu: IntArray, spine: Spine, bone_hu: float, threshold_hu: float, noise_hu: float) -> BoolArray:
    """Thick, even blocks about as bright as cortex, inside bodies, discs and canal.

    Returns the cores only: voxels whose whole neighbourhood is bright.
    """
    spacing = spine.grid.spacing_mm
    level = float(np.clip(WEAK_ABOVE_BONE * bone_hu, *WEAK_RANGE_HU))
    dense = np.flatnonzero(hu >= level)
    labels = spine.labels.ravel()[dense]
    inside = (spine.parts.ravel()[dense] == Part.BODY) | disc_mask(labels)
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
