"""The side wall of bodies and discs about one vertebra's axis, for cement that lies against it."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Vertebra, disc_mask
from thecal.phantom.select import in_frame_box
from thecal.phantom.site import Site
from thecal.volume import FloatArray

_ANGLES: Final = 48
_TALL_MM: Final = 48.0
_ROW_MM: Final = 2.0


def column_of(site: Site, vertebra: Vertebra) -> FloatArray:
    """Radius of bodies and discs about the body's axis, (heights, angles from anterior to the left), mm."""
    size = site.measure(vertebra)
    spine = site.spine
    box = spine.grid.box_around(vertebra.frame.origin[None], 70.0)
    labels, parts = spine.labels[box], spine.parts[box]
    solid = ((parts == Part.BODY) & (labels > 0)) | disc_mask(labels)
    low, high = [-40.0, -2.0, -_TALL_MM], [40.0, size.depth + 25.0, _TALL_MM]
    index = in_frame_box(solid, box, spine.grid, vertebra.frame, low, high)
    local = vertebra.frame.to_local(spine.grid.to_lps(index))
    x, y = local[:, 0], local[:, 1] - size.depth / 2
    rows = int(2 * _TALL_MM / _ROW_MM)
    row = np.clip(((local[:, 2] + _TALL_MM) / _ROW_MM).astype(int), 0, rows - 1)
    slot = np.clip(((np.arctan2(x, y) + np.pi) / (2 * np.pi) * _ANGLES).astype(int), 0, _ANGLES - 1)
    radius = np.zeros((rows, _ANGLES))
    np.maximum.at(radius, (row, slot), np.hypot(x, y))
    middle = np.maximum(radius[rows // 2 - 2 : rows // 2 + 2].max(0), 0.6 * size.half_width)
    radius = np.where(radius > 0.5 * middle, radius, middle)
    radius = ndimage.maximum_filter(radius, (3, 1), mode="nearest")
    smooth: FloatArray = ndimage.gaussian_filter(radius, (0.8, 0.8), mode=("nearest", "wrap"))
    return smooth


def side_wall(column: FloatArray, angle: FloatArray, height: FloatArray) -> FloatArray:
    """Radius of the column's side wall at angles and heights, mm."""
    at = np.stack(
        [
            (height + _TALL_MM) / _ROW_MM - 0.5,
            np.mod((angle + np.pi) / (2 * np.pi) * _ANGLES - 0.5, _ANGLES),
        ]
    )
    padded = np.concatenate([column, column[:, :1]], axis=1)
    values: FloatArray = ndimage.map_coordinates(padded, at, order=1, mode="nearest")
    return values
