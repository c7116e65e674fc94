"""Where the needle lies on the picture: the plan's line, moved to the dark bar that is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.front.baseline import smooth
from thecal.fluoro.front.in_plane import STILL, on_frame
from thecal.fluoro.front.log_picture import BIN, FloatImage, brightest, log_picture
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.target import Needle
from thecal.volume import BoolArray, FloatArray

SEARCH_MM: Final = 6.0
"""A needle may lie so far beside its planned line."""
BEFORE_MM: Final = 14.0
"""The same while nobody knows where the vertebra lies."""
TIP_SEARCH_MM: Final = 14.0
"""Its tip may lie so far before or behind the planned one, along it."""
DRAWN_BACK_MM: Final = 45.0
"""And a needle that is not yet in so far before it, where nothing dark goes on from there."""
GOES_ON_SHARE: Final = 0.35
"""That is where its mean contrast up to the planned tip is less than this share of that behind."""
STEP_MM: Final = 0.5
RIM_MM: Final = 1.2
"""Room kept round the bar: blur, and small movements of the hand."""


@dataclass(frozen=True, eq=False)
class NeedleSeen:
    """A needle in the picture.

    Attributes
    ----------
    entry_px, tip_px : (2,) float64
        (row, column).
    width_px : float
    mask : (rows, columns) bool
        Its shadow with a rim: what lies there is hardly seen.
    core : (rows, columns) bool
        The middle of its shadow.
    sure : bool
        False where no dark bar stood out and the plan's line was kept.
    """

    entry_px: FloatArray
    tip_px: FloatArray
    width_px: float
    mask: BoolArray
    core: BoolArray
    sure: bool

    @property
    def across(self) -> FloatArray:
        """Unit vector (row, column) across it."""
        way = self.tip_px - self.entry_px
        unit: FloatArray = np.array([-way[1], way[0]]) / max(float(np.linalg.norm(way)), 1e-6)
        return unit


def find_needle(
    picture: FloatImage, needle: Needle, view: View, pixel_mm: float, *, search_mm: float = SEARCH_MM
) -> NeedleSeen:
    """The dark bar nearest to the planned line.

    Parameters
    ----------
    picture : (rows, columns) float32
        Logarithms, the mean of several pictures.
    needle : Needle
        As planned.
    view : View
        Of the vertebra at rest in the CT, on the picture's pixels.
    pixel_mm : float
        At the vertebra.
    search_mm : float
        So far beside the planned line, at each end, it is looked for.
    """
    entry, tip = view.project(np.array([needle.entry_mm, needle.tip_mm]))
    length = float(np.linalg.norm(tip - entry))
    if length * pixel_mm < 8.0:
        # The needle is seen end on.
        return _seen(picture, entry, tip, needle, pixel_mm, sure=False)
    along = (tip - entry) / length
    across = np.array([-along[1], along[0]])
    half = needle.outer_mm / 2.0 / pixel_mm
    start = np.maximum(0.0, length - 60.0 / pixel_mm)
    places = np.linspace(start, length - 2.0 / pixel_mm, 48)
    offsets = np.arange(-search_mm, search_mm + 0.01, STEP_MM) / pixel_mm
    reach = float(offsets[-1]) + half + 3.0 / pixel_mm
    lanes = np.arange(-reach, reach + 0.01, 0.5)
    points = entry + places[:, None, None] * along + lanes[None, :, None] * across
    grey = ndimage.map_coordinates(picture, points.reshape(-1, 2).T, order=1, mode="constant", cval=np.nan)
    grey = grey.reshape(len(places), len(lanes))
    contrast = _bar_contrast(grey, lanes, half, pixel_mm)
    share = (places - places[0]) / (places[-1] - places[0])
    bounded = np.clip(contrast, -0.1, 0.3)
    best, at = -np.inf, (0.0, 0.0)
    for first in offsets:
        last = offsets[np.abs(offsets - first) * pixel_mm <= max(SEARCH_MM, 0.8 * search_mm)]
        lane = first + (last - first)[:, None] * share
        column = np.clip(np.rint((lane + reach) / 0.5).astype(int), 0, len(lanes) - 1)
        on_lane = bounded[np.arange(len(places)), column]
        seen = np.isfinite(on_lane)
        values = np.where(seen, on_lane, 0.0).sum(1) / np.maximum(seen.sum(1), 1)
        values[~seen.any(1)] = -np.inf
        values -= 0.001 * (abs(first) + np.abs(last)) * pixel_mm
        k = int(np.argmax(values))
        if values[k] > best:
            best, at = float(values[k]), (float(first), float(last[k]))
    sure = best > LEAST_CONTRAST
    if not sure:
        return _seen(picture, entry, tip, needle, pixel_mm, sure=False)
    slope = (at[1] - at[0]) / (places[-1] - places[0])
    new_entry = entry + across * (at[0] - slope * places[0])
    direction = along + slope * across
    direction /= np.linalg.norm(direction)
    new_tip = _tip(picture, new_entry, direction, length, half, pixel_mm)
    return _seen(picture, new_entry, new_tip, needle, pixel_mm, sure=True)


def needle_shadows(
    pixels: npt.NDArray[np.unsignedinteger], needles: tuple[Needle, ...], view: View, start: Pose
) -> BoolArray:
    """What of a picture its needles hide, before it is known where the vertebra lies.

    Parameters
    ----------
    pixels : (rows, columns) unsigned
    needles : tuple of Needle
        As planned.
    view : View
    start : Pose
        About where the vertebra lies.

    Returns
    -------
    (rows, columns) bool
    """
    picture = smooth(log_picture(pixels, brightest(pixels)))
    small = view.of_moved(start).binned(BIN)
    hidden = np.zeros(picture.shape, bool)
    for needle in needles:
        pixel_mm = float(np.linalg.norm(small.along_row)) / small.magnification(np.array(needle.tip_mm))
        seen = find_needle(picture, needle, small, pixel_mm, search_mm=BEFORE_MM)
        if seen.sure:
            hidden |= seen.mask
    return on_frame(STILL, hidden, view.shape, BIN)


def _seen(
    picture: FloatImage, entry: FloatArray, tip: FloatArray, needle: Needle, pixel_mm: float, *, sure: bool
) -> NeedleSeen:
    mask = _bar(picture.shape, entry, tip, needle, pixel_mm)
    rows, columns = np.indices(picture.shape)
    along = (tip - entry) / max(float(np.linalg.norm(tip - entry)), 1e-6)
    away = np.stack([rows, columns], axis=-1) - entry
    off = np.abs(away @ np.array([-along[1], along[0]])) * pixel_mm
    core = (
        mask
        & (off <= CORE_SHARE * needle.outer_mm / 2.0)
        & (float(np.linalg.norm(tip - entry)) * pixel_mm > 8.0)
    )
    return NeedleSeen(entry, tip, needle.outer_mm / pixel_mm, mask, core, sure)


CORE_SHARE: Final = 0.5
"""Half of its width, away from its edges."""
LEAST_CONTRAST: Final = 0.03
"""Logarithms by which the bar is darker than its sides."""


def _bar_contrast(grey: FloatArray, lanes: FloatArray, half: float, pixel_mm: float) -> FloatArray:
    """How much darker each place's bar is than the darker of its sides, for a bar about each lane."""
    step = 0.5
    inner = max(1, round(2 * half * 0.8 / step))
    side = max(1, round(1.5 / pixel_mm / step))
    mean_in = ndimage.uniform_filter1d(grey, inner, axis=1, mode="nearest")
    mean_side = ndimage.uniform_filter1d(grey, side, axis=1, mode="nearest")
    away = round((half + 1.2 / pixel_mm) / step)
    left = np.roll(mean_side, away, axis=1)
    right = np.roll(mean_side, -away, axis=1)
    darker: FloatArray = np.minimum(left, right) - mean_in
    darker[:, :away] = np.nan
    darker[:, -away:] = np.nan
    return darker


def _tip(
    picture: FloatImage, entry: FloatArray, along: FloatArray, length: float, half: float, pixel_mm: float
) -> FloatArray:
    """Where the bar ends: the step of its contrast along the line.

    Far before the planned tip only where the bar does not go on.
    """
    across = np.array([-along[1], along[0]])
    first = max(min(0.0, length - TIP_SEARCH_MM / pixel_mm), length - DRAWN_BACK_MM / pixel_mm)
    reach = np.arange(first, length + TIP_SEARCH_MM / pixel_mm, 0.5)
    inner = np.linspace(-0.6 * half, 0.6 * half, 5)
    away = half + 1.2 / pixel_mm
    sides = np.array([-away - 1.0, -away, away, away + 1.0])

    def mean(lanes: FloatArray) -> FloatArray:
        points = entry + reach[:, None, None] * along + lanes[None, :, None] * across
        values = ndimage.map_coordinates(picture, points.reshape(-1, 2).T, order=1, mode="nearest")
        averaged: FloatArray = values.reshape(len(reach), len(lanes)).mean(axis=1)
        return averaged

    contrast = mean(sides) - mean(inner)
    total = np.concatenate([[0.0], np.cumsum(contrast)])
    margin = max(4, round(3.0 / pixel_mm / 0.5))
    window = max(6, round(6.0 / pixel_mm / 0.5))
    best, at = -np.inf, length
    usual = int(np.searchsorted(reach, length - TIP_SEARCH_MM / pixel_mm)) + margin
    planned = int(np.searchsorted(reach, length))
    for k in range(margin, len(reach) - margin):
        low, high = max(0, k - window), min(len(reach), k + window)
        if k < usual:
            ahead = (total[planned] - total[k]) / (planned - k)
            if ahead > GOES_ON_SHARE * (total[k] - total[low]) / (k - low):
                continue
        step = (total[k] - total[low]) / (k - low) - (total[high] - total[k]) / (high - k)
        if step > best:
            best, at = float(step), float(reach[k])
    return entry + at * along


def _bar(
    shape: tuple[int, ...], entry: FloatArray, tip: FloatArray, needle: Needle, pixel_mm: float
) -> BoolArray:
    """The shadow with its rim; it goes on behind the entry, out of the patient."""
    rows, columns = np.indices(shape)
    length = max(float(np.linalg.norm(tip - entry)), 1e-6)
    along = (tip - entry) / length
    away = np.stack([rows, columns], axis=-1) - entry
    at = away @ along
    off = np.abs(away @ np.array([-along[1], along[0]]))
    rim = RIM_MM / pixel_mm
    mask: BoolArray = (off <= needle.outer_mm / 2.0 / pixel_mm + rim) & (at <= length + 0.3 * rim)
    if length * pixel_mm < 8.0:
        mask = (np.linalg.norm(away, axis=-1) <= needle.outer_mm / pixel_mm + rim) | (
            mask & (at >= -needle.outer_mm / pixel_mm)
        )
    return mask
