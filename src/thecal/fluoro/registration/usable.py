"""Whether a picture can be read at all."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

LEAST_GREYS: Final = 0.02
"""Of the full range, between the 2nd and the 98th percentile: less is a black or an empty picture."""
STUCK_SHARE: Final = 0.9
"""Of pixels that have one and the same value."""


def why_not(pixels: npt.NDArray[Any], shape: tuple[int, int]) -> str:
    """One sentence why nothing can be seen, or nothing.

    Parameters
    ----------
    pixels : (rows, columns) array
    shape : (int, int)
        Of the view.
    """
    if pixels.ndim != 2 or pixels.shape != shape:
        size = " x ".join(str(n) for n in pixels.shape)
        return f"The picture is {size} pixels, the C-arm's are {shape[0]} x {shape[1]}."
    some = pixels[::4, ::4]
    low, high = np.percentile(some, (2.0, 98.0))
    most = float(np.max(np.unique(some, return_counts=True)[1])) / some.size
    if high - low < LEAST_GREYS * max(float(pixels.max()), 50.0) or most > STUCK_SHARE:
        return "The picture is black or empty."
    return ""
