"""What the column in front of the canal shows of discs: its profile on tilted patches."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.working_grid import interpolate_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

PITCHES = np.deg2rad(np.arange(-32, 33, 4))
ROLLS = np.deg2rad(np.arange(-16, 17, 8))
# The patch on which a disc is looked for, in front of the wall.
PATCH_DEPTH_MM = (4.0, 24.0)
PATCH_HALF_WIDTH_MM = 12.0
# Half thickness of a disc, mm.
HALF_THICKNESS_MM = (1.0, 2.0, 3.0, 4.5, 6.0)
ENDPLATE_MM = 2.0
SHARPNESS_SIGMA_MM = 5.0
# A blurred disc: its crest against what lies this far to both sides.
BESIDE_BAND_MM = 8.0
LARGEST_BAND_HU = 80.0
LEVEL_SIGMA_MM = 12.0


def patch_profiles(
    hu: IntArray, missing: BoolArray, grid: Grid, frame: CanalFrame, front: FloatArray, step_mm: float
) -> tuple[FloatArray, FloatArray]:
    """Mean HU of the column on tilted patches, (n_s, pitches, rolls), and the share of it that is known."""
    inverse = np.linalg.inv(grid.affine)[:3, :3]
    depth = np.arange(PATCH_DEPTH_MM[0], PATCH_DEPTH_MM[1] + 0.1, 2.5)
    width = np.arange(-PATCH_HALF_WIDTH_MM, PATCH_HALF_WIDTH_MM + 0.1, 3.0)
    n = len(frame.s_mm)
    mean = np.zeros((n, len(PITCHES), len(ROLLS)))
    known = np.zeros_like(mean)
    clipped = np.clip(hu, -100, 500).astype(np.int16)
    seen = (~missing).astype(np.int16)
    anterior = -frame.posterior
    wall = frame.points + anterior * front[:, None]
    for p, pitch in enumerate(PITCHES):
        # Pitch lifts the front of the patch, roll its left side.
        forward = np.cos(pitch) * anterior + np.sin(pitch) * frame.cranial
        for r, roll in enumerate(ROLLS):
            sideways = np.cos(roll) * frame.left + np.sin(roll) * frame.cranial
            start = grid.to_index(wall)
            direction = (forward[:, None] * depth[None, :, None]) @ inverse.T
            # One ray per depth, along the width.
            along = np.repeat((sideways @ inverse.T)[:, None], len(depth), axis=1)
            origin = (start[:, None] + direction).reshape(-1, 3)
            flat = along.reshape(-1, 1, 3)
            values = interpolate_rays(clipped, origin, flat, width).reshape(n, -1)
            share = interpolate_rays(seen, origin, flat, width).reshape(n, -1)
            total = share.sum(axis=1)
            mean[:, p, r] = (values * share).sum(axis=1) / np.maximum(total, 1e-6)
            known[:, p, r] = total / share.shape[1]
    return mean, known


def evened(mean: FloatArray, known: FloatArray, step_mm: float) -> FloatArray:
    """Profiles with what is hidden filled in by the column's own level nearby: cement makes no disc."""
    sigma = LEVEL_SIGMA_MM / step_mm
    level = ndimage.gaussian_filter1d(mean * known, sigma, axis=0, mode="nearest")
    level /= np.maximum(ndimage.gaussian_filter1d(known, sigma, axis=0, mode="nearest"), 1e-3)
    evened: FloatArray = known * mean + (1 - known) * level
    return evened


def shifted(profile: FloatArray, by: float) -> FloatArray:
    """A profile along its first axis, read ``by`` samples further on; held at the ends."""
    n = len(profile)
    at = np.clip(np.arange(n) + by, 0, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    weight = (at - low).reshape(-1, *([1] * (profile.ndim - 1)))
    shifted: FloatArray = profile[low] * (1 - weight) + profile[high] * weight
    return shifted


def disc_response(
    mean: FloatArray, step_mm: float
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """What speaks for a disc at each s, at the plainest tilt there.

    Returns the contrast of endplates against the gap and of a crest against its surroundings, both in HU, the
    index of that tilt (pitch, roll) and that of the half thickness.
    """
    best = np.full(mean.shape, -np.inf)
    thickness = np.zeros(mean.shape, np.intp)
    fine = ndimage.gaussian_filter1d(mean, 0.7 / step_mm, axis=0, mode="nearest")
    for t, half in enumerate(HALF_THICKNESS_MM):
        gap = ndimage.uniform_filter1d(mean, max(1, round(2 * half / step_mm)), axis=0, mode="nearest")
        above = np.maximum(
            shifted(fine, (half + 1.0) / step_mm), shifted(fine, (half + ENDPLATE_MM) / step_mm)
        )
        below = np.maximum(
            shifted(fine, -(half + 1.0) / step_mm), shifted(fine, -(half + ENDPLATE_MM) / step_mm)
        )
        contrast = 0.9 * np.minimum(above, below) + 0.1 * np.maximum(above, below) - gap
        better = contrast > best
        best[better] = contrast[better]
        thickness[better] = t
    # Seen along its own tilt the profile is sharpest, whether the disc is resolved (dark between two bright
    # lines) or blurred into one bright band. Few discs lean more than 10 degrees against the canal.
    sigma = SHARPNESS_SIGMA_MM / step_mm
    centre = ndimage.gaussian_filter1d(mean, sigma, axis=0, mode="nearest")
    spread = ndimage.gaussian_filter1d(mean**2, sigma, axis=0, mode="nearest") - centre**2
    degrees = np.rad2deg(np.hypot(PITCHES[:, None], ROLLS[None, :]))
    tilt = 0.3 * degrees + 0.8 * np.maximum(degrees - 12, 0)
    plainness = np.sqrt(np.maximum(spread, 0)) + 0.3 * np.clip(best, 0, 80) - tilt
    where = plainness.reshape(len(best), -1).argmax(axis=1)
    rows = np.arange(len(best))
    # Thin thoracic discs blur into one bright band with their endplates; its crest is then the disc.
    crest = ndimage.gaussian_filter1d(mean, 1.5 / step_mm, axis=0, mode="nearest")
    beside = 0.5 * (shifted(crest, BESIDE_BAND_MM / step_mm) + shifted(crest, -BESIDE_BAND_MM / step_mm))
    band = np.clip(crest - beside, 0, LARGEST_BAND_HU)
    return (
        best.reshape(len(best), -1)[rows, where],
        band.reshape(len(best), -1)[rows, where],
        where,
        thickness.reshape(len(best), -1)[rows, where],
    )
