"""Where each voxel lies with respect to the spine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.terms import SACRUM
from thecal.volume import BoolArray


@dataclass(frozen=True, eq=False)
class Nearness:
    """Distances on the spine's crop.

    Attributes
    ----------
    bone_mm : (z, y, x) float32
        Distance to the nearest vertebra, sacrum, disc or canal voxel, 0 inside.
    behind : (z, y, x) bool
        Posterior to the canal's axis at that height: the muscles a needle passes through.
    """

    bone_mm: npt.NDArray[np.float32]
    behind: BoolArray


def nearness(spine: Spine) -> Nearness:
    """Distance to the spine and side of the canal for each voxel of the crop."""
    import edt

    outside = spine.labels == 0
    spacing = [float(s) for s in spine.grid.spacing_mm]
    if outside.all():
        distance = np.full(outside.shape, np.inf, np.float32)
    else:
        distance = edt.edt(outside, anisotropy=spacing, black_border=False, parallel=1)
    canal_index = spine.grid.to_index(spine.canal.frame.points)
    heights = np.arange(outside.shape[0])
    order = np.argsort(canal_index[:, 0])
    axis_y = np.interp(heights, canal_index[order, 0], canal_index[order, 1])
    behind: BoolArray = np.broadcast_to(
        np.arange(outside.shape[1])[None, :, None] > axis_y[:, None, None], outside.shape
    )
    return Nearness(distance, behind)


def is_bone(labels: npt.NDArray[np.uint16]) -> BoolArray:
    """Voxels of vertebrae and sacrum."""
    bone: BoolArray = ((labels >= 1) & (labels <= SACRUM)) | (labels == 28)
    bone |= (labels >= 201) & (labels <= 299)
    return bone
