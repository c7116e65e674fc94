"""How bright pure cement is in this scan, also where the scanner could not count that far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import ndtri

from thecal.volume import BoolArray, FloatArray, IntArray

# Vertebroplasty cements with 20 to 30 % barium sulphate or 45 % zirconia read 2400 to 6900 HU at 60 to 80 keV
# (mixture rule, reference figures 3.1); the prior's centre and its spread in log HU.
USUAL_HU = 4200.0
USUAL_LOG_SD = 0.35
MOST_HU = 9000.0
SIGMA_LOG_SD = 0.12
INTERIOR_SIGMAS = 1.6
INTERIOR_PERCENTILE = 75
LEAST_INTERIOR_VOXELS = 8
LEAST_PAIRS = 30
CLIPPED_SHARE = 0.3


@dataclass(frozen=True)
class Plateau:
    """HU of pure cement; ``measured`` is False where it is the usual value or only the brightest voxel."""

    hu: float
    measured: bool
    clipped: bool


def plateau(
    hu: IntArray,
    core: BoolArray,
    clip_hu: int | None,
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    noise_hu: float,
) -> Plateau:
    """HU of pure cement in ``core``.

    Where the scanner's limit does not cut it off: a high percentile of the voxels that lie deeper than the
    blur reaches. Where it does: from how steeply the edge falls below the limit. On an edge blurred by
    sigma, the inverse normal of the HU's share of the step falls linearly with distance / sigma; the step
    that makes it so is the plateau.

    Parameters
    ----------
    hu : (z, y, x) int16
    core : (z, y, x) bool
        Voxels surely of cement, roughly out to half its height.
    clip_hu : int or None
        The scanner's upper limit.
    sigma_mm, spacing_mm : (3,)
    noise_hu : float
    """
    values = hu[core].astype(float)
    if values.size == 0:
        return Plateau(USUAL_HU, False, False)
    cut = np.zeros(core.shape, bool) if clip_hu is None else core & (hu >= clip_hu - 1)
    depth = ndimage.distance_transform_edt(core, sampling=spacing_mm / sigma_mm)
    interior = core & (depth > INTERIOR_SIGMAS + 0.5 * float((spacing_mm / sigma_mm).min()))
    if cut.sum() > CLIPPED_SHARE * max(1, interior.sum()) and cut.sum() > 2:
        assert clip_hu is not None
        return _from_edges(hu, cut, clip_hu, sigma_mm, spacing_mm, noise_hu)
    if interior.sum() >= LEAST_INTERIOR_VOXELS:
        return Plateau(float(np.percentile(hu[interior], INTERIOR_PERCENTILE)), True, False)
    return Plateau(max(float(values.max()), 1.0), False, False)


def _from_edges(
    hu: IntArray,
    cut: BoolArray,
    clip_hu: int,
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    noise_hu: float,
) -> Plateau:
    """The plateau and the true in-plane sigma together, by least squares with mild priors on both."""
    lows, highs, shifts, grounds = [], [], [], []
    for axis in (1, 2):
        step = float(spacing_mm[axis])
        line = np.moveaxis(hu, axis, 2)
        mask = np.moveaxis(cut, axis, 2)
        for profile, flag in ((line, mask), (line[:, :, ::-1], mask[:, :, ::-1])):
            far = max(4, int(np.ceil(4.5 / step)))
            if profile.shape[2] <= far + 1 or profile.shape[1] < 3:
                continue
            at = np.argwhere(flag[:, 1:-1, : -far - 1] & ~flag[:, 1:-1, 1:-far])
            if len(at) == 0:
                continue
            z, r, c = at[:, 0], at[:, 1] + 1, at[:, 2]
            run = profile[z[:, None], r[:, None], c[:, None] + np.arange(far + 1)].astype(float)
            ground = np.median(run[:, -max(2, far // 3) :], axis=1)
            for k in range(1, far - 1):
                near, next_ = run[:, k], run[:, k + 1]
                side = (profile[z, r + 1, c + k].astype(float) - profile[z, r - 1, c + k]) / 2
                fall = near - next_
                facing = fall / np.hypot(fall, side)
                floor = ground + np.maximum(6 * noise_hu, 0.06 * clip_hu)
                good = (near < clip_hu - 2 * noise_hu) & (next_ > floor) & (facing > 0.9)
                good &= (ground > -200) & (ground < 700)
                lows.append(next_[good])
                highs.append(near[good])
                shifts.append(step * facing[good])
                grounds.append(ground[good])
    low = np.concatenate(lows) if lows else np.empty(0)
    if len(low) < LEAST_PAIRS:
        return Plateau(max(USUAL_HU, 1.15 * clip_hu), False, True)
    high, shift, ground = np.concatenate(highs), np.concatenate(shifts), np.concatenate(grounds)
    best = (np.inf, USUAL_HU)
    in_plane = float(sigma_mm[1:].mean())
    for candidate in np.geomspace(1.03 * clip_hu, MOST_HU, 40):
        share_high = (high - ground) / (candidate - ground)
        share_low = (low - ground) / (candidate - ground)
        drop = ndtri(np.clip(share_high, 1e-4, 1 - 1e-4)) - ndtri(np.clip(share_low, 1e-4, 1 - 1e-4))
        # Edges that are truly soft (cement between trabeculae, slanted walls) fall slower than the blur.
        sigma = float(np.percentile(shift / np.maximum(drop, 1e-3), 35))
        cost = (np.log(sigma / in_plane) / SIGMA_LOG_SD) ** 2
        cost += (np.log(candidate / USUAL_HU) / USUAL_LOG_SD) ** 2
        best = min(best, (cost, float(candidate)))
    return Plateau(best[1], True, True)
