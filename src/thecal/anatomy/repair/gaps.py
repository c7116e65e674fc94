"""Gaps in a vertebra: holes inside it, and bone between its pieces that was left out."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.quality import QualityNote
from thecal.terms import level_name
from thecal.volume import BoolArray, Grid, IntArray, LabelArray, box_of


def fill_gaps(
    hu: IntArray, grid: Grid, labels: LabelArray, ids: list[int], hidden: BoolArray
) -> tuple[LabelArray, list[QualityNote]]:
    """Fill what is closed in by one vertebra, and the narrow gaps in it that are bone or cement.

    Nothing that bears another label is touched, and no joint: what lies between two vertebrae is theirs to
    part.

    Parameters
    ----------
    hu : (z, y, x) int16
    grid : Grid
    labels : (z, y, x) uint16
    ids : list of int
        Of the vertebrae.
    hidden : (z, y, x) bool
        Cement and metal: in a gap, they belong to the bone around them.

    Returns
    -------
    labels : (z, y, x) uint16
    notes : list of QualityNote
    """
    import fill_voids

    GAP_MM = 3.0
    # Below this a gap is soft tissue: a vein's canal, a joint, the basivertebral vein's mouth.
    BONE_HU = 150
    LEAST_NOTED_ML = 0.05
    now = labels.copy()
    filled: dict[int, float] = {}
    radius = np.maximum(1, np.rint(0.5 * GAP_MM / grid.spacing_mm)).astype(int)
    ball = _ball(radius)
    others = np.isin(labels, ids)
    for i in ids:
        box = box_of(labels == i, radius + 1)
        if box is None:
            continue
        own = now[box] == i
        closed = ndimage.binary_closing(np.pad(own, [(r, r) for r in radius]), ball)
        closed = closed[tuple(slice(r, -r) for r in radius)]
        near_other = ndimage.binary_dilation(others[box] & (labels[box] != i), ball)
        dense = (hu[box] >= BONE_HU) | hidden[box]
        add = closed & dense & ~near_other
        add |= np.asarray(fill_voids.fill(own | (add & (now[box] == 0)), in_place=False), bool)
        add &= now[box] == 0
        now[box][add] = i
        filled[i] = float(add.sum()) * grid.voxel_mm3 / 1000
    told = [level_name(i) or str(i) for i, ml in filled.items() if ml >= LEAST_NOTED_ML]
    if not told:
        return now, []
    return now, [
        QualityNote(
            "repaired_gaps",
            "info",
            f"Gaps of {sum(filled.values()):.1f} mL in {', '.join(told)} were filled.",
        )
    ]


def _ball(radius: np.typing.NDArray[np.int_]) -> BoolArray:
    """An ellipsoid of voxels with those half axes."""
    z, y, x = np.ogrid[tuple(slice(-r, r + 1) for r in radius)]
    inside: BoolArray = (z / radius[0]) ** 2 + (y / radius[1]) ** 2 + (x / radius[2]) ** 2 <= 1.0
    return inside
