"""Whether values are HU at all, and where the scanner clipped them."""

from __future__ import annotations

import numpy as np

from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import AIR_HU, IntArray

SAMPLED_VOXELS = 2_000_000
# Fat and muscle; on any CT of the trunk, whole or cropped to a vertebra, they are common.
FAT_HU = (-150, -20)
SOFT_HU = (-150, 250)
LEAST_SOFT_SHARE = 0.25
LEAST_FAT_SHARE = 0.004
# Trabecular and cortical bone.
BONE_HU = 200
LEAST_BONE_SHARE = 0.0005
TISSUE_ABOVE_HU = -300
LEAST_TISSUE_SHARE = 0.03
# Coarser than this, a basivertebral vein or a pedicle's wall is thinner than a slice.
THICK_SLICES_MM = 3.0
# A plateau at the top of the histogram: more voxels at the very top than this many times the mean of the
# HU just below it.
PLATEAU_TIMES = 8
PLATEAU_VOXELS = 12
PLATEAU_REACH_HU = 64
LOWEST_CEILING_HU = 1500


def judge(hu: IntArray, what: str) -> tuple[QualityNote, ...]:
    """Refuse what is clearly not HU.

    Parameters
    ----------
    hu : int16
        Padding already air.
    what : str
        How a message names the input.

    Raises
    ------
    InputError
        Where no CT of a patient has such values: an MR, a label map, an uncalibrated cone-beam scan.
    """
    values = _sample(hu)
    low, high = int(values.min()), int(values.max())
    if low == high:
        raise InputError(f"All voxels of {what} have the same value, so it is no CT.")
    if len(np.unique(values[:100_000])) < 40 and high <= 1000:
        raise InputError(f"The values of {what} look like a label map, not like a CT in HU.")
    tissue = values[values > TISSUE_ABOVE_HU]
    reason = _reason(tissue, values)
    if reason:
        raise InputError(f"The values of {what} are not HU: {reason}.")
    notes = []
    if np.count_nonzero(tissue > BONE_HU) < LEAST_BONE_SHARE * len(tissue):
        notes.append(QualityNote("no_bone", "critical", f"Hardly a voxel of {what} is as dense as bone."))
    return tuple(notes)


def _reason(tissue: IntArray, values: IntArray) -> str | None:
    if len(tissue) < LEAST_TISSUE_SHARE * len(values):
        return f"only {len(tissue) / len(values):.1%} of it is denser than {TISSUE_ABOVE_HU} HU"
    soft = float(np.mean((tissue >= SOFT_HU[0]) & (tissue <= SOFT_HU[1])))
    fat = float(np.mean((tissue >= FAT_HU[0]) & (tissue <= FAT_HU[1])))
    if int(values.min()) >= 0:
        return "none is negative, and on CT air and fat are"
    if soft < LEAST_SOFT_SHARE:
        return f"only {soft:.0%} of the tissue has the values of fat, muscle or water"
    if fat < LEAST_FAT_SHARE:
        return "there is no fat"
    if np.percentile(tissue, 99.9) < 60:
        return "nothing is denser than muscle"
    return None


def shows_bone(hu: IntArray) -> bool:
    """Whether slices hold bone among soft tissue."""
    values = _sample(hu)
    tissue = values[values > TISSUE_ABOVE_HU]
    if len(tissue) < 100:
        return False
    return bool(np.count_nonzero(tissue > BONE_HU) >= 5 * LEAST_BONE_SHARE * len(tissue))


def thick_slices(resolution_mm: float, what: str) -> tuple[QualityNote, ...]:
    """A note where slices are too coarse for small deposits.

    Parameters
    ----------
    resolution_mm : float
        The coarser of slice spacing and slice thickness.
    """
    if resolution_mm <= THICK_SLICES_MM + 0.05:
        return ()
    note = QualityNote(
        "thick_slices",
        "warning",
        f"The slices of {what} are {resolution_mm:.1f} mm thick or apart: small deposits, thin walls and the "
        "border of the canal are blurred, and measures along the spine are coarse.",
    )
    return (note,)


def clipped_at(hu: IntArray, ceiling: float | None) -> tuple[int | None, tuple[QualityNote, ...]]:
    """The HU at which the scan is cut off, and a note where it is reached.

    A DICOM header's bits give the ceiling, whether the scan reaches it or not; where they are too many to
    clip, and in volume files, it is read from the plateau that clipping leaves at the top.
    """
    top = int(hu.max())
    found: int | None = None
    if ceiling is not None and top <= ceiling:
        found = round(ceiling)
    elif top >= LOWEST_CEILING_HU:
        at_top = sum(int(np.count_nonzero(plane == top)) for plane in hu)
        near = sum(int(np.count_nonzero(plane >= top - PLATEAU_REACH_HU)) for plane in hu)
        below = near - at_top
        if at_top >= max(PLATEAU_VOXELS, PLATEAU_TIMES * below / PLATEAU_REACH_HU):
            found = top
    if found is None or top < found:
        return found, ()
    reached = sum(int(np.count_nonzero(plane >= found)) for plane in hu)
    note = QualityNote(
        "hu_clipped",
        "info",
        f"{reached} voxels are at the scan's highest value, {found} HU; what is denser cannot be told apart.",
    )
    return found, (note,)


def _sample(hu: IntArray) -> IntArray:
    """Every n-th voxel, without the air that padding was made into."""
    flat = hu.reshape(-1)
    # A prime number of voxels never keeps step with rows or slices.
    values: IntArray = flat[:: max(1, len(flat) // SAMPLED_VOXELS) | 1]
    kept: IntArray = values[values > AIR_HU]
    return kept if len(kept) else values
