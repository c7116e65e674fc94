"""One picture of a fluoroscopy, as its source gave it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from thecal.fluoro.sources.arrival import SourceGeometry


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture.

    Attributes
    ----------
    number : int
        As the source counts, from 0; a number that is missing, repeated or goes back is seen downstream.
    time_s : float
        By the source's own clock, from its first picture on.
    pixels : (rows, columns) uint8 or uint16
        As displayed: dense things dark. Sources that say otherwise (MONOCHROME1) are turned at the door.
    geometry : SourceGeometry or None
        How the C-arm stood, where only the picture says so: in a folder that fills.
    """

    number: int
    time_s: float
    pixels: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    geometry: SourceGeometry | None = None
