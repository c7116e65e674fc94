"""Small or thin deposits, dimmed by the blur, looked for only where brighter cement is known to be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.cement.groups import groups_by_size
from thecal.cement.nearness import Nearness
from thecal.volume import BoolArray, IntArray, box_of

# A vein 1.5 mm wide or a ball of 20 mm3 in slices of 3 mm keeps about this share of its brightness.
FAINT_SHARE = 0.30
CANAL_SHARE = 0.22
# Calcified ligament, disc and facet edge in the canal stay below this.
CANAL_LEAST_HU = 700.0
CANAL_CLEAR_MM = 1.5
LEAST_MM3 = 4.0
REACH_MM = 15.0
# Osteophytes and calcified vessels outside the arch may outshine it; only a little is conceded to them.
SEED_SHARE = 0.95
MOST_MM3 = 3000.0


def faint_seeds(
    hu: IntArray, spine: Spine, near: Nearness, plateau_hu: float, threshold_hu: float, noise_hu: float
) -> npt.NDArray[np.int32]:
    """Groups too dim to be sure of by themselves, numbered from 1.

    Outside the canal they must still exceed this patient's bone, almost as far as sure cement does; inside
    it, clear of its wall, nothing natural is as bright as a fifth of this patient's cement.

    Parameters
    ----------
    hu : (z, y, x) int16
    plateau_hu : float
        HU of this patient's pure cement.
    threshold_hu : float
        HU from which a voxel is a seed by itself.
    """
    import edt

    spacing = [float(s) for s in spine.grid.spacing_mm]
    canal = spine.canal_mask()
    marked: BoolArray = hu >= max(FAINT_SHARE * plateau_hu, SEED_SHARE * threshold_hu)
    marked &= ~canal
    marked &= near.bone_mm <= REACH_MM
    room = box_of(canal, 1)
    if room is not None:
        depth = edt.edt(canal[room], anisotropy=spacing, black_border=False, parallel=1)
        canal_level = max(CANAL_SHARE * plateau_hu, CANAL_LEAST_HU + 3.0 * noise_hu)
        marked[room] |= (depth >= CANAL_CLEAR_MM) & (hu[room] >= canal_level)
    return groups_by_size(marked, spine.grid.spacing_mm, LEAST_MM3, MOST_MM3)
