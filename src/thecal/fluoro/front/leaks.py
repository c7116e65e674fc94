"""Cement outside the body, by where it lies."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.volume import BoolArray

OUTLINE_MM: Final = 0.7
"""Cement so near the body's outline is not called outside: the outline is drawn that well at best."""
LEAST_MM2: Final = 1.5
"""Least shadow of a leak."""
BESIDE_MM: Final = 4.0
"""In front of the body a leak is called from the anterior wall on; farther than the search nothing is."""
THREAD_LENGTH: Final = 4.0
"""A thread is so many times longer than wide."""
THREAD_MM: Final = 8.0
NAMES: Final = (
    "behind the posterior wall",
    "disc above",
    "disc below",
    "over the foramen",
    "in front of the body",
    "beside the body",
    "thread",
    "outside the body",
)
UNNAMED_MM2: Final = 4.0
"""Cement outside that no other name covers is said from this area on: behind the arch, beyond a disc."""


def find_leaks(cement: BoolArray, regions: Regions, depth_mm: float) -> dict[str, BoolArray]:
    """Cement outside the body's outline, by name; only what is large enough to be said."""
    margin = max(1, round(OUTLINE_MM / regions.pixel_mm))
    outline = ndimage.binary_dilation(regions.body_mm > 0.3, iterations=margin)
    outside = cement & ~outline
    found: dict[str, BoolArray] = {}
    if not outside.any():
        return found
    up = regions.up_mm
    if regions.toward == "lateral":
        back = regions.depth_mm
        behind = outside & (back < 0.35 * depth_mm) & (regions.canal_mm > 1.0)
        disc = ~behind
        found["over the foramen"] = behind & (regions.foramen_mm > 1.0)
        found["behind the posterior wall"] = behind
        found["in front of the body"] = (
            outside & (back > 0.6 * depth_mm) & (regions.above_mm < 1.0) & (regions.below_mm < 1.0)
        )
        found["disc above"] = outside & disc & (regions.above_mm > 1.0) & (up > 0)
        found["disc below"] = outside & disc & (regions.below_mm > 1.0) & (up < 0)
    elif regions.toward == "ap":
        found["disc above"] = outside & (regions.above_mm > 1.0) & (up > 0)
        found["disc below"] = outside & (regions.below_mm > 1.0) & (up < 0)
        found["beside the body"] = outside & (regions.above_mm < 1.0) & (regions.below_mm < 1.0)
    if _thread(outside, regions.pixel_mm):
        found["thread"] = outside
    least = LEAST_MM2 / regions.pixel_mm**2
    named = np.zeros(outside.shape, bool)
    for mask in found.values():
        named |= mask
    large = {name: mask for name, mask in found.items() if _largest(mask) >= least}
    if _largest(outside & ~named) >= UNNAMED_MM2 / regions.pixel_mm**2:
        large["outside the body"] = outside & ~named
    return large


def _largest(mask: BoolArray) -> int:
    """Pixels of the largest piece."""
    pieces, count = ndimage.label(mask, np.ones((3, 3), bool))
    return int(np.bincount(pieces.ravel())[1:].max()) if count else 0


def _thread(mask: BoolArray, pixel_mm: float) -> bool:
    """Whether a piece is long and thin, as cement in a vein is."""
    pieces, _ = ndimage.label(mask, np.ones((3, 3), bool))
    for box in ndimage.find_objects(pieces):
        points = np.argwhere(pieces[box] > 0).astype(float)
        if len(points) * pixel_mm**2 < LEAST_MM2 or len(points) < 6:
            continue
        spread = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(points.T)), 1e-6))
        if spread[1] * 3.46 * pixel_mm > THREAD_MM and spread[1] > THREAD_LENGTH * spread[0]:
            return True
    return False
