"""Second thoughts on parts of cement that a wall under cement may have cut off.

Where cement hides a wall the anatomy carries it over by smoothness, and it may then stand some millimetres
off over a wide area. What such a wall cuts off is known by its shape: a thin layer that is joined to the
cement behind it all over. A leak has left through a hole or a vein, and is thick against its neck.
"""

from __future__ import annotations

from typing import Final

import cc3d
import edt
import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.leakage.before_wall import before_hidden_wall
from thecal.leakage.body import Body, bodies
from thecal.leakage.regions import BONE, DISC, EPIDURAL, FORAMEN, OUTSIDE, SAC, TRACK
from thecal.volume import Box, FloatArray, Grid

LAYER_MM: Final = 2.5
"""Volume over the area shared with its neighbour: a part thinner than this is a layer of that neighbour.
On cement in real CT most layers that a wall had cut off were thinner, and most true leaks thicker."""
DISC_LAYER_MM: Final = 2.3
"""The same in a disc, where true leaks are flat as well; thicker layers and thinner leaks are both met."""
SOLID: Final = 0.4
"""Thickness and area are read from voxels filled at least this far."""
STAIRS: Final = 1.5
"""Faces of voxels overstate a slanting surface by so much."""
SHELL_MM: Final = 3.5
"""Cement on the canal's wall that reaches no deeper into a vertebra or disc, and meets no other cement there,
lies before a wall that it hides."""
ON_WALL_MM: Final = 0.8
BESIDE_CANAL_MM: Final = (4.0, 10.0)
"""Cement out of the canal that lies on average no farther beyond its wall is epidural; or foraminal."""
COLUMN_SHARE: Final = 0.6
"""A part of which so much lies over an endplate is in the disc."""
RIM_MM: Final = 1.5
DISC_REACH_MM: Final = 10.0


def reconsider(
    codes: npt.NDArray[np.uint16],
    region: npt.NDArray[np.uint16],
    fraction: npt.NDArray[np.float32],
    spine: Spine,
    box: Box,
) -> npt.NDArray[np.uint16]:
    """Codes with parts that a hidden wall cut off given back to the region they belong to.

    Canal and needle tracks are never given away: an epidural leak often lies flat on a filled body.

    Parameters
    ----------
    codes : (z, y, x) uint16
        Region of each cement voxel in the box, 0 elsewhere.
    region : (z, y, x) uint16
        Regions of the anatomy.
    """
    grid = spine.grid.crop(box)
    codes = before_hidden_wall(_into_discs(codes, spine, grid), fraction, spine.canal, grid)
    parts = cc3d.connected_components(codes, connectivity=26).astype(np.int32)
    count = int(parts.max())
    if not count:
        return codes
    inside = parts > 0
    volume = np.bincount(parts[inside], weights=fraction[inside], minlength=count + 1) * grid.voxel_mm3
    owner = np.zeros(count + 1, np.uint16)
    owner[parts[inside]] = codes[inside]
    shared = _shared_mm2(parts, count, grid)
    # The blurred rim of a flat fill is no contact of a leak that rises from it.
    solid = np.where(fraction >= SOLID, parts, 0)
    core = np.bincount(solid.ravel(), weights=fraction.ravel(), minlength=count + 1) * grid.voxel_mm3
    joined = _shared_mm2(solid, count, grid)
    canal = (region == SAC) | (region == EPIDURAL)
    half = 0.5 * float(grid.spacing_mm[1:].mean())
    from_canal = edt.edt(~canal, anisotropy=tuple(grid.spacing_mm), black_border=False) - half
    for part in np.argsort(volume[1:], kind="stable") + 1:
        code = int(owner[part])
        if code >= TRACK or code in (SAC, EPIDURAL, FORAMEN):
            continue
        mine = parts == part
        if code >= BONE and not _meets(shared[part], owner, code):
            away = from_canal[mine]
            if away.min() <= ON_WALL_MM and away.max() <= SHELL_MM:
                owner[part] = EPIDURAL
                continue
        area = np.where(volume > volume[part], shared[part], 0.0)
        other = int(np.argmax(area))
        beside = int(owner[other])
        if area[other] <= 0 or beside == code or beside >= TRACK:
            continue
        layer = DISC_LAYER_MM if DISC <= code < TRACK else LAYER_MM
        if core[part] <= layer * joined[part, other] / STAIRS:
            owner[part] = beside
        elif code == OUTSIDE and beside in (SAC, EPIDURAL):
            owner[part] = _beside_canal(mine, fraction, spine, grid)
    return np.where(inside, owner[parts], 0).astype(np.uint16)


def _meets(shared: FloatArray, owner: npt.NDArray[np.uint16], code: int) -> bool:
    return bool((shared[owner == code] > 0).any())


def _shared_mm2(parts: npt.NDArray[np.int32], count: int, grid: Grid) -> FloatArray:
    """Area of the faces that each two parts share, (count + 1, count + 1)."""
    area = np.zeros((count + 1, count + 1))
    for axis in range(3):
        a = parts.take(range(parts.shape[axis] - 1), axis)
        b = parts.take(range(1, parts.shape[axis]), axis)
        border = (a > 0) & (b > 0) & (a != b)
        face = grid.voxel_mm3 / float(grid.spacing_mm[axis])
        np.add.at(area, (a[border], b[border]), face)
        np.add.at(area, (b[border], a[border]), face)
    return area


def _beside_canal(
    mine: npt.NDArray[np.bool_], fraction: npt.NDArray[np.float32], spine: Spine, grid: Grid
) -> int:
    """Epidural, foraminal or outside, by how far beyond the canal's wall the cement lies on average."""
    canal = spine.canal
    voxels = np.argwhere(mine)
    s, theta, r = canal.frame.locate(grid.to_lps(voxels))
    row = canal.frame.index(s)
    column = np.rint((theta - canal.theta[0]) / (2 * np.pi) * len(canal.theta)).astype(int)
    beyond = r - canal.wall_mm[row, column % len(canal.theta)]
    mean = float(np.average(beyond, weights=fraction[tuple(voxels.T)] + 1e-3))
    if mean <= BESIDE_CANAL_MM[0]:
        return EPIDURAL
    return FORAMEN if mean <= BESIDE_CANAL_MM[1] else OUTSIDE


def _into_discs(codes: npt.NDArray[np.uint16], spine: Spine, grid: Grid) -> npt.NDArray[np.uint16]:
    """Cement outside all regions that lies over an endplate, given to the disc there."""
    outside = codes == OUTSIDE
    if not outside.any() or not spine.vertebrae:
        return codes
    parts = cc3d.connected_components(outside, connectivity=26)
    voxels = np.argwhere(outside)
    own = parts[tuple(voxels.T)].astype(int)
    points = grid.to_lps(voxels)
    disc = np.zeros(len(voxels), np.uint16)
    shapes = bodies(spine)
    for rank, vertebra in enumerate(spine.vertebrae):
        if vertebra.id not in shapes:
            continue
        above, below = _over_endplates(shapes[vertebra.id], vertebra.frame.to_local(points))
        disc[below] = DISC + vertebra.id
        if rank + 1 < len(spine.vertebrae):
            disc[above] = DISC + spine.vertebrae[rank + 1].id
    changed = codes.copy()
    for part in np.unique(own):
        members = own == part
        found = disc[members]
        if (found > 0).mean() >= COLUMN_SHARE:
            changed[tuple(voxels[members].T)] = np.bincount(found[found > 0]).argmax()
    return changed


def _over_endplates(body: Body, local: FloatArray) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which points (n, 3) lie just above its upper, and just below its lower endplate."""
    step = float(body.left[1] - body.left[0])
    i = np.rint((local[:, 0] - body.left[0]) / step).astype(int)
    j = np.rint((local[:, 1] - body.anterior[0]) / step).astype(int)
    filled = np.pad(np.isfinite(body.top) & np.isfinite(body.bottom), 1)
    inner = edt.edt(filled.astype(np.uint8), anisotropy=(step, step))[1:-1, 1:-1] > RIM_MM
    held = (i >= 0) & (i < len(body.left)) & (j >= 0) & (j < len(body.anterior))
    i, j = np.clip(i, 0, len(body.left) - 1), np.clip(j, 0, len(body.anterior) - 1)
    held &= inner[i, j]
    top, bottom, height = body.top[i, j], body.bottom[i, j], local[:, 2]
    above = held & (height > top) & (height <= top + DISC_REACH_MM)
    below = held & (height < bottom) & (height >= bottom - DISC_REACH_MM)
    return above, below
