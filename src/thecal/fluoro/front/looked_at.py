"""Where the monitor looks: what pictures are laid by, where cement may come by itself, where it does not."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.fluoro.front.in_plane import Move, warped
from thecal.fluoro.front.log_picture import FloatImage
from thecal.volume import BoolArray

LAID_BY_MM: Final = 6.0
"""Pictures are laid on each other by the vertebra, its discs and so much round them."""
APART_UP_MM: Final = 8.0
"""Above and below the body, cement away from other is looked for so far."""
DISC_MM: Final = 8.0
"""A disc, with what leaks into it, is no taller."""


def apart(found: Regions) -> BoolArray:
    """Where cement may come to light away from other: body, canal and foramina at its height."""
    height = np.abs(found.up_mm[found.body]).max(initial=12.0)
    parts = (found.canal_mm > 1.0) | (found.foramen_mm > 1.0)
    places: BoolArray = found.body | (parts & (np.abs(found.up_mm) < height + APART_UP_MM))
    return places


def calm(found: Regions, depth_mm: float) -> BoolArray:
    """The bodies above and below, beyond the discs: nothing new is expected there."""
    height = float(np.abs(found.up_mm[found.body]).max(initial=12.0))
    column = (found.depth_mm > 0.0) & (found.depth_mm < depth_mm)
    quiet: BoolArray = column & (np.abs(found.up_mm) > height + DISC_MM)
    return quiet


def beside_column(found: Regions) -> BoolArray:
    """Pixels off the body and off canal and foramina: soft tissue that moves is seen there."""
    places: BoolArray = ~found.body & (found.canal_mm < 1.0) & (found.foramen_mm < 1.0)
    return places


def within_mm(found: Regions, reach_mm: float) -> BoolArray:
    """Pixels within a distance of the body's outline."""
    near: BoolArray = ndimage.distance_transform_edt(~found.body) * found.pixel_mm <= reach_mm
    return near


def laid_mask(mask: BoolArray, move: Move) -> BoolArray:
    """A mask of the picture on the reference's pixels."""
    laid: BoolArray = warped(mask.astype(np.float32), move.matrix) > 0.3
    return laid


def laid_by(found: Regions) -> FloatImage:
    """Weights by which pictures are laid on each other."""
    near = (found.vertebra_mm > 1.0) | (found.above_mm > 1.0) | (found.below_mm > 1.0)
    grown = ndimage.binary_dilation(near, iterations=max(1, round(LAID_BY_MM / found.pixel_mm)))
    weights: FloatImage = grown.astype(np.float32)
    return weights
