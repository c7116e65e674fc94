"""How wide a needle of metal looks on CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.needle.gauges import GAUGES
from thecal.volume import FloatArray, Volume

STATION_MM: Final = 1.0
ACROSS_MM: Final = 6.0
"""Half the square that is looked at across the needle; glare of a needle of 3.4 mm ends within."""
RASTER_MM: Final = 0.2
RING_MM: Final = (4.5, 6.0)
"""Round the needle, beyond its glare: what surrounds it."""
BACK_MM: Final = 25.0
"""So much of the needle behind the bone is measured with it; its hub is farther out."""
TIP_MM: Final = 4.0
"""The bevel is not measured."""
LEAST_STATIONS: Final = 10
CLIPPED_SHARE: Final = 0.5
"""Where so many sections reach the very same brightest value, the scan's scale ends there."""
WIDEST_MM: Final = max(size.outer_mm for size in GAUGES.values())


@dataclass(frozen=True)
class MetalWidth:
    """A needle's diameter.

    Attributes
    ----------
    outer_mm : float
    error_mm : float or None
        Half a voxel; None where ``outer_mm`` is only what it is at most.
    """

    outer_mm: float
    error_mm: float | None


def metal_width(volume: Volume, entry_mm: FloatArray, tip_mm: FloatArray) -> MetalWidth | None:
    """The diameter of a needle in place; None where too little of it is in the scan.

    In each section across the needle the area is counted that is brighter than half-way from what surrounds
    it to its brightest; the diameter is that of a circle of the median area. Half-way is the edge of a thing
    that is wider than the scan's blur. On most scanners steel is brighter than the scale reaches (3071 HU).
    Half-way of what is shown then lies in the glare outside the needle: the diameter is what it is at most,
    and not above that of the widest needle in use.

    Parameters
    ----------
    volume : Volume
    entry_mm, tip_mm : (3,) float64
        LPS; where the needle meets bone, and its tip.
    """
    long_mm = float(np.linalg.norm(tip_mm - entry_mm))
    ahead = (tip_mm - entry_mm) / long_mm
    stations = np.arange(-BACK_MM, long_mm - TIP_MM, STATION_MM)
    one = np.cross(ahead, np.eye(3)[int(np.abs(ahead).argmin())])
    one /= np.linalg.norm(one)
    two = np.cross(ahead, one)
    off = np.arange(-ACROSS_MM, ACROSS_MM + RASTER_MM / 2.0, RASTER_MM)
    square = off[:, None, None] * one + off[None, :, None] * two
    index = volume.grid.to_index(entry_mm + stations[:, None, None, None] * ahead + square)
    inside = ((index >= 0) & (index <= np.array(volume.hu.shape) - 1)).all((1, 2, 3))
    if int(inside.sum()) < LEAST_STATIONS:
        return None
    places = np.moveaxis(index[inside], -1, 0)
    away = np.hypot(off[:, None], off[None, :])
    hu = ndimage.map_coordinates(volume.hu, places, output=np.float32, order=1)
    around = np.median(hu[:, (away >= RING_MM[0]) & (away <= RING_MM[1])], axis=1)
    core = hu[:, away < RING_MM[0]]
    half = (around + core.max(1)) / 2.0
    area = float(np.median((core >= half[:, None]).sum(1))) * RASTER_MM**2
    outer = float(2.0 * np.sqrt(area / np.pi))
    nearest = volume.hu[tuple(np.rint(places[:, :, away < RING_MM[0]]).astype(int))].max(1)
    if float((nearest == nearest.max()).mean()) >= CLIPPED_SHARE:
        return MetalWidth(min(outer, WIDEST_MM), None)
    return MetalWidth(outer, float(volume.grid.voxel_mm3 ** (1.0 / 3.0)) / 2.0)
