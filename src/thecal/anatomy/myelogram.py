"""Whether contrast medium fills the canal, so that no wall of it can be seen."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.missing import DENSE_HU
from thecal.anatomy.ringed_path import BONE_HU, SOFT_HU, ringed_path
from thecal.volume import IntArray

CONTRAST = (
    "What fills the spinal canal is as bright as bone, contrast medium in the sac (a myelogram) perhaps, so "
    "its wall is not seen. --anatomy FILE takes a given label map instead."
)
# Contrast is even where trabecular bone is not: the deviation of 3 x 3 x 3 coarse voxels, HU.
EVEN_HU = 40.0
# What a slice of the path is worth at the least, in its mean: sacs painted with 160 to 700 HU into a phantom
# and into three CTs of ../shared/data reach 0.22 to 0.56. Aorta and heart reach 0.31 in the six CTs there,
# and their sum stays below half of the true canal's.
LEAST_WORTH = 0.2


def contrast_fills_canal(hu: IntArray, rival: float) -> bool:
    """Whether a better canal is found where what is bright and even passes for soft tissue.

    Parameters
    ----------
    hu : (z, y, x) int16
        On an even grid of ``COARSE_MM``.
    rival : float
        Worth of the best path through soft tissue.

    Returns
    -------
    bool
    """
    fine = hu.astype(np.float32)
    mean = ndimage.uniform_filter(fine, 3)
    spread = ndimage.uniform_filter(fine * fine, 3) - mean * mean
    even = (hu >= SOFT_HU[1]) & (hu < DENSE_HU) & (spread < EVEN_HU**2)
    bone = (hu > BONE_HU) & (hu < DENSE_HU) & ~even
    trail, _, worth = ringed_path(hu, bone, even)
    return worth > rival and worth > LEAST_WORTH * len(trail)
