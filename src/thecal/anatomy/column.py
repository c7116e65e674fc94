"""The vertebral column in front of the canal: where the discs are, and how they are tilted.

Each disc is a soft gap between two endplates, crossing the column at some height and tilt; beside the
canal the pedicles close its wall once for each vertebra. A second-order dynamic programme chooses the
sequence of discs whose gaps, pedicles and spacing agree best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.working_grid import OUTSIDE_HU, interpolate_rays
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
# Spacing of discs: T1 is about 17 mm, L4 about 37 mm; a crushed vertebra may be half of its neighbours.
SPACING_MM = (9, 48)
SPACING_LIKENESS = 0.25
# The pedicles spring from the upper half of the body: their middle lies at this share of the way from the
# disc below to the disc above, in
# thorax and loins alike (0.55-0.68 over 24 vertebrae of three scans of ../shared/data).
PEDICLE_PHASE = (0.56, 0.68)
PEDICLE_PHASE_SPREAD = 0.08
# A disc and its two endplates together, and what is brighter than the middle of a body.
ENDPLATE_ZONE_MM = 7.0
SHARPNESS_SIGMA_MM = 5.0
# A blurred disc: its crest against what lies this far to both sides, and what that is worth beside a
# resolved one.
BESIDE_BAND_MM = 8.0
LARGEST_BAND_HU = 80.0
BAND_WORTH = 0.8
BESIDE_GAP_MM = 4.0
# Only thin discs blur: those of vertebrae spaced less than the second, fading from the first.
BAND_SPACING_MM = (24.0, 30.0)
SETTLING_MM = 3.0
# A disc that cement hides: believed only where its neighbours' spacing and the pedicles ask for one.
HIDDEN_GAIN = -0.8
LEVEL_SIGMA_MM = 12.0


@dataclass(frozen=True, eq=False)
class Disc:
    """One disc as a plane patch in the canal's frame.

    Attributes
    ----------
    s_mm : float
        Where its plane meets the anterior wall of the canal.
    centre : (3,) LPS mm
        The middle of the disc.
    normal : (3,) unit vector, cranial
    response : float
        HU contrast between endplates and gap.
    half_thickness_mm : float
    """

    s_mm: float
    centre: FloatArray
    normal: FloatArray
    response: float
    half_thickness_mm: float


def _patch_profiles(
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


def _evened(mean: FloatArray, known: FloatArray, step_mm: float) -> FloatArray:
    """Profiles with what is hidden filled in by the column's own level nearby: cement makes no disc."""
    sigma = LEVEL_SIGMA_MM / step_mm
    level = ndimage.gaussian_filter1d(mean * known, sigma, axis=0, mode="nearest")
    level /= np.maximum(ndimage.gaussian_filter1d(known, sigma, axis=0, mode="nearest"), 1e-3)
    evened: FloatArray = known * mean + (1 - known) * level
    return evened


def _shifted(profile: FloatArray, by: float) -> FloatArray:
    """A profile along its first axis, read ``by`` samples further on; held at the ends."""
    n = len(profile)
    at = np.clip(np.arange(n) + by, 0, n - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, n - 1)
    weight = (at - low).reshape(-1, *([1] * (profile.ndim - 1)))
    shifted: FloatArray = profile[low] * (1 - weight) + profile[high] * weight
    return shifted


def _disc_response(
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
            _shifted(fine, (half + 1.0) / step_mm), _shifted(fine, (half + ENDPLATE_MM) / step_mm)
        )
        below = np.maximum(
            _shifted(fine, -(half + 1.0) / step_mm), _shifted(fine, -(half + ENDPLATE_MM) / step_mm)
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
    beside = 0.5 * (_shifted(crest, BESIDE_BAND_MM / step_mm) + _shifted(crest, -BESIDE_BAND_MM / step_mm))
    band = np.clip(crest - beside, 0, LARGEST_BAND_HU)
    return (
        best.reshape(len(best), -1)[rows, where],
        band.reshape(len(best), -1)[rows, where],
        where,
        thickness.reshape(len(best), -1)[rows, where],
    )


@njit(cache=True)
def _choose(gain, pedicle, low, high, likeness, first_free):  # type: ignore[no-untyped-def]
    """Second-order dynamic programme over disc positions; returns the chosen samples."""
    n = len(gain)
    width = high - low + 1
    best = np.full((n, width), -1e9)
    came = np.full((n, width), -1, np.int64)
    # State (j, g): a disc at j whose predecessor lies g + low samples below.
    for j in range(n):
        for g in range(width):
            i = j - (g + low)
            if i < 0:
                continue
            between = pedicle[i, g]
            start = gain[i] if i <= first_free else -1e9
            value = start
            pick = -1
            for h in range(width):
                if best[i, h] <= -1e8:
                    continue
                change = np.log((g + low) / (h + low)) / likeness
                cost = min(0.5 * change * change, 2.5)
                if best[i, h] - cost > value:
                    value = best[i, h] - cost
                    pick = h
            if value > -1e8:
                best[j, g] = value + gain[j] + between
                came[j, g] = pick
    top = -1e9
    tj = 0
    tg = -1
    for j in range(max(0, n - 1 - first_free), n):
        for g in range(width):
            if best[j, g] > top:
                top = best[j, g]
                tj = j
                tg = g
    chosen = [tj]
    while tg >= 0:
        i = tj - (tg + low)
        h = came[tj, tg]
        chosen.append(i)
        tj, tg = i, h
    return chosen, top


def pedicle_signal(frame: CanalFrame, theta: FloatArray, seen: FloatArray) -> FloatArray:
    """How far the canal's lateral wall is closed by pedicles, 0..1 along s: the mean of both sides."""
    sides = []
    for sign in (1, -1):
        arc = (sign * theta > np.deg2rad(55)) & (sign * theta < np.deg2rad(110))
        sides.append(seen[:, arc].mean(axis=1))
    signal: FloatArray = ndimage.gaussian_filter1d(
        np.minimum(*sides) * 0.5 + 0.25 * (sides[0] + sides[1]), 1.5 / frame.step_mm
    )
    return signal


def find_discs(
    hu: IntArray,
    missing: BoolArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall: FloatArray,
    seen: FloatArray,
) -> list[Disc]:
    """The discs along a canal, caudal to cranial.

    Parameters
    ----------
    hu, missing : (z, y, x)
        On an even grid of about 1 mm.
    grid, frame, theta, wall, seen
        As ``find_wall`` returns them.

    Returns
    -------
    list of Disc
        Empty where none was seen.
    """
    step = frame.step_mm
    anterior = np.abs(theta) < np.deg2rad(25)
    front = ndimage.gaussian_filter1d(wall[:, anterior].mean(axis=1), 5 / step, mode="nearest")
    mean, known = _patch_profiles(hu, missing | (hu <= OUTSIDE_HU), grid, frame, front, step)
    mean = _evened(mean, known, step)
    pedicle = _levelled(pedicle_signal(frame, theta, seen), step)
    chosen, response, where, thickness = _select(mean, known, pedicle, step)
    discs = []
    for i in chosen:
        p, r = np.unravel_index(where[i], (len(PITCHES), len(ROLLS)))
        forward = np.cos(PITCHES[p]) * -frame.posterior[i] + np.sin(PITCHES[p]) * frame.cranial[i]
        sideways = np.cos(ROLLS[r]) * frame.left[i] + np.sin(ROLLS[r]) * frame.cranial[i]
        normal = np.cross(sideways, forward)
        normal /= np.linalg.norm(normal)
        if normal @ frame.cranial[i] < 0:
            normal = -normal
        centre = frame.points[i] - frame.posterior[i] * front[i] + forward * sum(PATCH_DEPTH_MM) / 2
        discs.append(
            Disc(float(frame.s_mm[i]), centre, normal, float(response[i]), HALF_THICKNESS_MM[thickness[i]])
        )
    return discs


def _select(
    mean: FloatArray, known: FloatArray, pedicle: FloatArray, step: float
) -> tuple[list[int], FloatArray, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The samples along the canal at which discs lie, with response, tilt and thickness at every sample."""
    response, band, where, thickness = _disc_response(mean, step)
    visible = known.reshape(len(known), -1)[np.arange(len(known)), where]
    # 45 HU of contrast is a plain disc; cement on both sides tells nothing.
    gain = np.clip(response / 45, -0.2, 1.5) * visible - 0.35
    low, high = (max(1, round(v / step)) for v in SPACING_MM)
    flat = (int(np.argmin(np.abs(PITCHES))), int(np.argmin(np.abs(ROLLS))))
    level, share = mean[:, flat[0], flat[1]], known[:, flat[0], flat[1]]
    reach = 2 * round(ENDPLATE_ZONE_MM / step) + 1
    zone = ndimage.uniform_filter1d(level * share, reach) / np.maximum(
        ndimage.uniform_filter1d(share, reach), 1e-3
    )
    # A bright line right beside a dark gap is that disc's endplate, not another, blurred disc.
    resolved = np.clip(response / 45, 0, 1.5)
    beside = ndimage.maximum_filter1d(resolved, 2 * round(BESIDE_GAP_MM / step) + 1)
    crest = np.maximum(0.0, BAND_WORTH * band / 45 - beside) * visible
    between = _vertebra_between(
        pedicle,
        zone,
        crest,
        tuple(v / step for v in BAND_SPACING_MM),
        np.concatenate([[0.0], np.cumsum(level * share)]),
        np.concatenate([[0.0], np.cumsum(share)]),
        low,
        high,
        PEDICLE_PHASE,
        PEDICLE_PHASE_SPREAD,
    )
    gain = gain - 0.25 * pedicle
    gain[visible < 0.3] = HIDDEN_GAIN
    chosen, _ = _choose(gain, between, low, high, SPACING_LIKENESS, high)
    plain = np.maximum(resolved * visible, crest)
    settled = _on_the_crest(sorted(chosen), plain, round(SETTLING_MM / step))
    return settled, response, where, thickness


def _on_the_crest(chosen: list[int], plain: FloatArray, reach: int) -> list[int]:
    """Move each chosen sample to where the disc is plainest close by."""
    settled = []
    for i in chosen:
        around = np.arange(max(0, i - reach), min(len(plain), i + reach + 1))
        worth = plain[around] - 0.04 * np.abs(around - i)
        settled.append(int(around[worth.argmax()]))
    return settled


def _levelled(signal: FloatArray, step_mm: float) -> FloatArray:
    """A signal stretched to 0..1 between its local trough and peak within about one vertebra either way."""
    size = round(45 / step_mm)
    low = ndimage.gaussian_filter1d(ndimage.minimum_filter1d(signal, size), size / 3, mode="nearest")
    high = ndimage.gaussian_filter1d(ndimage.maximum_filter1d(signal, size), size / 3, mode="nearest")
    levelled: FloatArray = np.clip((signal - low) / np.maximum(high - low, 0.15), 0, 1)
    return levelled


@njit(cache=True)
def _vertebra_between(pedicle, zone, crest, thin, running, weight, low, high, phase, phase_spread):  # type: ignore[no-untyped-def]
    """What speaks for one vertebra from disc i over gap g: one pedicle, above its middle, and a dimmer core.

    ``running`` and ``weight`` are cumulative sums of the column's HU and of how much of it is known.
    """
    n = len(pedicle)
    out = np.zeros((n, high - low + 1))
    for i in range(n):
        peak = pedicle[i]
        mass = 0.0
        moment = 0.0
        trough = pedicle[i]
        # The deepest valley with a peak on either side: two pedicles in one gap.
        valley = 0.0
        lowest_since = pedicle[i]
        twin = 0.0
        for j in range(i + 1, min(n, i + high + 1)):
            v = pedicle[j]
            mass += v * v
            trough = min(trough, v)
            moment += v * v * (j - i)
            if v > peak:
                twin = max(twin, peak - lowest_since)
                peak = v
                lowest_since = v
            else:
                lowest_since = min(lowest_since, v)
                twin = max(twin, v - lowest_since)
            valley = max(valley, twin)
            g = j - i - low
            if g < 0:
                continue
            prominence = peak - trough
            fade = min(max((thin[1] - (j - i)) / (thin[1] - thin[0]), 0.0), 1.0)
            where = moment / max(mass, 1e-6) / (j - i)
            where = max(phase[0] - where, where - phase[1], 0.0) / phase_spread
            out[i, g] = (
                0.5 * fade * (crest[i] + crest[j])
                + 2.5 * (min(prominence, 0.6) - 0.45)
                - 2.0 * max(0.0, valley - 0.25)
            )
            out[i, g] -= min(where * where, 3.0)
            # Endplates outshine the middle of the body between them.
            a = i + int(0.32 * (j - i))
            b = j - int(0.32 * (j - i))
            mid = (running[b + 1] - running[a]) / max(weight[b + 1] - weight[a], 1e-3)
            if weight[b + 1] - weight[a] > 0.3 * (b + 1 - a):
                out[i, g] += 1.2 * min(max((0.5 * (zone[i] + zone[j]) - mid) / 60.0, -0.8), 0.8)
    return out
