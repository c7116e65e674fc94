"""Connected groups of bright voxels, by size."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.volume import BoolArray, FloatArray, box_of

LONE_VOXEL_MM3 = 10.0
"""A lone bright voxel is noise unless it is as large as a deposit."""


def groups_by_size(
    marked: BoolArray, spacing_mm: FloatArray, least_mm3: float, most_mm3: float = np.inf
) -> npt.NDArray[np.int32]:
    """Number the connected groups of marked voxels (26 neighbours) of the given volume, from 1.

    Parameters
    ----------
    marked : (z, y, x) bool
    spacing_mm : (3,) float

    Returns
    -------
    (z, y, x) int32
        0 where nothing was marked or the group was left out.
    """
    import cc3d

    result = np.zeros(marked.shape, np.int32)
    box = box_of(marked)
    if box is None:
        return result
    groups = cc3d.connected_components(marked[box], connectivity=26)
    counts = np.bincount(groups.ravel())
    voxel_mm3 = float(np.prod(spacing_mm))
    sizes = counts * voxel_mm3
    keep = (sizes >= least_mm3) & (sizes <= most_mm3)
    if voxel_mm3 < LONE_VOXEL_MM3:
        keep &= counts >= 2
    keep[0] = False
    result[box] = np.where(keep, np.cumsum(keep), 0).astype(np.int32)[groups]
    return result
