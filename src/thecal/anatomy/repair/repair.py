"""All repairs of a label map, in the order in which they lean on each other."""

from __future__ import annotations

import numpy as np

from thecal.anatomy.from_labels import present_labels
from thecal.anatomy.label_canal import curve_through_foramina, curve_through_mask
from thecal.anatomy.missing import missing_data
from thecal.anatomy.repair.cement import no_cement_in_the_wall
from thecal.anatomy.repair.gaps import fill_gaps
from thecal.anatomy.repair.level_names import heights_of_bodies, names_in_order
from thecal.anatomy.repair.one_bone import middles_of_bodies, one_label_a_bone
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC, is_vertebra, level_name
from thecal.volume import BoolArray, Grid, LabelArray, Volume, box_of


def repair_labels(
    volume: Volume, labels: LabelArray, cord: BoolArray | None = None
) -> tuple[LabelArray, list[QualityNote]]:
    """A label map without the faults that networks' maps are known for; every repair is told.

    Parameters
    ----------
    volume : Volume
    labels : (z, y, x) uint16
        Ids of the contract, on the volume's grid.
    cord : (z, y, x) bool, optional
        Where the map has that in place of the canal.

    Returns
    -------
    labels : (z, y, x) uint16
        A new array.
    notes : list of QualityNote
        One for each repair; one that none could be made where the canal's course is not to be had.
    """
    MARGIN_MM = 8.0
    ids = [i for i in present_labels(labels) if is_vertebra(i)]
    box = box_of(np.isin(labels, ids), np.ceil(MARGIN_MM / volume.grid.spacing_mm).astype(int))
    if box is None:
        return labels, []
    now, hu, grid = labels[box].copy(), volume.hu[box], volume.grid.crop(box)
    frame = _course(now, None if cord is None else cord[box], ids, grid)
    if frame is None:
        note = QualityNote(
            "labels_not_repaired",
            "info",
            "The course of the canal is not to be had from the label map, so it was not checked for faults.",
        )
        return labels, [note]
    hidden = missing_data(hu, grid.spacing_mm, float(grid.spacing_mm[0]))
    notes: list[QualityNote] = []
    now, told = no_cement_in_the_wall(grid, now, ids, frame, hidden)
    notes += told
    now, told = one_label_a_bone(hu, grid, now, ids, frame)
    notes += told
    now, told = fill_gaps(hu, grid, now, ids, hidden)
    notes += told
    named = [i for i in ids if level_name(i)]
    heights = heights_of_bodies(middles_of_bodies(grid, now, ids, frame), now, grid.affine, frame)
    named = [i for i in named if i in heights]
    now, _, told = names_in_order(now, named, np.array([heights[i] for i in named]))
    notes += told
    result = labels.copy()
    result[box] = now
    return result, notes


def _course(labels: LabelArray, cord: BoolArray | None, ids: list[int], grid: Grid) -> CanalFrame | None:
    """The canal's curve, from the canal or the cord where there is one, else through the arches."""
    canal = (labels == THECAL_SAC) | (labels == EPIDURAL_SPACE)
    for mask in (canal, cord):
        if mask is not None and mask.any():
            try:
                return curve_through_mask(mask, grid)
            except SpineNotFound:
                continue
    try:
        return curve_through_foramina(np.isin(labels, ids), grid)
    except SpineNotFound:
        return None
