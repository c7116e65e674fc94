"""The scan as if no contrast medium lay in the sac."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import erfc

from thecal.anatomy.contrast.border import Samples
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, Box, FloatArray, IntArray, Volume

PLAIN_HU: Final = 20.0
"""What the sac reads on plain CT (CSF and roots, from memory), put in the place of contrast."""
FAT_FLOOR_HU: Final = -80.0
DENSE_HU: Final = 1300.0
USUAL_CEMENT_HU: Final = 2000.0
CEMENT_FLOOR: Final = 1.25
LEAST_CEMENT_MM3: Final = 30.0
METAL_HU: Final = 7500.0


def taken_out(
    volume: Volume,
    box: Box,
    frame: CanalFrame,
    theta: FloatArray,
    border: FloatArray,
    local: FloatArray,
    filled: BoolArray,
    sigma_mm: float,
) -> IntArray:
    """The box's HU less what contrast adds: its blurred share of each voxel, times its brightness.

    Of a voxel that cement shares, the contrast fills only what the cement leaves.
    """
    hu = volume.hu[box].astype(np.float32)
    index = np.argwhere(np.ones(hu.shape, bool))
    points = volume.grid.crop(box).to_lps(index)
    s, angle, r = frame.locate(points)
    row = frame.index(s)
    column = np.rint((angle - theta[0]) / (2 * np.pi / len(theta))).astype(int) % len(theta)
    off = np.abs(((points - frame.points[row]) * frame.cranial[row]).sum(axis=1))
    share = 0.5 * erfc((r - border[row, column]) / (np.sqrt(2) * sigma_mm))
    share *= filled[row] & (off <= 1.5 * frame.step_mm)
    value, contrast = hu.ravel(), local[row, column]
    cement = _cement_hu(hu, float(volume.grid.voxel_mm3), float(np.nanmax(local[filled])))
    least = CEMENT_FLOOR * contrast
    dense = np.clip((value - least) / np.maximum(cement - least, 100.0), 0, 1)
    freed = value - share * np.maximum(contrast - PLAIN_HU, 0) * (1 - dense)
    floor = np.minimum(value, share * PLAIN_HU + (1 - share) * FAT_FLOOR_HU)
    plain = np.where(share > 0.01, np.maximum(freed, floor), value)
    return np.rint(plain).astype(np.int16).reshape(hu.shape)


def _cement_hu(hu: Samples, voxel_mm3: float, contrast_hu: float) -> float:
    """How bright a voxel full of cement is here; as usual where none is seen."""
    bright = hu[(hu > max(DENSE_HU, 1.5 * contrast_hu)) & (hu < METAL_HU)]
    if len(bright) * voxel_mm3 < LEAST_CEMENT_MM3:
        return USUAL_CEMENT_HU
    return max(float(np.percentile(bright, 75)), USUAL_CEMENT_HU)
