"""What lies round the spine, seen once in the whole scan: skin, air in the body, vessels with contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine
from thecal.volume import BoolArray, FloatArray, Grid, Volume

COARSE_MM: Final = 2.0
TISSUE_HU: Final = -300
AIR_HU: Final = -500
LUNG_HU: Final = -950
"""Aerated lung reads -950 to -500, gas in bowel and airways lower (from memory)."""
TABLE_MM: Final = 4.0
"""What hangs on the body by less than this is the table's top or a blanket."""
CROP_MM: Final = 90.0
"""So far to the sides and to the front of the spine's crop things are looked for."""
VESSEL_HU: Final = (130, 700)
VESSEL_RADIUS_MM: Final = 6.0
"""An aorta is 20 to 30 mm wide, a rib's thickness less than 12 mm."""
VESSEL_NEAR_MM: Final = 25.0
"""The descending aorta lies against the spine or this near to it."""


@dataclass(frozen=True, eq=False)
class Around:
    """Masks on a coarse grid that covers the spine and its surroundings.

    Attributes
    ----------
    grid : Grid
        Every so many voxels of the scan.
    body : (z, y, x) bool
        The patient, air inside her included as far as tissue lies behind it.
    lung, gas, aorta : (z, y, x) bool
    """

    grid: Grid
    body: BoolArray
    lung: BoolArray
    gas: BoolArray
    aorta: BoolArray

    @classmethod
    def of(cls, volume: Volume, spine: Spine) -> Around:
        """Look round the spine of a scan."""
        corners = spine.grid.to_lps(
            [[i, j, k] for i in (0, spine.grid.shape[0] - 1) for j in (0, spine.grid.shape[1] - 1)
             for k in (0, spine.grid.shape[2] - 1)]
        )  # fmt: skip
        box = volume.grid.box_around(corners, CROP_MM)
        steps = np.maximum(1, np.rint(COARSE_MM / volume.grid.spacing_mm)).astype(int)
        near = volume.hu[box]
        hu = near[:: steps[0], :: steps[1], :: steps[2]]
        crop = volume.grid.crop(box)
        affine = crop.affine.copy()
        affine[:3, :3] *= steps
        grid = Grid((hu.shape[0], hu.shape[1], hu.shape[2]), affine)
        bone = _on(grid, spine, spine.bone_mask())
        tissue = _with_spine(hu > TISSUE_HU, bone, grid.spacing_mm)
        # A line backwards from air that meets tissue again: the air is inside the body.
        behind: BoolArray = np.flip(np.maximum.accumulate(np.flip(tissue, 1), axis=1), 1)
        inside = behind & (hu < AIR_HU)
        lung, gas = _lung_and_gas(inside, hu)
        return cls(grid, behind, lung, gas, _aorta(hu, bone, grid.spacing_mm))

    def at(self, mask: BoolArray, points: FloatArray) -> BoolArray:
        """Whether LPS points (..., 3) lie in a mask; False outside the grid."""
        index = np.rint(self.grid.to_index(points)).astype(int)
        inside: BoolArray = np.asarray(((index >= 0) & (index < np.array(self.grid.shape))).all(-1))
        index = np.where(inside[..., None], index, 0)
        found: BoolArray = inside & mask[index[..., 0], index[..., 1], index[..., 2]]
        return found


def _on(grid: Grid, spine: Spine, mask: BoolArray) -> BoolArray:
    """A mask of the spine's crop, sampled on the coarse grid."""
    matrix = np.linalg.inv(spine.grid.affine) @ grid.affine
    sampled = ndimage.affine_transform(
        mask.astype(np.uint8), matrix[:3, :3], matrix[:3, 3], output_shape=grid.shape, order=0, cval=0
    )
    found: BoolArray = sampled > 0
    return found


def _with_spine(tissue: BoolArray, bone: BoolArray, spacing: FloatArray) -> BoolArray:
    """The tissue that hangs together with the spine by more than a thin bridge."""
    thin = [max(1, round(TABLE_MM / 2.0 / float(s))) for s in spacing[1:]]
    element = np.ones((1, 2 * thin[0] + 1, 2 * thin[1] + 1), bool)
    core = ndimage.binary_erosion(tissue, element, border_value=1)
    parts = np.asarray(cc3d.connected_components(core.astype(np.uint8), connectivity=6))
    votes = np.bincount(parts[bone & core])
    if len(votes) < 2:
        return tissue
    kept: BoolArray = ndimage.binary_dilation(parts == int(votes[1:].argmax()) + 1, element) & tissue
    return kept


def _lung_and_gas(inside: BoolArray, hu: npt.NDArray[np.int16]) -> tuple[BoolArray, BoolArray]:
    parts = np.asarray(cc3d.connected_components(inside.astype(np.uint8), connectivity=6))
    count = int(parts.max(initial=0))
    lung, gas = np.zeros(inside.shape, bool), np.zeros(inside.shape, bool)
    if not count:
        return lung, gas
    middle = ndimage.median(hu, parts, np.arange(1, count + 1))
    is_lung = np.concatenate([[False], np.asarray(middle) > LUNG_HU])
    lung |= is_lung[parts]
    gas |= inside & ~lung
    return lung, gas


def _aorta(hu: npt.NDArray[np.int16], bone: BoolArray, spacing: FloatArray) -> BoolArray:
    """Thick things as bright as blood with contrast medium beside the spine, none of its bones."""
    import edt

    bright = (hu > VESSEL_HU[0]) & (hu < VESSEL_HU[1])
    bright &= ~ndimage.binary_dilation(bone, iterations=2)
    scale = tuple(float(s) for s in spacing)
    core = edt.edt(bright, anisotropy=scale, black_border=False) >= VESSEL_RADIUS_MM
    if not core.any():
        return np.zeros(hu.shape, bool)
    grown: BoolArray = (edt.edt(~core, anisotropy=scale) <= VESSEL_RADIUS_MM + COARSE_MM) & (
        hu > VESSEL_HU[0]
    )
    near = edt.edt(~bone, anisotropy=scale) <= VESSEL_NEAR_MM
    parts = np.asarray(cc3d.connected_components(grown.astype(np.uint8), connectivity=6))
    wanted = np.unique(parts[near & grown])
    kept: BoolArray = np.isin(parts, wanted[wanted > 0]) & ~bone
    return kept
