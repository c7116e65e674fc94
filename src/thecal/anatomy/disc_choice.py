"""Which samples along the canal are discs: gaps, pedicles, foramina and spacing, weighed together.

A second-order dynamic programme chooses the sequence whose evidence agrees best.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.disc_profile import PITCHES, ROLLS, disc_response, shifted
from thecal.volume import FloatArray

# Spacing of discs: T1 is about 17 mm, L4 about 37 mm; a crushed vertebra may be half of its neighbours.
SPACING_MM = (9, 48)
SPACING_LIKENESS = 0.25
# What an unlike neighbour costs at most. A short vertebra pays on both sides; at the column's end it pays as
# if the one beyond were like its neighbour, or the scan's edge would breed half vertebrae.
MOST_UNLIKE = 2.5
# The pedicles spring from the upper half of the body: their middle lies at this share of the way from the
# disc below to the disc above, in thorax and loins alike (0.55-0.68 over 24 vertebrae of three scans of
# ../shared/data).
PEDICLE_PHASE = (0.56, 0.68)
PEDICLE_PHASE_SPREAD = 0.08
# The middle of the foramen lies above the disc's plane in the canal, by 3 to 8 mm in 42 discs of four scans
# of ../shared/data, and what that is worth beside a plain disc.
FORAMEN_ABOVE_MM = 5.0
FORAMEN_WORTH = 2.0
# A disc and its two endplates together, and what is brighter than the middle of a body.
ENDPLATE_ZONE_MM = 7.0
# What a blurred disc is worth beside a resolved one, and how near to a resolved one it is none.
BAND_WORTH = 0.8
BESIDE_GAP_MM = 4.0
# Only thin discs blur: those of vertebrae spaced less than the second, fading from the first.
BAND_SPACING_MM = (28.0, 36.0)
# A chosen disc is moved to where it is plainest: half a thick disc's height in all, in steps shorter than the
# way to another vertebra's endplates.
SETTLING_MM = 3.0
SETTLING_STEPS = 2
# A disc that cement hides: believed only where its neighbours' spacing and the pedicles ask for one.
HIDDEN_GAIN = -0.8


def choose_discs(
    mean: FloatArray, known: FloatArray, pedicle: FloatArray, step: float
) -> tuple[list[int], FloatArray, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The samples along the canal at which discs lie, with response, tilt and thickness at every sample."""
    response, band, where, thickness = disc_response(mean, step)
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
    gain[visible < 0.3] = HIDDEN_GAIN
    gain += _foramen_above(pedicle, step)
    chosen, _ = _choose(gain, between, low, high, SPACING_LIKENESS, high)
    # Settled on the whole contrast: between the endplates of a thick disc much of the gap is plain enough.
    plain = np.maximum(response / 45 * visible, crest)
    settled = _on_the_crest(sorted(chosen), plain, round(SETTLING_MM / step))
    return settled, response, where, thickness


def _foramen_above(pedicle: FloatArray, step: float) -> FloatArray:
    """What the gaps between the pedicles say for a disc: each foramen opens just above its disc."""
    above = ndimage.uniform_filter1d(shifted(pedicle, FORAMEN_ABOVE_MM / step), max(1, round(5 / step)))
    worth: FloatArray = FORAMEN_WORTH * (0.5 - above)
    return worth


def _on_the_crest(chosen: list[int], plain: FloatArray, reach: int) -> list[int]:
    """Move each chosen sample uphill to where the disc is plainest, by a few steps of at most ``reach``."""
    settled = []
    for start in chosen:
        i = start
        for _ in range(SETTLING_STEPS):
            around = np.arange(max(0, i - reach), min(len(plain), i + reach + 1))
            worth = plain[around] - 0.04 * np.abs(around - i)
            i = int(around[worth.argmax()])
        settled.append(i)
    return settled


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
                cost = min(0.5 * change * change, MOST_UNLIKE)
                if came[i, h] < 0 and h < g:
                    cost *= 2.0
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
            h = came[j, g]
            total = best[j, g]
            if h > g:
                change = np.log((g + low) / (h + low)) / likeness
                total -= min(0.5 * change * change, MOST_UNLIKE)
            if total > top:
                top = total
                tj = j
                tg = g
    chosen = [tj]
    while tg >= 0:
        i = tj - (tg + low)
        h = came[tj, tg]
        chosen.append(i)
        tj, tg = i, h
    return chosen, top


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
