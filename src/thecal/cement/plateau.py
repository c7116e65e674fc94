"""How bright pure cement is in this scan, also where the scanner could not count that far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.special import erf, ndtri

from thecal.cement.mode import mode
from thecal.volume import BoolArray, FloatArray, IntArray

# Vertebroplasty cements with 20 to 30 % barium sulphate or 45 % zirconia read 2400 to 6900 HU at 60 to 80 keV
# (mixture rule, reference figures 3.1); the prior's centre and its spread in log
# HU, for cement known to lie above the scanner's limit.
USUAL_HU = 4600.0
USUAL_LOG_SD = 0.30
MOST_HU = 9000.0
SIGMA_LOG_SD = 0.10
INTERIOR_SIGMAS = 1.6
# Between two edges at once the blur takes more than a tenth where they are nearer than this.
SURE_INTERIOR_SIGMAS = 3.0
INTERIOR_PERCENTILE = 75
LEAST_INTERIOR_VOXELS = 8
LEAST_CENSORED_VOXELS = 30
LEAST_PAIRS = 10
CLIPPED_SHARE = 0.3
# Voxels of pure cement scatter by about this share of their mean: trabeculae and marrow in it, streaks.
SCATTER_SHARE = 0.10
# Up to this share of the depth cut off, the scatter itself is read off what is left; beyond the second, the
# few voxels below the limit are blurred edges and pores rather than the cement's own scatter.
SCATTER_SEEN = 0.6
DEPTH_SEEN = 0.985
DEPTH_LOG_SD = 0.03
DEPTH_LOG_SD_PER_SIGMA = 0.04
LEAST_FACING = 0.75
# Nearer to the limit, corners and slanted walls that the blur has rounded pass for flank.
UPPERMOST_SHARE = 0.8
# Cement surfaces are rounded; across the slice the blur then mixes edges that lie sigma^2 / 2R apart.
ROUND_MM = 4.0
GROUND_HU = (-200.0, 700.0)


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
    depths = hu[interior]
    lost = float(cut[interior].mean()) if len(depths) else 1.0
    sure = bool(np.count_nonzero(depth[interior] > SURE_INTERIOR_SIGMAS) >= LEAST_INTERIOR_VOXELS)
    if clip_hu is not None and len(depths) >= LEAST_CENSORED_VOXELS and lost <= SCATTER_SEEN:
        return Plateau(_censored(depths, lost), sure, lost > 1 - INTERIOR_PERCENTILE / 100)
    if cut.sum() > CLIPPED_SHARE * max(1, len(depths)) and cut.sum() > 2:
        assert clip_hu is not None
        prior = (USUAL_HU, USUAL_LOG_SD)
        deep = interior & (depth > SURE_INTERIOR_SIGMAS)
        lost = float(cut[deep].mean()) if np.count_nonzero(deep) >= LEAST_CENSORED_VOXELS else 1.0
        if lost < DEPTH_SEEN:
            prior = _from_share_cut(clip_hu, lost)
        return _from_edges(hu, cut, clip_hu, sigma_mm, spacing_mm, noise_hu, prior)
    if len(depths) >= LEAST_INTERIOR_VOXELS:
        return Plateau(float(np.percentile(depths, INTERIOR_PERCENTILE)), sure, False)
    return Plateau(_from_peak(hu, core, sigma_mm, spacing_mm), False, False)


def _censored(depths: IntArray, lost: float) -> float:
    """The high percentile of values of which the share ``lost`` stands at the scanner's limit.

    As long as the percentile lies below the limit, it is what it is. Beyond, the part below is drawn out on
    a normal probability plot.
    """
    if lost < 1 - INTERIOR_PERCENTILE / 100:
        return float(np.percentile(depths, INTERIOR_PERCENTILE))
    # The lowest ranks are blurred edges and pores; the topmost seen touch the limit.
    ranks = np.linspace(0.4, 0.95, 12) * (1 - lost)
    slope, middle = np.polyfit(ndtri(ranks), np.percentile(depths, 100 * ranks), 1)
    slope = min(float(slope), 2 * SCATTER_SHARE * float(middle))
    seen = ranks[-1]
    return float(np.percentile(depths, 100 * seen)) + slope * float(
        ndtri(INTERIOR_PERCENTILE / 100) - ndtri(seen)
    )


def _from_share_cut(clip_hu: int, lost: float) -> tuple[float, float]:
    """The plateau from the share of the depth that is cut off, and its doubt in log HU."""
    above = float(ndtri(lost))
    middle = clip_hu / (1 - SCATTER_SHARE * above)
    value = middle * (1 + SCATTER_SHARE * float(ndtri(INTERIOR_PERCENTILE / 100)))
    return value, DEPTH_LOG_SD + DEPTH_LOG_SD_PER_SIGMA * above


def _from_peak(hu: IntArray, core: BoolArray, sigma_mm: FloatArray, spacing_mm: FloatArray) -> float:
    """The plateau of a deposit too small to show it: its peak over what the blur leaves of a ball that size.

    The centre of a ball of radius R blurred by sigma keeps erf(R / sqrt(2) sigma) - sqrt(2 / pi) R / sigma
    exp(-R^2 / 2 sigma^2) of its height. Held below the usual plateau: the smallest deposits tell no more.
    """
    bright = np.where(core, hu, np.iinfo(np.int16).min)
    at = np.unravel_index(int(np.argmax(bright)), hu.shape)
    groups, _ = ndimage.label(core, np.ones((3, 3, 3)))
    volume = float((groups == groups[at]).sum() * np.prod(spacing_mm))
    ratio = (3 * volume / (4 * np.pi)) ** (1 / 3) / float(np.prod(sigma_mm)) ** (1 / 3)
    kept = float(erf(ratio / np.sqrt(2)) - np.sqrt(2 / np.pi) * ratio * np.exp(-(ratio**2) / 2))
    peak = max(float(bright.max()), 1.0)
    return max(peak, min(peak / max(kept, 0.2), USUAL_HU))


def _from_edges(
    hu: IntArray,
    cut: BoolArray,
    clip_hu: int,
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    noise_hu: float,
    prior: tuple[float, float],
) -> Plateau:
    """The plateau and the true in-plane sigma together, by least squares with priors on both."""
    edges = np.concatenate(
        [_edge_pairs(hu, cut, axis, back, clip_hu, sigma_mm, spacing_mm, noise_hu)
         for axis in (1, 2) for back in (False, True)]
    )  # fmt: skip
    if len(edges) < LEAST_PAIRS:
        return Plateau(max(prior[0], 1.03 * clip_hu), prior[0] != USUAL_HU, True)
    low, high, ground, expected = edges.T
    best = (np.inf, prior[0])
    for candidate in np.geomspace(1.03 * clip_hu, MOST_HU, 48):
        drop = ndtri((high - ground) / (candidate - ground)) - ndtri((low - ground) / (candidate - ground))
        # Edges that are truly soft (cement between trabeculae, slanted walls) fall slower than the blur.
        ratio = np.log(expected / drop)
        wider = mode(ratio)
        doubt = np.hypot(SIGMA_LOG_SD, ratio.std() / np.sqrt(len(ratio)))
        cost = (wider / doubt) ** 2 + (np.log(candidate / prior[0]) / prior[1]) ** 2
        best = min(best, (cost, float(candidate)))
    return Plateau(best[1], True, True)


def _edge_pairs(
    hu: IntArray,
    cut: BoolArray,
    axis: int,
    back: bool,
    clip_hu: int,
    sigma_mm: FloatArray,
    spacing_mm: FloatArray,
    noise_hu: float,
) -> FloatArray:
    """Pairs of neighbours on the flank below the limit, along one in-plane direction.

    Returns
    -------
    (n, 4) float64
        Lower HU, higher HU, HU of the ground, and the fall in sigmas that the known blur makes of their
        distance on an edge of that slant.
    """
    profile, flag = np.moveaxis(hu, axis, 2), np.moveaxis(cut, axis, 2)
    if back:
        profile, flag = profile[:, :, ::-1], flag[:, :, ::-1]
    other = 3 - axis
    step, aside, up = (float(spacing_mm[a]) for a in (axis, other, 0))
    far = max(4, int(np.ceil(4.5 / step)))
    if profile.shape[2] <= far + 1 or min(profile.shape[:2]) < 3:
        return np.empty((0, 4))
    at = np.argwhere(flag[1:-1, 1:-1, : -far - 1] & ~flag[1:-1, 1:-1, 1:-far])
    z, r, c = at[:, 0] + 1, at[:, 1] + 1, at[:, 2]
    run = profile[z[:, None], r[:, None], c[:, None] + np.arange(far + 1)].astype(float)
    ground = np.median(run[:, -max(2, far // 3) :], axis=1)
    floor = ground + max(5 * noise_hu, 0.05 * clip_hu)
    bulge = max(float(sigma_mm[0]), float(sigma_mm[other])) ** 2 / (np.sqrt(2.0) * ROUND_MM)
    found = []
    for k in range(1, far - 1):
        high, low = run[:, k], run[:, k + 1]
        sides = [
            [profile[z + dz, r + dr, c + k + dk].astype(float) for dk in (0, 1)]
            for dz, dr in ((1, 0), (-1, 0), (0, 1), (0, -1))
        ]
        slope = (high - low) / step
        slope_up = sum(a - b for a, b in zip(sides[0], sides[1], strict=True)) / (4 * up)
        slope_aside = sum(a - b for a, b in zip(sides[2], sides[3], strict=True)) / (4 * aside)
        size = np.sqrt(slope**2 + slope_up**2 + slope_aside**2) + 1e-9
        blur = np.sqrt(
            (slope * sigma_mm[axis]) ** 2
            + (slope_up * sigma_mm[0]) ** 2
            + (slope_aside * sigma_mm[other]) ** 2
        )
        good = (high < clip_hu - 2 * noise_hu) & (low > floor) & (slope / size > LEAST_FACING)
        good &= (ground > GROUND_HU[0]) & (ground < GROUND_HU[1])
        good &= high < ground + UPPERMOST_SHARE * (clip_hu - ground)
        good &= np.max([np.maximum(*pair) for pair in sides], axis=0) < clip_hu
        blur = np.hypot(blur, slope * bulge)
        expected = step * slope / (blur + 1e-9)
        found.append(np.stack([low, high, ground, expected], axis=1)[good & (high > low)])
    return np.concatenate(found)
