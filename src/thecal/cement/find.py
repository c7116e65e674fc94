"""From a volume and its spine to the cement."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.cement.bone_brightness import brightest_bone_hu
from thecal.cement.candidates import Sorted, sort_candidates
from thecal.cement.contrast_in_sac import hiding_note, like_contrast
from thecal.cement.contrast_pool import contrast_pool
from thecal.cement.deposit_map import Cement
from thecal.cement.detection_limit import detection_limit_mm3
from thecal.cement.extent import Extent, cement_extent, plateau_of
from thecal.cement.faint import faint_seeds
from thecal.cement.nearness import Nearness, nearness
from thecal.cement.noise import noise_hu
from thecal.cement.point_spread import SLICE_SIGMA_SHARE, point_spread
from thecal.cement.seeds import LEAST_SEED_MM3, seed_threshold_hu, strong_seeds, weak_seeds
from thecal.quality import QualityNote
from thecal.volume import BoolArray, FloatArray, IntArray, Volume, box_of

# The dimmest cement that a detection limit is stated for, over what a seed needs with its noise. Published
# means of cement are 1000 to 3000 HU (reference figures 3.1); what is dimmer may hide at any size.
OVER_SEED = 1.25


def find_cement(volume: Volume, spine: Spine) -> Cement:
    """Find bone cement in and around the spine.

    Parameters
    ----------
    volume : Volume
    spine : Spine
        Of the same volume; the result lies in its crop.

    Returns
    -------
    Cement
        ``pieces`` is 0 everywhere where there is none; ``detection_limit_mm3`` always says how small a
        deposit would have been seen.
    """
    # Contrast medium in the sac is neither cement nor what cement is measured against.
    hu = spine.plain_hu(volume)
    spacing = spine.grid.spacing_mm
    spread = point_spread(volume)
    noise = noise_hu(volume.hu[spine.box])
    bone = brightest_bone_hu(hu, spine)
    threshold = seed_threshold_hu(bone, noise)
    near = nearness(spine)
    pool = cache(lambda: contrast_pool(hu, near, spacing))
    strong = strong_seeds(hu, near, threshold, spacing)
    contrast = like_contrast(volume, spine)
    strong[contrast] = 0
    candidates = sort_candidates(hu, strong, spine, near, pool, threshold)
    weak = weak_seeds(hu, spine, bone, threshold, noise) & ~candidates.metal & ~contrast
    weak_only = bool(weak.any()) and not candidates.cement.any()
    seeds = candidates.cement | weak
    if seeds.any():
        if candidates.cement.any():
            seeds |= ~contrast & _faint(hu, seeds, candidates, spine, near, pool, spread.sigma_mm, noise,
                                        threshold, volume)  # fmt: skip
        extent = cement_extent(
            hu, seeds, candidates.metal | candidates.other | contrast, spine, near, spread.sigma_mm, noise,
            bone, threshold,
            volume.source.hu_clipped_at,
        )  # fmt: skip
    else:
        extent = Extent(np.zeros(hu.shape, np.int32), np.zeros(hu.shape, np.float32), 0.0, False, False)
    measured = extent.plateau_hu if extent.pieces.any() else None
    limit_mm3, limit_hu = _limit(_slice_sigma(spread.sigma_mm, volume), spacing, threshold, noise, measured)
    notes = list(_notes(extent, weak_only, candidates.metal, candidates.reasons, volume))
    if (hides := hiding_note(spine, limit_hu)) is not None:
        notes.append(hides)
    return Cement(
        box=spine.box,
        grid=spine.grid,
        pieces=extent.pieces,
        fraction=extent.fraction,
        metal=_grown(candidates.metal),
        psf_sigma_mm=spread.sigma_mm,
        noise_hu=noise,
        detection_limit_mm3=limit_mm3,
        detection_limit_hu=limit_hu,
        quality=tuple(notes),
    )


def _slice_sigma(sigma_mm: FloatArray, volume: Volume) -> FloatArray:
    """The point spread of one slice; less along z than the stack's where slices leave gaps between them.

    A ball between two such slices is not blurred into them: it is not scanned.
    """
    thickness = volume.source.slice_thickness_mm
    own = sigma_mm.copy()
    if thickness and thickness < 0.9 * float(volume.grid.spacing_mm[0]):
        own[0] = min(float(own[0]), float(np.hypot(SLICE_SIGMA_SHARE * thickness, 0.2)))
    return own


def _limit(
    sigma_mm: FloatArray, spacing_mm: FloatArray, threshold: float, noise: float, measured_hu: float | None
) -> tuple[float, float]:
    """The detection limit in mm3, and the brightness from which it holds.

    That is this patient's own cement where it was measured; without any, or where it is no brighter than a
    seed must be, the dimmest cement that the scan shows with a margin.
    """
    dimmest = float(50.0 * np.ceil(OVER_SEED * (threshold + 2.0 * noise) / 50.0))
    for hu in (dimmest,) if measured_hu is None else (measured_hu, dimmest):
        limit = detection_limit_mm3(sigma_mm, spacing_mm, threshold, noise, hu, LEAST_SEED_MM3)
        if np.isfinite(limit):
            break
    return limit, hu


def _faint(
    hu: IntArray,
    seeds: BoolArray,
    candidates: Sorted,
    spine: Spine,
    near: Nearness,
    pool: Callable[[], BoolArray],
    sigma_mm: FloatArray,
    noise: float,
    threshold: float,
    volume: Volume,
) -> BoolArray:
    """Dimmer deposits that the sure ones make believable."""
    pure = plateau_of(hu, seeds, volume.source.hu_clipped_at, sigma_mm, spine.grid.spacing_mm, noise)
    groups = faint_seeds(hu, spine, near, pure.hu, threshold, noise)
    foreign = candidates.metal | candidates.other
    box = box_of(foreign, 2)
    if box is not None:
        groups[box][ndimage.binary_dilation(foreign[box], iterations=2)] = 0
    return sort_candidates(hu, groups, spine, near, pool, threshold).cement


def _grown(metal: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    box = box_of(metal, 1)
    if box is not None:
        metal[box] = ndimage.binary_dilation(metal[box])
    return metal


def _notes(
    extent: Extent,
    weak_only: bool,
    metal: npt.NDArray[np.bool_],
    reasons: dict[str, int],
    volume: Volume,
) -> list[QualityNote]:
    notes = []
    if metal.any():
        notes.append(
            QualityNote(
                "metal_in_view",
                "warning",
                "Metal hardware lies in view; cement within a few millimetres of it, and canal and bone "
                "in its streaks, cannot be judged.",
            )
        )
    if weak_only and extent.pieces.any():
        notes.append(
            QualityNote(
                "weak_cement_or_dense_bone",
                "warning",
                "The dense material found is no brighter than cortical bone: a weakly opaque cement, a bone "
                "island or a sclerotic metastasis look alike here.",
            )
        )
    if extent.clipped and extent.pieces.any():
        notes.append(
            QualityNote(
                "cement_clipped",
                "info",
                f"The scanner cuts HU off at {volume.source.hu_clipped_at}; the cement's own brightness was "
                f"{'estimated from its edges' if extent.measured else 'taken as usual for such cements'} "
                f"as {extent.plateau_hu:.0f} HU.",
            )
        )
    return notes
