"""Whether values are HU at all, and where the scanner clipped them."""

from __future__ import annotations

import numpy as np

from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import IntArray

SAMPLED_VOXELS = 2_000_000
# What of a scan is no air; and the fat, muscle, water, organs, contrast and marrow that most of it is.
TISSUE_ABOVE_HU = -300
LEAST_TISSUE_SHARE = 0.03
SOFT_HU = (-150, 250)
LEAST_SOFT_SHARE = 0.25
# Any one of these fixes the scale: air around the patient, fat, or, in a crop without, a peak of muscle.
AIR_BELOW_HU = -900
LEAST_AIR_SHARE = 0.005
FAT_HU = (-150, -20)
LEAST_FAT_SHARE = 0.004
MUSCLE_PEAK_HU = (20, 110)
PEAK_BIN_HU = 20
LEAST_PEAK_SHARE = 0.25
# Trabecular and cortical bone.
BONE_HU = 200
LEAST_BONE_SHARE = 0.0005
DENSER_THAN_MUSCLE_HU = 80
# Coarser than this, a basivertebral vein or a pedicle's wall is thinner than a slice.
THICK_SLICES_MM = 3.0
# Headers round: so much of the spacing may be missing from the thickness.
UNSCANNED_SHARE = 0.10
# A plateau at the top of the histogram: more voxels at the very top than this many times the mean of the
# HU just below it.
PLATEAU_TIMES = 8
PLATEAU_VOXELS = 12
PLATEAU_REACH_HU = 64
LOWEST_CEILING_HU = 1500


def judge(hu: IntArray, what: str, padding_fraction: float = 0.0) -> tuple[QualityNote, ...]:
    """Refuse what is clearly not HU.

    Parameters
    ----------
    hu : int16
        Padding already air.
    what : str
        How a message names the input.
    padding_fraction : float
        Share of voxels that are padding, and so no evidence of air.

    Raises
    ------
    InputError
        Where no CT of a patient has such values: an MR, a label map, an uncalibrated cone-beam scan.
    """
    values = _sample(hu)
    low, high = int(values.min()), int(values.max())
    if low == high:
        raise InputError(f"All voxels of {what} have the same value, so it is no CT.")
    if low >= 0 and high <= 1000 and len(np.unique(values[:100_000])) < 40:
        raise InputError(f"The values of {what} look like a label map, not like a CT in HU.")
    tissue = values[values > TISSUE_ABOVE_HU]
    air = float(np.mean(values <= AIR_BELOW_HU)) - padding_fraction
    reason = _reason(tissue, len(tissue) / (len(values) * (1 - min(padding_fraction, 0.99))), air)
    if reason:
        raise InputError(f"The values of {what} are not HU: {reason}.")
    if np.count_nonzero(tissue > BONE_HU) < LEAST_BONE_SHARE * len(tissue):
        return (QualityNote("no_bone", "critical", "Hardly a voxel of the scan is as dense as bone."),)
    return ()


def _reason(tissue: IntArray, tissue_share: float, air_share: float) -> str | None:
    """Why values are not HU; None where they may be."""
    if tissue_share < LEAST_TISSUE_SHARE:
        return f"only {tissue_share:.1%} of the voxels are denser than {TISSUE_ABOVE_HU} HU"
    if _share(tissue, SOFT_HU) < LEAST_SOFT_SHARE:
        return f"only {_share(tissue, SOFT_HU):.0%} of the tissue reads as fat, muscle or water"
    if np.percentile(tissue, 99.9) < DENSER_THAN_MUSCLE_HU:
        return "nothing is denser than muscle"
    fixed = air_share >= LEAST_AIR_SHARE or _share(tissue, FAT_HU) >= LEAST_FAT_SHARE or _muscle_peak(tissue)
    return None if fixed else "neither air nor fat nor muscle is where CT shows it"


def _share(values: IntArray, between: tuple[int, int]) -> float:
    return float(np.mean((values >= between[0]) & (values <= between[1])))


def _muscle_peak(tissue: IntArray) -> bool:
    """Whether the commonest value is muscle's, and common enough."""
    counts, edges = np.histogram(tissue, np.arange(TISSUE_ABOVE_HU, 3000, PEAK_BIN_HU))
    peak = int(counts.argmax())
    middle = (edges[peak] + edges[peak + 1]) / 2
    near = counts[max(0, peak - 2) : peak + 3].sum()
    return bool(MUSCLE_PEAK_HU[0] <= middle <= MUSCLE_PEAK_HU[1] and near >= LEAST_PEAK_SHARE * len(tissue))


def shows_bone(hu: IntArray) -> bool:
    """Whether slices hold bone among soft tissue."""
    values = _sample(hu)
    tissue = values[values > TISSUE_ABOVE_HU]
    if len(tissue) < 100:
        return False
    return bool(np.count_nonzero(tissue > BONE_HU) >= 5 * LEAST_BONE_SHARE * len(tissue))


def thick_slices(resolution_mm: float) -> tuple[QualityNote, ...]:
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
        f"The slices are {resolution_mm:.1f} mm thick or apart: small deposits, thin walls and the "
        "border of the canal are blurred, and measures along the spine are coarse.",
    )
    return (note,)


def gaps_between_slices(spacing_mm: float, thickness_mm: float | None) -> tuple[QualityNote, ...]:
    """A note where slices are thinner than they are apart, as in step-and-shoot scans.

    Parameters
    ----------
    spacing_mm : float
        From slice to slice.
    thickness_mm : float or None
        As the header says.
    """
    if not thickness_mm or thickness_mm >= (1 - UNSCANNED_SHARE) * spacing_mm:
        return ()
    unscanned = spacing_mm - thickness_mm
    note = QualityNote(
        "gaps_between_slices",
        "warning",
        f"The slices are {thickness_mm:.1f} mm thick but {spacing_mm:.1f} mm apart: {unscanned:.1f} mm "
        f"between each two, {unscanned / spacing_mm:.0%} of the length, was never scanned; cement that lies "
        "only there is not seen, and volumes and shapes are made up between the slices.",
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
    """Every n-th voxel, n odd so that it does not keep step with rows or slices."""
    flat = hu.reshape(-1)
    values: IntArray = flat[:: max(1, len(flat) // SAMPLED_VOXELS) | 1]
    return values
