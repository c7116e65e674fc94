"""Which of the posterior body and the canal can be seen at all on a picture."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.fluoro.front.log_picture import BIN
from thecal.volume import BoolArray

LEAST_SHARE: Final = 0.6
"""Where less of the posterior third or of the canal can be read, cement there would not be seen."""
PLATEAU_SHARE: Final = 0.01
"""Share of the pixels that have one grey where the display is clipped at it,"""
PLATEAU_TIMES: Final = 8.0
"""and how many times more they are than those of each grey near it."""
NEAR_GREYS: Final = 6


def clipped_ends(pixels: npt.NDArray[np.unsignedinteger]) -> tuple[int, int]:
    """The greys at and beyond which a picture is clipped, below and above.

    Besides 0 and the largest grey, one that many pixels have and few near it: burnt-in text may be brighter
    than the plateau of what is clipped.
    """
    count = np.bincount(pixels.ravel())
    top = len(count) - 1
    low, high = 0, top
    for grey in np.flatnonzero(count > PLATEAU_SHARE * pixels.size):
        near = count[max(0, grey - NEAR_GREYS) : grey + NEAR_GREYS + 1]
        around = (near.sum() - count[grey]) / (len(near) - 1) if len(near) > 1 else 0.0
        if count[grey] > PLATEAU_TIMES * around:
            if grey > 0.8 * top:
                high = min(high, int(grey))
            elif grey < 0.1 * top:
                low = max(low, int(grey))
    return low, high


def clipped(pixels: npt.NDArray[np.unsignedinteger]) -> tuple[BoolArray, BoolArray]:
    """Pixels (binned) that are clipped dark and bright."""
    low, high = clipped_ends(pixels)
    rows, columns = pixels.shape[0] // BIN * BIN, pixels.shape[1] // BIN * BIN
    one, two = pixels[0:rows:2, 0:columns:2], pixels[1:rows:2, 1:columns:2]
    return (one <= low) & (two <= low), (one >= high) & (two >= high)


def hidden(readable: BoolArray, regions: Regions, depth_mm: float) -> str:
    """Why a lateral view cannot warn: too little of the posterior third or the canal is read; or empty."""
    if regions.toward != "lateral":
        return ""
    height = np.abs(regions.up_mm) < float(np.abs(regions.up_mm[regions.body]).max(initial=0.0))
    parts = {
        "posterior third": regions.body & (regions.depth_mm < depth_mm / 3.0),
        "canal": (regions.canal_mm > 1.0) & height & (regions.depth_mm < 0.0),
    }
    for name, part in parts.items():
        share = float(readable[part].mean()) if part.any() else 0.0
        if share < LEAST_SHARE:
            seen = f"only {100.0 * share:.0f} % of it are neither clipped nor under the needle"
            return f"The {name} cannot be seen ({seen})."
    return ""
