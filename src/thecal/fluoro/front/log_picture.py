"""A picture as the monitor reads it: logarithm of its grey, two by two pixels as one."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]
BIN: Final = 2
"""Pixels each way that are read as one: half a millimetre at the vertebra on a usual C-arm."""
FLOOR_SHARE: Final = 0.04
"""Added before the logarithm, as a share of the brightest grey, so that black is not minus infinity."""


def brightest(pixels: npt.NDArray[np.unsignedinteger]) -> float:
    """The grey that only a hundredth of the pixels exceed."""
    return float(np.percentile(pixels[::4, ::4], 99.0))


def log_picture(pixels: npt.NDArray[np.unsignedinteger], top: float) -> FloatImage:
    """The picture in natural logarithms, dense things low.

    Parameters
    ----------
    pixels : (rows, columns) unsigned
    top : float
        ``brightest`` of the first picture; it stays the same for a whole injection.

    Returns
    -------
    (rows // 2, columns // 2) float32
    """
    rows, columns = pixels.shape[0] // BIN * BIN, pixels.shape[1] // BIN * BIN
    grey = pixels[:rows, :columns].astype(np.float32)
    mean = grey[0::2, 0::2] + grey[1::2, 0::2]
    mean += grey[0::2, 1::2]
    mean += grey[1::2, 1::2]
    mean *= np.float32(0.25 / top)
    mean += np.float32(FLOOR_SHARE)
    logs: FloatImage = np.log(mean)
    return logs
