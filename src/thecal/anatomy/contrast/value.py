"""Contrast medium in the sac as a value, and the scan without it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.volume import Box, FloatArray, IntArray, Volume


@dataclass(frozen=True, eq=False)
class Contrast:
    """Contrast medium in the sac.

    Attributes
    ----------
    points : (n, 3) float64
        Of the curve that it was found along, LPS mm, caudal to cranial.
    hu : (n,) float64
        What it reads at each; NaN where there is none.
    border_mm : (n, m) float64
        Radius of its outer border around the curve; NaN on planes without.
    seen : (n, m) float64
        0..1, how surely the border was seen there and not carried over.
    box : Box
        Part of the volume that holds it.
    plain_hu : (z, y, x) int16
        That part as if there were no contrast.
    """

    points: FloatArray
    hu: FloatArray
    border_mm: FloatArray
    seen: FloatArray
    box: Box
    plain_hu: IntArray

    def brightest_hu(self) -> float:
        """What it reads where it is densest, single planes left out."""
        return float(np.nanpercentile(self.hu, 90))


def without_contrast(volume: Volume, box: Box, contrast: Contrast | None) -> IntArray:
    """The HU of a part of the volume as if no contrast medium lay in the sac; a view where none does."""
    if contrast is None:
        return volume.hu[box]
    hu: IntArray = volume.hu[box].copy()
    low = [max(a.start, b.start) for a, b in zip(box, contrast.box, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(box, contrast.box, strict=True)]
    if all(b > a for a, b in zip(low, high, strict=True)):
        here = tuple(slice(a - s.start, b - s.start) for a, b, s in zip(low, high, box, strict=True))
        there = tuple(
            slice(a - s.start, b - s.start) for a, b, s in zip(low, high, contrast.box, strict=True)
        )
        hu[here] = contrast.plain_hu[there]
    return hu
