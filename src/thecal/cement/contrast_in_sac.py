"""Where contrast medium in the sac is as bright as cement may be, so that none could be told from it."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.quality import QualityNote
from thecal.volume import BoolArray, Volume

OUTSHINES: Final = 1.3
"""Assumed: what stands out of contrast by less than this is not told from it."""
BESIDE_MM: Final = 4.0
BEYOND_MM: Final = 12.0


def hiding_planes(spine: Spine, cement_hu: float) -> BoolArray:
    """Planes of the canal, (n,), on which contrast medium would hide cement of that brightness.

    Parameters
    ----------
    spine : Spine
    cement_hu : float
        The brightness that the scan's detection limit holds for.
    """
    frame = spine.canal.frame
    if spine.contrast is None:
        return np.zeros(len(frame.s_mm), bool)
    at = frame.index(frame.locate(spine.contrast.points)[0])
    hidden = np.zeros(len(frame.s_mm), bool)
    hidden[at[np.nan_to_num(spine.contrast.hu) * OUTSHINES > cement_hu]] = True
    return hidden


def like_contrast(volume: Volume, spine: Spine) -> BoolArray:
    """Voxels of the crop, in and beside the canal, that do not outshine its contrast medium.

    What is left of contrast at the ends of a scan, or beside the outline it was given, is no cement.
    """
    if spine.contrast is None:
        return np.zeros(spine.labels.shape, bool)
    size = 2 * np.ceil(BESIDE_MM / spine.grid.spacing_mm).astype(int) + 1
    beside = np.argwhere(ndimage.maximum_filter(spine.canal_mask(), tuple(size)))
    frame = spine.canal.frame
    at = frame.index(frame.locate(spine.contrast.points)[0])
    bright = np.zeros(len(frame.s_mm))
    np.maximum.at(bright, at, np.nan_to_num(spine.contrast.hu))
    # What is left of contrast reaches a little beyond the planes on which it was seen.
    bright = ndimage.maximum_filter1d(bright, 2 * round(BEYOND_MM / frame.step_mm) + 1, mode="nearest")
    row = frame.index(frame.locate(spine.grid.to_lps(beside))[0])
    like = np.zeros(spine.labels.shape, bool)
    like[tuple(beside.T)] = volume.hu[spine.box][tuple(beside.T)] < OUTSHINES * bright[row]
    return like


def hiding_note(spine: Spine, cement_hu: float) -> QualityNote | None:
    """A warning where contrast medium hides cement, or none."""
    if spine.contrast is None or not hiding_planes(spine, cement_hu).any():
        return None
    return QualityNote(
        "contrast_hides_cement",
        "warning",
        f"Contrast medium in the sac is up to {spine.contrast.brightest_hu():.0f} HU bright: cement of "
        f"{cement_hu:.0f} HU, which the detection limit is stated for, may not stand out of it there.",
    )
