"""The label map of the vertebrae, painted from the surfaces and arches that anatomy found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.bodies import Body
from thecal.anatomy.paint import inside_wall, paint_body
from thecal.anatomy.spine import Part
from thecal.frames import CanalFrame
from thecal.terms import DISC_OFFSET, SACRUM
from thecal.volume import BoolArray, Box, FloatArray, Grid, LabelArray, box_of

# Disc lies within this of both endplates: no disc is 14 mm high.
DISC_REACH_MM = 7.0
# A piece of a vertebra smaller than this share of its largest one is a crumb.
LEAST_PIECE_SHARE = 0.2


def space_taken(
    grid: Grid, canal: tuple[CanalFrame, FloatArray, FloatArray], bodies: list[Body]
) -> BoolArray:
    """Where no arch can be, (z, y, x) bool: canal, bodies and discs."""
    taken = inside_wall(grid, *canal)
    for body in bodies:
        box, inside = paint_body(body, grid, DISC_REACH_MM)
        taken[box] |= inside > 0
    return taken


def paint_vertebrae(
    grid: Grid,
    bodies: list[Body],
    ids: tuple[int, ...],
    arches: npt.NDArray[np.uint16],
    fine: Grid,
    sacrum: BoolArray | None,
) -> tuple[LabelArray, npt.NDArray[np.uint8]]:
    """Vertebrae, discs and sacrum on a grid.

    Parameters
    ----------
    grid : Grid
        To paint on.
    bodies : list of Body
        Caudal to cranial.
    ids : tuple of int
        Theirs.
    arches : (z, y, x) uint16
        On ``fine``: 1 + index of the body whose arch it is, 0 elsewhere.
    fine : Grid
    sacrum : (z, y, x) bool or None
        On ``grid``.

    Returns
    -------
    labels : (z, y, x) uint16
        Ids of the contract.
    parts : (z, y, x) uint8
        ``Part`` of each voxel.
    """
    labels = np.zeros(grid.shape, np.uint16)
    parts = np.zeros(grid.shape, np.uint8)
    if sacrum is not None:
        labels[sacrum] = SACRUM
    _paint_arches(labels, parts, grid, arches, fine, ids)
    _paint_bodies(labels, parts, grid, bodies, ids)
    _clean(labels, parts, ids)
    return labels, parts


def _paint_arches(
    labels: LabelArray,
    parts: npt.NDArray[np.uint8],
    grid: Grid,
    arches: npt.NDArray[np.uint16],
    fine: Grid,
    ids: tuple[int, ...],
) -> None:
    """The arches from the fine grid, by the nearest fine voxel."""
    matrix = np.linalg.inv(fine.affine) @ grid.affine
    place = ndimage.affine_transform(
        arches, matrix[:3, :3], matrix[:3, 3], output_shape=grid.shape, order=0, mode="constant", cval=0
    )
    table = np.array([0, *ids], np.uint16)
    chosen = place > 0
    labels[chosen] = table[place[chosen]]
    parts[chosen] = Part.ARCH


def _paint_bodies(
    labels: LabelArray, parts: npt.NDArray[np.uint8], grid: Grid, bodies: list[Body], ids: tuple[int, ...]
) -> None:
    """Bodies, and between two of them the disc."""
    claimed: list[tuple[Box, npt.NDArray[np.uint8]]] = []
    for k, body in enumerate(bodies):
        box, inside = paint_body(body, grid, DISC_REACH_MM)
        view, part = labels[box], parts[box]
        here = (inside == 1) & ~((part == Part.BODY) & (view != ids[k]))
        view[here] = ids[k]
        part[here] = Part.BODY
        claimed.append((box, inside))
    for k in range(1, len(bodies)):
        above_box, above = claimed[k]
        below_box, below = claimed[k - 1]
        # What lies under the upper body or over the lower one, within reach of both, is the disc.
        under = np.zeros(grid.shape, bool)
        under[above_box] = above == 2
        over = np.zeros(grid.shape, bool)
        over[below_box] = below == 3
        disc = under & over & (parts != Part.BODY)
        labels[disc] = DISC_OFFSET + ids[k]
        parts[disc] = Part.NONE


def _clean(labels: LabelArray, parts: npt.NDArray[np.uint8], ids: tuple[int, ...]) -> None:
    """Marrow belongs to the bone around it; crumbs that hang on nothing belong to none."""
    import cc3d
    import fill_voids

    for identifier in ids:
        box = box_of(labels == identifier)
        if box is None:
            continue
        view, part = labels[box], parts[box]
        pieces = cc3d.connected_components(view == identifier, connectivity=26)
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        # The scan's edge may leave the lower half of a body and its arch unconnected: both are kept.
        kept = sizes >= LEAST_PIECE_SHARE * sizes.max()
        kept[0] = True
        crumbs = ~kept[pieces]
        view[crumbs] = 0
        part[crumbs] = Part.NONE
        whole = view == identifier
        filled = fill_voids.fill(whole) & ~whole & (view == 0)
        view[filled] = identifier
        part[filled] = Part.ARCH
