"""The smallest compact deposit that this scan would show."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.volume import FloatArray

CANDIDATE_MM3 = np.geomspace(0.5, 2000.0, 60)
BACKGROUND_HU = 40.0
# Where in a voxel the ball's centre lies, as shares of the voxel along each axis.
PLACES = (0.0, 0.25, 0.5, 0.75)


def detection_limit_mm3(
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    threshold_hu: float,
    noise_hu: float,
    plateau_hu: float,
    least_seed_mm3: float,
) -> float:
    """Smallest ball of cement whose blurred image passes the seed rule, least favourable placement.

    A ball of each candidate volume is drawn finely, blurred by the scan's point spread and sampled on the
    scan's grid at several placements; it is shown if in each of them enough voxels stay above the seed
    threshold by twice the noise.

    Parameters
    ----------
    sigma_mm, spacing_mm : (3,)
    threshold_hu, noise_hu, plateau_hu : float
    least_seed_mm3 : float
        Volume above the threshold that makes a seed.

    Returns
    -------
    float
        mm3; infinity where no candidate is shown.
    """
    needed = max(1, int(np.ceil(least_seed_mm3 / float(np.prod(spacing_mm)))))
    if needed > 1 or float(np.prod(spacing_mm)) < 10.0:
        needed = max(needed, 2)
    bar = (threshold_hu + 2.0 * noise_hu - BACKGROUND_HU) / (plateau_hu - BACKGROUND_HU)
    low, high = 0, len(CANDIDATE_MM3)
    while low < high:
        middle = (low + high) // 2
        if _voxels_above(float(CANDIDATE_MM3[middle]), sigma_mm, spacing_mm, bar) >= needed:
            high = middle
        else:
            low = middle + 1
    return float(CANDIDATE_MM3[low]) if low < len(CANDIDATE_MM3) else float("inf")


def _voxels_above(volume_mm3: float, sigma_mm: FloatArray, spacing_mm: FloatArray, bar: float) -> int:
    """Voxels of the blurred ball above ``bar``, the fewest over several placements on the grid."""
    radius = (3 * volume_mm3 / (4 * np.pi)) ** (1 / 3)
    fine = max(0.15, radius / 12)
    # The fine grid holds whole voxels, so that sampling it is slicing it.
    per_voxel = np.maximum(1, np.rint(spacing_mm / fine)).astype(int)
    step = spacing_mm / per_voxel
    half = np.ceil((radius + 3 * sigma_mm) / spacing_mm).astype(int) + 1
    axes = [np.arange(-h * p, h * p + 1) * d for h, p, d in zip(half, per_voxel, step, strict=True)]
    ball = (
        axes[0][:, None, None] ** 2 + axes[1][None, :, None] ** 2 + axes[2][None, None, :] ** 2 <= radius**2
    ).astype(np.float32)
    image = ndimage.gaussian_filter(ball, sigma_mm / step, truncate=3.0, mode="constant")
    seen = []
    for share in PLACES:
        a, b, c = (int(share * p) for p in per_voxel)
        sampled = image[a :: per_voxel[0], b :: per_voxel[1], c :: per_voxel[2]]
        seen.append(int(np.count_nonzero(sampled >= bar)))
    return min(seen)
