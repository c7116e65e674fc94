"""Where cement surely is, and how the rest is shared out between those places.

A wall drawn by any anatomy is off by a voxel here and there. Cement is a *seed* of a region where it lies
deeper in it than the wall is uncertain, or beyond the wall with nothing behind it that a shifted wall would
explain. All other cement falls to the nearest seed of its own piece.
"""

from __future__ import annotations

from typing import Final

import cc3d
import edt
import numpy as np
import numpy.typing as npt
from numba import njit
from scipy.spatial import cKDTree

from thecal.leakage.regions import BONE, DISC
from thecal.volume import BoolArray, FloatArray, Grid

FILM_MM: Final = 0.4
"""Cement this deep that nothing backs counts as well: a thin sheet between dura and wall."""
BACKING_MM: Final = 2.5
"""How far behind a wall, or behind where that wall may be at most, cement is looked for before a film is
held to be a sheet of its own."""
SHEET_RADIUS_MM: Final = 4.0
SHEET_SHARE: Final = 0.75
"""In a disc this share of the film about must be unbacked: fill is ragged and leaves holes behind a film."""
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
OWN_SIDE_MM: Final = 1.0
"""Head start of a voxel's own side when it is shared out between the seeds."""


def divide(
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
