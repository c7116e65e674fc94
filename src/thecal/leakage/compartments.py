"""Every voxel of cement to a compartment, with walls that are known only to a millimetre or two.

A wall drawn by any anatomy is off by a voxel here and there, and a body filled up to its wall then shows a
film of cement outside it. A film is no leak. So cement is called to have left only where it is seen deeper
in the next compartment than the wall is uncertain (a *seed*), or where it lies beyond the wall with
nothing behind it that a shifted wall would explain. All other cement falls to the nearest seed of its
own piece, so that a true leak grows back to the wall and a film returns to where it came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import edt
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.divide import divide
from thecal.leakage.hidden_walls import reconsider
from thecal.leakage.mirror import uncover
from thecal.leakage.needle_track import mark_tracks
from thecal.leakage.regions import BONE, DISC, EPIDURAL, FORAMEN, OUTSIDE, SAC, region_codes
from thecal.leakage.side_of_dura import side_of_dura
from thecal.volume import Box, Grid, IntArray

WALL_UNCERTAINTY_MM: Final = 1.5
"""Depth beyond a wall from which cement is surely on its other side: twice a surface error of 0.7-0.8 mm,
about one voxel, which is assumed here and not taken from a study."""
MARGIN_MM: Final = 6.0
NEAR_MM: Final = 4.0
"""Regions matter so far from cement."""
BLUR_MM: Final = 1.5
"""Cement blurs so far, and hides what bounds it."""


@dataclass(frozen=True, eq=False)
class Assignment:
    """Cement voxels by region.

    Attributes
    ----------
    box : Box
        Around all cement, within the spine's crop.
    region : (z, y, x) uint16
        Region codes of the anatomy in the box, cement or not.
    codes : (z, y, x) uint16
        The region each cement voxel was given to; 0 elsewhere.
    """

    box: Box
    region: npt.NDArray[np.uint16]
    codes: npt.NDArray[np.uint16]


def assign(spine: Spine, cement: Cement, hu: IntArray) -> Assignment | None:
    """Give every cement voxel to a region, or None where there is no cement; ``hu`` is the spine's crop."""
    found = np.flatnonzero(cement.pieces)
    if not len(found):
        return None
    where = np.stack(np.unravel_index(found, cement.pieces.shape), axis=1)
    spacing = cement.grid.spacing_mm
    margin = np.ceil(MARGIN_MM / spacing).astype(int)
    low = np.maximum(where.min(0) - margin, 0)
    high = np.minimum(where.max(0) + margin + 1, cement.pieces.shape)
    box: Box = (
        slice(int(low[0]), int(high[0])),
        slice(int(low[1]), int(high[1])),
        slice(int(low[2]), int(high[2])),
    )
    pieces, fraction = np.ascontiguousarray(cement.pieces[box]), np.ascontiguousarray(cement.fraction[box])
    away = edt.edt(pieces == 0, anisotropy=tuple(spacing), black_border=False)
    region = region_codes(spine, box, away <= NEAR_MM)
    hidden = away <= BLUR_MM
    uncover(region, hidden, spine, box)
    codes = _three_questions(pieces, region, fraction, hu[box], spine, spine.grid.crop(box))
    codes = mark_tracks(codes, fraction, hidden, spine, box)
    return Assignment(box, region, reconsider(codes, region, fraction, spine, box))


def _three_questions(
    pieces: npt.NDArray[np.int32],
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    hu: IntArray,
    spine: Spine,
    grid: Grid,
) -> npt.NDArray[np.uint16]:
    """In bone or out of it; if out, in which space; if in the canal, on which side of the dura."""
    size = max(int(region.max()), FORAMEN) + 1
    limits = np.full(size, WALL_UNCERTAINTY_MM)
    # A sheet that straddles a wall is backed for the bone by any cement next to it, but for the space outside
    # only by cement deeper in the bone than the wall may be off: then it is no sheet but a body's fill.
    behind = np.zeros(size)
    behind[[OUTSIDE, EPIDURAL]] = WALL_UNCERTAINTY_MM
    bone = (region >= BONE) & (region < DISC)
    in_bone = np.where(bone, region, OUTSIDE).astype(np.uint16)
    # Endplates are rough and wide and cement often lies all along them.
    codes = divide(pieces, in_bone, fraction, grid, limits, behind, disc=region >= DISC)

    out = codes == OUTSIDE
    if not out.any():
        return codes
    space = np.where(region == SAC, EPIDURAL, region).astype(np.uint16)
    # Cement on a bone's label that was found to be out of bone has no space of its own: the nearest serves.
    nearest = ndimage.distance_transform_edt(
        bone, sampling=grid.spacing_mm, return_distances=False, return_indices=True
    )
    space = space[tuple(nearest)]
    behind[OUTSIDE] = 0.0
    parts = cc3d.connected_components(out, connectivity=26).astype(np.int32)
    codes[out] = divide(parts, space, fraction, grid, limits, behind)[out]

    canal = codes == EPIDURAL
    if canal.any():
        codes[canal] = side_of_dura(canal, region, fraction, hu, spine.canal, grid)[canal]
    return codes
