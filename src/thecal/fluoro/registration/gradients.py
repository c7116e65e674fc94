"""What picture and drawing are compared by: gradients, each in units of the contrast around it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Gradients = npt.NDArray[np.float32]
SURROUND_MM: Final = 5.0
"""Contrast is measured over this radius (one sigma): about a pedicle."""
FLOOR: Final = 0.3
"""Share of the picture's own typical contrast below which gradients are not raised."""


def gradients(
    image: npt.NDArray[Any],
    pixel_mm: float,
    blur_mm: float,
    weight: npt.NDArray[Any] | None = None,
    floor: float = FLOOR,
) -> Gradients:
    """Gradients of the blurred image over the root mean square gradient around them.

    So a needle's edge weighs no more than an endplate's, and neither the window nor the gamma of the display
    matters but by its sign.

    Parameters
    ----------
    image : (rows, columns) array
    pixel_mm : float
        In the plane of the vertebra.
    blur_mm : float
        One sigma.
    weight : (rows, columns) array, optional
        Where the typical contrast is measured; everywhere by default.
    floor : float

    Returns
    -------
    (2, rows, columns) float32
        Along rows' and columns' index.
    """
    sigma = blur_mm / pixel_mm
    work = np.asarray(image, np.float32)
    smooth = ndimage.gaussian_filter(work, sigma, mode="nearest", truncate=3.0) if sigma > 0.3 else work
    both = np.empty((2, *work.shape), np.float32)
    both[0, 1:-1] = (smooth[2:] - smooth[:-2]) / 2
    both[0, [0, -1]] = 0.0
    both[1, :, 1:-1] = (smooth[:, 2:] - smooth[:, :-2]) / 2
    both[1, :, [0, -1]] = 0.0
    energy = ndimage.gaussian_filter(both[0] ** 2 + both[1] ** 2, SURROUND_MM / pixel_mm, truncate=2.5)
    typical = float(np.average(energy, weights=weight) if weight is not None else np.median(energy))
    both /= np.sqrt(energy + floor**2 * typical + 1e-12)
    return both
