"""Any picture as one of greys, dense things dark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def to_grey(pixels: npt.NDArray[Any]) -> Grey:
    """A picture's greys as uint8 or uint16; of colours, the mean that eyes see (ITU-R BT.601).

    Raises
    ------
    ValueError
        Where it is not one picture.
    """
    if pixels.ndim == 3 and pixels.shape[2] in (3, 4):
        red, green, blue = (pixels[..., n].astype(np.float32) for n in range(3))
        mean = 0.299 * red + 0.587 * green + 0.114 * blue
        pixels = np.rint(mean).astype(pixels.dtype)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim != 2 or min(pixels.shape) < 2:
        raise ValueError("not one picture")
    if pixels.dtype == np.uint8 or pixels.dtype == np.uint16:
        return np.ascontiguousarray(pixels)
    if pixels.dtype.kind == "b":
        return pixels.astype(np.uint8) * np.uint8(255)
    low, high = float(pixels.min()), float(pixels.max())
    if pixels.dtype.kind not in "iu" or high - low > 65535:
        raise ValueError("not whole greys")
    return (pixels.astype(np.int64) - min(int(low), 0)).astype(np.uint16)


def read_picture(path: Path) -> Grey:
    """A PNG, TIFF, BMP or JPEG file.

    Raises
    ------
    ValueError
        Where it is none, or not whole yet.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            image.load()
            coloured = image.mode in ("P", "PA", "CMYK", "YCbCr", "LA", "La")
            return to_grey(np.asarray(image.convert("RGB") if coloured else image))
    except (OSError, SyntaxError, UnidentifiedImageError, EOFError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path.name} is no whole picture") from error
