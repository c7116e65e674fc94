"""What is new and dark: cement on the picture, told from noise and from what moves."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.baseline import Baseline
from thecal.fluoro.log_picture import FloatImage
from thecal.volume import BoolArray, FloatArray

MEMORY: Final = 0.5
"""Weight of the newest picture in the running mean."""
WEAK_SIGMA: Final = 3.0
STRONG_SIGMA: Final = 5.5
"""Cement is darker than before by the first everywhere and by the second somewhere, in standard deviations
of a smoothed picture."""
LEAST_LOG: Final = 0.03
"""And by so much of the logarithm: less is brightness, not cement."""
EDGE_SHARE: Final = 0.3
"""A pixel is cement where it has this share of the darkest change within a mm: blur carries dark tails out."""
NEAR_MM: Final = 5.0
"""New cement lies so near to the needle's tip or to cement seen before; elsewhere it must persist."""
PERSIST: Final = 3
"""Pictures for which cement that touches no other must be seen."""
APART_MM2: Final = 3.0
"""And its least area."""
GONE_SIGMA: Final = 1.0
"""Cement that was seen is given up where the change sinks below."""


class CementFinder:
    """Follows cement from picture to picture, on the reference's pixels.

    Parameters
    ----------
    baseline : Baseline
    blind : (rows, columns) bool
        Where nothing can be seen: the needle's shadow.
    within : (rows, columns) bool
        Where cement may be looked for.
    tip_px : (2,) float64 or None
        The needle's tip.
    pixel_mm : float
    """

    def __init__(
        self, baseline: Baseline, blind: BoolArray, within: BoolArray, tip_px: FloatArray | None, pixel_mm: float
    ) -> None:
        self._noise = baseline.noise
        self._open = baseline.valid & ~blind & within
        self._pixel_mm = pixel_mm
        self._mean = np.zeros(baseline.picture.shape, np.float32)
        self._change = np.zeros(baseline.picture.shape, np.float32)
        self._pictures = 0
        self._age = np.zeros(baseline.picture.shape, np.int16)
        self.cement: BoolArray = np.zeros(baseline.picture.shape, bool)
        self._tip = np.zeros(baseline.picture.shape, bool)
        if tip_px is not None:
            rows, columns = np.indices(baseline.picture.shape)
            away = np.hypot(rows - tip_px[0], columns - tip_px[1]) * pixel_mm
            self._tip = away <= NEAR_MM

    def update(self, change: FloatImage) -> BoolArray:
        """Take a picture's change (baseline less picture, logarithms; not a number where it is not seen)."""
        seen = np.isfinite(change) & self._open
        value = np.where(seen, change, 0.0).astype(np.float32)
        weight = np.float32(MEMORY if self._pictures else 1.0)
        self._pictures += 1
        self._mean = np.where(seen, (1 - weight) * self._mean + weight * value, self._mean)
        sigma = self._mean / self._noise * np.float32(np.sqrt((2.0 - MEMORY) / MEMORY))
        width = 2 * max(1, round(1.0 / self._pixel_mm)) + 1
        edge = self._mean > EDGE_SHARE * ndimage.maximum_filter(self._mean, width)
        dark = (sigma > WEAK_SIGMA) & (self._mean > LEAST_LOG) & edge & self._open
        kept = self.cement & (sigma > GONE_SIGMA) & edge
        self.cement = kept | self._accepted(dark | kept, sigma)
        return self.cement

    def _accepted(self, dark: BoolArray, sigma: FloatImage) -> BoolArray:
        """Pieces of what is dark that touch cement or the tip, or have stayed."""
        pieces, count = ndimage.label(dark, np.ones((3, 3), bool))
        if count == 0:
            self._age[:] = 0
            return dark
        numbers = np.arange(1, count + 1)
        strong = ndimage.sum_labels(sigma > STRONG_SIGMA, pieces, numbers) > 0
        area = ndimage.sum_labels(dark, pieces, numbers) * self._pixel_mm**2
        reach = max(1, round(NEAR_MM / self._pixel_mm))
        near = ndimage.distance_transform_edt(~(self.cement | self._tip)) <= reach
        touches = ndimage.maximum(near, pieces, numbers).astype(bool)
        self._age = np.where(dark, self._age + 1, 0).astype(np.int16)
        old = ndimage.maximum(self._age, pieces, numbers) >= PERSIST
        good = strong & (touches | (old & (area >= APART_MM2)))
        taken: BoolArray = np.concatenate([[False], good])[pieces]
        return taken

    @property
    def change(self) -> FloatImage:
        """Running mean of the change, logarithms."""
        return self._mean
