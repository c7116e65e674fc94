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
from numba import njit
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.frames import CanalFrame
from thecal.leakage.hidden_walls import reconsider
from thecal.leakage.mirror import uncover
from thecal.leakage.needle_track import mark_tracks
from thecal.leakage.regions import BONE, DISC, EPIDURAL, FORAMEN, OUTSIDE, SAC, region_codes
from thecal.volume import BoolArray, Box, FloatArray, Grid

WALL_UNCERTAINTY_MM: Final = 1.5
"""Depth beyond a wall from which cement is surely on its other side: twice a surface error of 0.7-0.8 mm,
about one voxel, which is assumed here and not taken from a study."""
SAC_UNCERTAINTY_MM: Final = 2.0
"""The same for either side of the sac, whose border CT shows only where there is epidural fat."""
HUGGING_MM: Final = 1.2
"""Dura, fat and veins keep intradural cement at least this far from the canal's wall."""
HUGGING_AHEAD_MM: Final = 2.0
"""The same in front, where the epidural veins are: cement in them hides the wall that it lies on, and a wall
that is hidden is drawn a little far out."""
HUGGING_SHARE: Final = 0.20
"""Cement in the canal of which this share lies that near the wall is held to be epidural ..."""
HUGGING_DEPTH_MM: Final = 4.0
"""... unless it also reaches this deep into the sac: an epidural mass pushes the dura before it, and the
sac, which is drawn without seeing the dura, then reaches into the mass."""
FILM_MM: Final = 0.4
"""Cement this deep that nothing backs counts as well: a thin sheet between dura and wall."""
BACKING_MM: Final = 2.5
"""How far behind a wall, or behind where that wall may be at most, cement is looked for before a film is
held to be a sheet of its own."""
SHEET_RADIUS_MM: Final = 4.0
SHEET_SHARE: Final = 0.75
"""In a disc this share of the film about must be unbacked: fill is ragged and leaves holes behind a film."""
NO_FILMS: Final = -1.0
DEEP: Final = 1
UNBACKED: Final = 2
BACKED: Final = 3
SOLID: Final = 0.4
"""Only voxels filled at least this far are seeds: the rest is the blurred edge of others."""
OUT_SHARE: Final = 0.3
"""A small piece nowhere deep in bone is in bone only if less than this share of it lies outside."""
BACKING_FRACTION: Final = 0.25
MIN_SEED_MM3: Final = 4.0
"""Less cement than this beyond a wall is noise of the label or of the scan."""
DISC_FACE_MM: Final = 1.8
"""Cement whose outer face lies so far beyond an endplate is in the disc: endplates are seen around cement,
and more surely placed than walls that hang free."""
FILLED_MM3: Final = 100.0
"""A body with less cement is not where cement in the next disc came from."""
MARGIN_MM: Final = 6.0
NEAR_MM: Final = 4.0
"""Regions matter so far from cement."""
BLUR_MM: Final = 1.5
"""Cement blurs so far, and hides what bounds it."""
OWN_SIDE_MM: Final = 1.0
"""Head start of a voxel's own side when it is shared out between the seeds."""


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


def assign(spine: Spine, cement: Cement) -> Assignment | None:
    """Give every cement voxel to a region, or None where there is no cement."""
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
    codes = _three_questions(pieces, region, fraction, spine, spine.grid.crop(box))
    codes = mark_tracks(codes, fraction, hidden, spine, box)
    return Assignment(box, region, reconsider(codes, region, fraction, spine, box))


def _three_questions(
    pieces: npt.NDArray[np.int32],
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
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
    codes = _divide(pieces, in_bone, fraction, grid, limits, behind, disc=region >= DISC)

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
    codes[out] = _divide(parts, space, fraction, grid, limits, behind)[out]

    canal = codes == EPIDURAL
    if canal.any():
        codes[canal] = _side_of_dura(canal, region, fraction, spine.canal.frame, grid)[canal]
    return codes


def _side_of_dura(
    canal: BoolArray,
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    frame: CanalFrame,
    grid: Grid,
) -> npt.NDArray[np.uint16]:
    """Epidural or intradural, for each connected part of the cement in the canal."""
    parts = cc3d.connected_components(canal, connectivity=26).astype(np.int32)
    inside = ((region == SAC) | (region == EPIDURAL)).astype(np.uint8)
    to_wall = edt.edt(inside, anisotropy=tuple(grid.spacing_mm), black_border=False)
    half_voxel = 0.5 * float(grid.spacing_mm[1:].mean())
    limit = np.full(region.shape, HUGGING_MM, np.float32)
    voxels = np.argwhere(canal)
    _, angle, _ = frame.locate(grid.to_lps(voxels))
    limit[tuple(voxels[np.cos(angle) > 0].T)] = HUGGING_AHEAD_MM
    near_wall = (to_wall - half_voxel) < limit
    total = np.bincount(parts[canal], weights=fraction[canal])
    hugging = np.bincount(parts[canal], weights=(fraction * near_wall)[canal]) >= HUGGING_SHARE * total
    hugging[0] = False
    side = np.where(region == SAC, SAC, EPIDURAL).astype(np.uint16)
    no_films = np.full(EPIDURAL + 1, NO_FILMS)
    codes = np.zeros(region.shape, np.uint16)
    for hugs, depth in ((False, SAC_UNCERTAINTY_MM), (True, HUGGING_DEPTH_MM)):
        chosen = canal & (hugging[parts] == hugs)
        if not chosen.any():
            continue
        limits = np.full(EPIDURAL + 1, SAC_UNCERTAINTY_MM)
        limits[SAC] = depth
        # At the wall no depth is needed to be epidural.
        limits[EPIDURAL] = 0.0 if hugs else SAC_UNCERTAINTY_MM
        codes[chosen] = _divide(np.where(chosen, parts, 0), side, fraction, grid, limits, no_films)[chosen]
    return codes


def _divide(
    pieces: npt.NDArray[np.int32],
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    grid: Grid,
    limits: FloatArray,
    behind: FloatArray,
    disc: BoolArray | None = None,
) -> npt.NDArray[np.uint16]:
    """Give each voxel of the pieces to a region that holds a seed of the same piece."""
    spacing = grid.spacing_mm
    voxels = np.argwhere(pieces > 0)
    depth = edt.edt(region, anisotropy=tuple(spacing), black_border=False)
    if disc is not None:
        depth[disc] = _from_filled(region, pieces, fraction, grid)[disc]
    kind = _seeds(region, depth, pieces, fraction, voxels, spacing, limits, behind)
    seeds = np.zeros(region.shape, np.uint16)
    sheet = kind == UNBACKED
    deep = kind == DEEP
    if disc is not None:
        at = tuple(voxels.T)
        sheet &= ~disc[at] | _sheets(kind, region, voxels, spacing)
        # The face of a layer one slice thick is known from how full its voxels are.
        face = depth[at] + (fraction[at] - 1.0) * spacing[0]
        deep |= disc[at] & (fraction[at] >= SOLID) & (face >= DISC_FACE_MM)
    index = tuple(voxels[deep | sheet].T)
    seeds[index] = region[index]
    seeds = _large_enough(seeds, fraction, grid.voxel_mm3)
    return _share_out(pieces, region, seeds, fraction, voxels, spacing)


def _from_filled(
    region: npt.NDArray[np.uint16],
    pieces: npt.NDArray[np.int32],
    fraction: npt.NDArray[np.float32],
    grid: Grid,
) -> npt.NDArray[np.float32]:
    """How far each voxel lies from the bones that hold cement, mm.

    A disc may be no higher than two walls are uncertain, but cement comes into it from one side.
    """
    cement = pieces > 0
    held = np.bincount(region[cement], weights=fraction[cement], minlength=int(region.max()) + 1)
    filled = held * grid.voxel_mm3 >= FILLED_MM3
    filled[:BONE] = False
    away: npt.NDArray[np.float32] = edt.edt(
        ~filled[region], anisotropy=tuple(grid.spacing_mm), black_border=False
    )
    return away


@njit(cache=True)
def _seeds(region, depth, pieces, fraction, voxels, spacing, limits, behind):  # type: ignore[no-untyped-def]
    """Of each voxel: deep beyond its wall, shallow with or without cement behind it, or 0, too near it."""
    kind = np.zeros(len(voxels), np.uint8)
    shape = region.shape
    gradient = np.zeros(3)
    at = np.zeros(3, np.int64)
    for i in range(len(voxels)):
        z, y, x = voxels[i]
        if fraction[z, y, x] < SOLID:
            continue
        code = region[z, y, x]
        for a in range(3):
            ends = np.zeros(2)
            span = 0
            for side in range(2):
                at[0], at[1], at[2] = z, y, x
                at[a] += 2 * side - 1
                if at[a] < 0 or at[a] >= shape[a]:
                    at[a] = voxels[i, a]
                else:
                    span += 1
                value = depth[at[0], at[1], at[2]]
                ends[side] = value if region[at[0], at[1], at[2]] == code else spacing[a] - value
            gradient[a] = (ends[1] - ends[0]) / (max(span, 1) * spacing[a])
        size = np.sqrt((gradient**2).sum())
        if size > 1e-6:
            normal = gradient / size
        else:
            normal = np.zeros(3)
        thickness = np.sqrt(((normal * spacing) ** 2).sum())
        below = depth[z, y, x] - 0.5 * thickness
        if below > np.sqrt(limits[code] ** 2 + (0.5 * thickness) ** 2):
            kind[i] = DEEP
            continue
        if below < FILM_MM or size <= 1e-6 or behind[code] < 0:
            continue
        backed = False
        t = below + behind[code]
        reach = t + max(BACKING_MM, 1.5 * thickness)
        while t <= reach and not backed:
            bz = round(z - normal[0] * t / spacing[0])
            by = round(y - normal[1] * t / spacing[1])
            bx = round(x - normal[2] * t / spacing[2])
            if not (0 <= bz < shape[0] and 0 <= by < shape[1] and 0 <= bx < shape[2]):
                break
            if (
                region[bz, by, bx] != code
                and pieces[bz, by, bx] > 0
                and fraction[bz, by, bx] > BACKING_FRACTION
            ):
                backed = True
            t += 0.25
        kind[i] = BACKED if backed else UNBACKED
    return kind


def _sheets(
    kind: npt.NDArray[np.uint8],
    region: npt.NDArray[np.uint16],
    voxels: npt.NDArray[np.int64],
    spacing: FloatArray,
) -> npt.NDArray[np.bool_]:
    """Unbacked voxels that are a sheet of their own, not holes in the cement behind a ragged film."""
    sheet: npt.NDArray[np.bool_] = kind == UNBACKED
    shallow = np.flatnonzero(sheet | (kind == BACKED))
    if not sheet.any():
        return sheet
    owner = region[tuple(voxels[shallow].T)]
    for code in np.unique(owner[sheet[shallow]]):
        members = shallow[owner == code]
        tree = cKDTree(voxels[members] * spacing)
        lone = np.flatnonzero(sheet[members])
        for i, around in zip(
            lone, tree.query_ball_point(voxels[members[lone]] * spacing, SHEET_RADIUS_MM), strict=True
        ):
            sheet[members[i]] = (kind[members[around]] == UNBACKED).mean() >= SHEET_SHARE
    return sheet


def _large_enough(
    seeds: npt.NDArray[np.uint16], fraction: npt.NDArray[np.float32], voxel_mm3: float
) -> npt.NDArray[np.uint16]:
    clusters = cc3d.connected_components(seeds, connectivity=26)
    inside = clusters > 0
    volume = np.bincount(clusters[inside], weights=fraction[inside]) * voxel_mm3
    if len(volume) == 0:
        return seeds
    kept = volume >= MIN_SEED_MM3
    result: npt.NDArray[np.uint16] = np.where(kept[clusters] & inside, seeds, 0).astype(np.uint16)
    return result


def _share_out(
    pieces: npt.NDArray[np.int32],
    region: npt.NDArray[np.uint16],
    seeds: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    voxels: npt.NDArray[np.int64],
    spacing: FloatArray,
) -> npt.NDArray[np.uint16]:
    index = tuple(voxels.T)
    piece, own, seed, weight = pieces[index], region[index], seeds[index], fraction[index]
    given = seed.copy()
    points = voxels * spacing
    order = np.argsort(piece, kind="stable")
    bounds = np.flatnonzero(np.diff(piece[order])) + 1
    for members in np.split(order, bounds):
        present = np.unique(seed[members])
        present = present[present > 0]
        open_ = members[seed[members] == 0]
        if len(present) == 0:
            given[members] = _majority(own[members], weight[members])
        elif len(present) == 1:
            given[open_] = present[0]
        elif len(open_):
            cost = np.stack(
                [
                    cKDTree(points[members[seed[members] == code]]).query(points[open_])[0]
                    - OWN_SIDE_MM * (own[open_] == code)
                    for code in present
                ]
            )
            given[open_] = present[np.argmin(cost, axis=0)]
    codes = np.zeros(region.shape, np.uint16)
    codes[index] = given
    return codes


def _majority(codes: npt.NDArray[np.uint16], weight: npt.NDArray[np.float32]) -> int:
    """The region that holds most of the cement, bone only where little lies outside it."""
    names, which = np.unique(codes, return_inverse=True)
    held = np.bincount(which, weights=weight)
    # A thin free sheet on a wall is likelier outside than just under the cortex.
    outside = (names < BONE) | (names >= DISC)
    if held[outside].sum() >= OUT_SHARE * held.sum():
        held = np.where(outside, held, 0.0)
    return int(names[np.argmax(held)])
