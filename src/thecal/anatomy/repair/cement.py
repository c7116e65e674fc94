"""Cement called bone: what a label map gives to a vertebra although it lies in the canal."""

from __future__ import annotations

import numpy as np

from thecal.anatomy.label_canal import angles, wall_of_bone
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.volume import BoolArray, Grid, LabelArray


def no_cement_in_the_wall(
    grid: Grid, labels: LabelArray, ids: list[int], frame: CanalFrame, hidden: BoolArray
) -> tuple[LabelArray, list[QualityNote]]:
    """Take cement inside the canal out of the vertebrae.

    The canal's wall is read from the bone that cement does not hide, and carried over by smoothness where it
    does. What is dense, bears a vertebra's label and lies inside that wall is no part of the wall.

    Parameters
    ----------
    grid : Grid
    labels : (z, y, x) uint16
    ids : list of int
        Of the vertebrae.
    frame : CanalFrame
    hidden : (z, y, x) bool
        Cement and metal (`missing.missing_data`).

    Returns
    -------
    labels : (z, y, x) uint16
    notes : list of QualityNote
    """
    # A wall that was carried over is known to about this.
    INSIDE_MM = 1.5
    LEAST_NOTED_ML = 0.02
    bones = np.isin(labels, ids)
    index = np.argwhere(bones & hidden)
    if len(index) == 0:
        return labels, []
    try:
        wall, _ = wall_of_bone(bones & ~hidden, grid, frame)
    except SpineNotFound:
        return labels, []
    points = grid.to_lps(index)
    s, angle, r = frame.locate(points)
    row = frame.index(s)
    beyond = np.abs(np.einsum("ij,ij->i", points - frame.points[row], frame.cranial[row]))
    column = np.rint((angle + np.pi) / (2 * np.pi) * len(angles())).astype(int) % len(angles())
    inside = (r < wall[row, column] - INSIDE_MM) & (beyond <= frame.step_mm)
    ml = float(inside.sum()) * grid.voxel_mm3 / 1000
    if ml < LEAST_NOTED_ML:
        return labels, []
    now = labels.copy()
    now[tuple(index[inside].T)] = 0
    note = QualityNote(
        "repaired_cement_as_bone",
        "warning",
        f"{ml:.2f} mL of cement or metal inside the canal bore the label of a vertebra and were taken out.",
    )
    return now, [note]
