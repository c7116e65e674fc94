"""Which voxels of a deposit its segment holds: as many as its volume, the fullest first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Leakage


def segment_voxels(cement: Cement, leakage: Leakage) -> npt.NDArray[np.int32]:
    """Deposit ids (z, y, x) whose voxels add up to each deposit's volume, to half a voxel.

    A deposit's blurred rim holds little cement in many voxels: counted whole, as viewers do, they would
    add up to more than there is. At least one voxel of each deposit is kept.
    """
    labels = np.zeros_like(leakage.deposit_labels)
    voxel_mm3 = cement.grid.voxel_mm3
    boxes = ndimage.find_objects(leakage.deposit_labels)
    for deposit in leakage.deposits:
        box = boxes[deposit.id - 1] if deposit.id <= len(boxes) else None
        if box is None:
            continue
        own = np.argwhere(leakage.deposit_labels[box] == deposit.id)
        fill = cement.fraction[box][tuple(own.T)]
        count = min(max(1, round(1000.0 * deposit.volume_ml / voxel_mm3)), len(own))
        fullest = own[np.argsort(-fill, kind="stable")[:count]]
        labels[box][tuple(fullest.T)] = deposit.id
    return labels
