"""Which side of the dura cement in the canal lies on: whether it rests on the canal's wall, and then where.

CT shows no dura, and cement hides the wall and the fat that the sac's outline is drawn by. What it does show
is whether something dark, fat or ligament, parts the outer face of the cement from the bone around it. Cement
outside the dura rests on the wall with a broad base, also where it pushes the sac before it and reaches the
middle; cement inside it has dura, fat and veins between itself and the bone.
"""

from __future__ import annotations

from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.rays import sample_rays
from thecal.anatomy.spine import Canal
from thecal.leakage.divide import divide
from thecal.leakage.outer_face import outer_faces
from thecal.leakage.regions import EPIDURAL, SAC
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

SAC_UNCERTAINTY_MM: Final = 2.0
"""Depth on either side of the sac's outline from which cement is surely there: CT shows the outline only
where there is epidural fat."""
RAY_STEP_MM: Final = 0.4
BEYOND_WALL_MM: Final = 5.0
SOLID: Final = 0.5
EVENED_MM: Final = 2.0
"""Sections are judged together with those so far above and below that they lie on."""
LOCAL_WEIGHT: Final = 0.7
"""The rest is the share of the whole piece of cement: its ends may hang free of the wall it rests on."""
RESTING_SHARE: Final = 0.35
"""A section of whose outer face this share rests on the wall lies outside the dura ..."""
FREE_SHARE: Final = 0.20
"""... and one with less than this is judged by the sac's outline alone."""
FILLING_SHARE: Final = 0.6
"""What fills so much of the sac's section may rest on the wall on either side of the dura."""
DOUBTFUL_DEPTH_MM: Final = 4.0
"""Between the two, cement must also reach this deep into the sac's outline to be inside the dura: a mass
outside it pushes the dura before it, and the outline is drawn without seeing that."""
NO_FILMS: Final = -1.0
FREE, DOUBTFUL, RESTING = 1, 2, 3


def side_of_dura(
    canal: BoolArray,
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    hu: IntArray,
    spine_canal: Canal,
    grid: Grid,
) -> npt.NDArray[np.uint16]:
    """Epidural or intradural, for the cement in the canal.

    Parameters
    ----------
    canal : (z, y, x) bool
        Voxels of cement in the canal.
    region : (z, y, x) uint16
        Region codes of the anatomy.
    fraction : (z, y, x) float32
        Share of each voxel that is cement.
    hu : (z, y, x) int16
    spine_canal : Canal
    grid : Grid
        Of the arrays.

    Returns
    -------
    (z, y, x) uint16
        ``SAC`` or ``EPIDURAL`` where ``canal``, else 0.
    """
    parts = cc3d.connected_components(canal, connectivity=26).astype(np.int32)
    sections = _sections(canal & (fraction >= SOLID))
    resting, length = _resting_on_wall(sections, fraction, hu, spine_canal, grid)
    count = len(length)
    near, total = _with_neighbours(sections, resting, length, max(1, round(EVENED_MM / grid.spacing_mm[0])))
    share = LOCAL_WEIGHT * near / np.maximum(total, 1e-9) + (1 - LOCAL_WEIGHT) * _of_part(
        sections, parts, resting, length
    )
    kind = np.where(share >= RESTING_SHARE, RESTING, np.where(share >= FREE_SHARE, DOUBTFUL, FREE))
    kind[(kind == RESTING) & _filling(sections, region, count)] = DOUBTFUL
    # Sections that lie wholly behind others have no outer face of their own.
    kind[total <= 0] = DOUBTFUL
    kind[0] = 0
    which = _spread(kind.astype(np.uint8)[sections], parts, grid)
    side = np.where(region == SAC, SAC, EPIDURAL).astype(np.uint16)
    no_films = np.full(EPIDURAL + 1, NO_FILMS)
    codes = np.where(canal, EPIDURAL, 0).astype(np.uint16)
    for value, depth, outside in (
        (FREE, SAC_UNCERTAINTY_MM, SAC_UNCERTAINTY_MM),
        (DOUBTFUL, DOUBTFUL_DEPTH_MM, 0.0),
    ):
        chosen = canal & (which == value)
        if not chosen.any():
            continue
        limits = np.full(EPIDURAL + 1, SAC_UNCERTAINTY_MM)
        limits[SAC], limits[EPIDURAL] = depth, outside
        pieces = cc3d.connected_components(chosen, connectivity=26).astype(np.int32)
        codes[chosen] = divide(pieces, side, fraction, grid, limits, no_films)[chosen]
    return codes


def _sections(solid: BoolArray) -> npt.NDArray[np.int32]:
    """A number of its own for each connected section of every slice."""
    sections = np.zeros(solid.shape, np.int32)
    last = 0
    for k in np.flatnonzero(solid.any(axis=(1, 2))):
        own = cc3d.connected_components(solid[k], connectivity=8).astype(np.int32)
        sections[k] = np.where(own > 0, own + last, 0)
        last += int(own.max())
    return sections


def _resting_on_wall(
    sections: npt.NDArray[np.int32],
    fraction: npt.NDArray[np.float32],
    hu: IntArray,
    canal: Canal,
    grid: Grid,
) -> tuple[FloatArray, FloatArray]:
    """By section: length of its outer face that rests on the wall, and its whole length, mm."""
    radii = np.arange(0.0, float(canal.wall_mm.max()) + BEYOND_WALL_MM, RAY_STEP_MM)
    own = sample_rays(sections, grid, canal.frame, canal.theta, radii, order=0).astype(np.int32)
    cement = sample_rays(fraction, grid, canal.frame, canal.theta, radii)
    bright = sample_rays(hu, grid, canal.frame, canal.theta, radii)
    owner, rests, outer = outer_faces(own, cement, bright, canal.wall_mm, canal.theta, RAY_STEP_MM)
    count = int(sections.max()) + 1
    length: FloatArray = np.bincount(owner.ravel(), weights=outer.ravel(), minlength=count).astype(float)
    resting: FloatArray = np.bincount(owner.ravel(), (outer * rests).ravel(), minlength=count).astype(float)
    resting[0] = length[0] = 0.0
    return resting, length


def _with_neighbours(
    sections: npt.NDArray[np.int32], resting: FloatArray, length: FloatArray, reach: int
) -> tuple[FloatArray, FloatArray]:
    """The lengths of each section together with those of the sections that it lies on, up and down."""
    near, total = resting.copy(), length.copy()
    count = len(length)
    for gap in range(1, reach + 1):
        below, above = sections[:-gap].ravel(), sections[gap:].ravel()
        both = (below > 0) & (above > 0)
        pairs = np.unique(below[both].astype(np.int64) * count + above[both])
        a, b = pairs // count, pairs % count
        for one, other in ((a, b), (b, a)):
            np.add.at(near, one, resting[other])
            np.add.at(total, one, length[other])
    return near, total


def _of_part(
    sections: npt.NDArray[np.int32], parts: npt.NDArray[np.int32], resting: FloatArray, length: FloatArray
) -> FloatArray:
    """For each section the share of the outer face of its whole part that rests on the wall."""
    at = np.zeros(len(length), np.int64)
    solid = sections > 0
    at[sections[solid]] = parts[solid]
    whole = np.bincount(at, weights=length)
    share: FloatArray = (np.bincount(at, weights=resting) / np.maximum(whole, 1e-9))[at]
    return share


def _filling(sections: npt.NDArray[np.int32], region: npt.NDArray[np.uint16], count: int) -> BoolArray:
    """Sections that fill most of the sac's own section on their slice."""
    sac = region == SAC
    area = sac.sum(axis=(1, 2))
    inside = np.bincount(sections[sac], minlength=count)
    first = np.zeros(count, np.int64)
    k = np.nonzero(sections)[0]
    first[sections[sections > 0]] = k
    filling: BoolArray = inside >= FILLING_SHARE * np.maximum(area[first], 1)
    return filling


def _spread(kind: npt.NDArray[np.uint8], parts: npt.NDArray[np.int32], grid: Grid) -> npt.NDArray[np.uint8]:
    """The kind of the nearest section for the blurred edge of each part; a part that has none is in doubt."""
    if not kind.any():
        return np.where(parts > 0, DOUBTFUL, 0).astype(np.uint8)
    nearest = ndimage.distance_transform_edt(
        kind == 0, sampling=grid.spacing_mm, return_distances=False, return_indices=True
    )
    at = tuple(nearest)
    same = parts[at] == parts
    spread: npt.NDArray[np.uint8] = np.where(parts > 0, np.where(same, kind[at], DOUBTFUL), 0).astype(
        np.uint8
    )
    return spread
