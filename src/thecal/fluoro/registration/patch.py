"""The part of a picture around the vertebra, read coarsely, with its view."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.projection.view import Pose, View
from thecal.volume import BoolArray, FloatArray

BRIDGE_MM: Final = 2.0
"""Ignored pixels are filled by means over this radius (one sigma)."""


@dataclass(frozen=True, eq=False)
class Patch:
    """A window of a picture, binned.

    Attributes
    ----------
    image : (rows, columns) float32
        Dense things bright.
    view : View
        Of these pixels.
    pixel_mm : float
        In the plane of the vertebra.
    seen : (rows, columns) float32
        Share of each pixel that may be used.
    """

    image: npt.NDArray[np.float32]
    view: View
    pixel_mm: float
    seen: npt.NDArray[np.float32]


def patch_of(
    pixels: npt.NDArray[Any],
    view: View,
    points: FloatArray,
    pose: Pose,
    *,
    pixel_mm: float,
    margin_mm: float,
    ignore: BoolArray | None = None,
) -> Patch | None:
    """The window round the vertebra's shadow in a pose.

    Parameters
    ----------
    pixels : (rows, columns) array
        Dense things dark.
    view : View
        Of the whole picture.
    points : (n, 3) float64
        Of the vertebra, LPS mm.
    pose : Pose
    pixel_mm, margin_mm : float
        Size of a read pixel, and what is left round the shadow, in the plane of the vertebra.
    ignore : (rows, columns) bool, optional

    Returns
    -------
    Patch or None
        None where the shadow lies outside the picture.
    """
    at = pose.apply(points)
    large = view.magnification(at.mean(0))
    if large <= 0.0:
        return None
    pitch = float(np.linalg.norm(view.along_row)) / large
    factor = max(1, round(pixel_mm / pitch))
    shadow = view.project(at)
    if not np.isfinite(shadow).all():
        return None
    margin = margin_mm / pitch
    # Windows begin at whole read pixels, so that a small move of the pose reads the same ones.
    low = np.floor((shadow.min(0) - margin) / factor).astype(int) * factor
    high = np.ceil((shadow.max(0) + margin) / factor).astype(int) * factor
    low = np.maximum(low, 0)
    high = np.minimum(high, np.array(view.shape) // factor * factor)
    if (high - low < 12 * factor).any():
        return None
    rows, columns = slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))
    cut = view.window(rows, columns).binned(factor)
    image = _binned(pixels[rows, columns].astype(np.float32), factor)
    seen = np.ones(image.shape, np.float32)
    if ignore is not None:
        seen = 1.0 - _binned(ignore[rows, columns].astype(np.float32), factor)
        image = _bridged(image, seen, BRIDGE_MM / (pitch * factor))
    return Patch(-image, cut, pitch * factor, seen)


def _bridged(
    image: npt.NDArray[np.float32], seen: npt.NDArray[np.float32], sigma: float
) -> npt.NDArray[np.float32]:
    """The picture with what is ignored filled from around it, so that its edges pull nothing."""
    whole = (seen > 0.99).astype(np.float32)
    share = ndimage.gaussian_filter(whole, sigma)
    around = ndimage.gaussian_filter(image * whole, sigma) / np.maximum(share, 1e-3)
    bridged: npt.NDArray[np.float32] = np.where((whole > 0) | (share < 1e-3), image, around)
    return bridged


def _binned(image: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    rows, columns = image.shape[0] // factor, image.shape[1] // factor
    means: npt.NDArray[np.float32] = image.reshape(rows, factor, columns, factor).mean((1, 3))
    return means
