"""Two labels in one bone: what hangs on a body by bone alone bears the body's label."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.frames import CanalFrame
from thecal.quality import QualityNote
from thecal.terms import level_name
from thecal.volume import BoolArray, Grid, IntArray, LabelArray


def one_label_a_bone(
    hu: IntArray, grid: Grid, labels: LabelArray, ids: list[int], frame: CanalFrame
) -> tuple[LabelArray, list[QualityNote]]:
    """Give each bone one label, where the image shows that it is one bone.

    The middles of the bodies are where, in front of the canal, one label holds nearly all of a slice. From
    there ways lead along bone, with dark joints and discs as long ways round. A voxel takes the label of the
    body that it is plainly nearest to; where two are about as near, or the way leaves bone, it keeps its own.

    Parameters
    ----------
    hu : (z, y, x) int16
    grid : Grid
    labels : (z, y, x) uint16
    ids : list of int
        Of the vertebrae.
    frame : CanalFrame

    Returns
    -------
    labels : (z, y, x) uint16
    notes : list of QualityNote
        One where anything changed, with how much of which vertebra.
    """
    from thecal.anatomy.repair.bone_ways import two_nearest

    # The way to the next body must be so much longer before a voxel is plainly of this one.
    PLAINLY = 1.5
    # A way through bone costs about its length; one across a joint many times that.
    MOST_PER_MM = 6.0
    SOFTEN_MM = 0.6
    REACH_MM = 3.0
    LEAST_NOTED_ML = 0.05
    bones = np.isin(labels, ids)
    seeds = middles_of_bodies(grid, labels, ids, frame)
    if len(np.unique(seeds)) < 3:
        return labels, []
    soft = ndimage.gaussian_filter(hu.astype(np.float32), SOFTEN_MM / grid.spacing_mm)
    # Of this patient: porous bone is as dark as another's disc.
    bright = float(np.clip(np.percentile(soft[bones], 60), 150.0, 400.0))
    price = (1.0 + (np.clip(bright - soft, 0.0, None) / (0.25 * bright)) ** 2).astype(np.float32)
    reach = np.maximum(1, np.rint(REACH_MM / grid.spacing_mm)).astype(int)
    inside = ndimage.maximum_filter(bones, size=tuple(2 * reach + 1)) & ((soft > 0.4 * bright) | bones)
    bone, cost, length, other = two_nearest(price, inside, seeds, grid.spacing_mm)
    plain = (bone > 0) & (other > PLAINLY * np.maximum(cost, 1.0))
    # Bodies meet at discs alone; arches also touch at joints, which a short way may cross.
    plain &= ahead_of_canal(grid, bones, frame) | (cost <= MOST_PER_MM * np.maximum(length, 1.0))
    table = np.array([0, *ids], np.uint16)
    now = np.where(bones & plain, table[bone], labels)
    changed = now != labels
    ml = float(changed.sum()) * grid.voxel_mm3 / 1000
    if ml < LEAST_NOTED_ML:
        return labels, []
    return now, [_note(now, changed, ids, grid, ml)]


def middles_of_bodies(
    grid: Grid, labels: LabelArray, ids: list[int], frame: CanalFrame
) -> npt.NDArray[np.int64]:
    """Number from 1 (place in ``ids``) where one label holds the body's slice nearly alone."""
    NEARLY_ALL = 0.75
    AHEAD_RAD, NEAR_MM, FAR_MM = 1.0, 8.0, 50.0
    LEAST_SLICE_MM2 = 150.0
    result = np.zeros(labels.shape, np.int64)
    index = np.argwhere(np.isin(labels, ids))
    s, theta, r = frame.locate(grid.to_lps(index))
    ahead = (np.abs(theta) < AHEAD_RAD) & (r > NEAR_MM) & (r < FAR_MM)
    index, s = index[ahead], s[ahead]
    number = np.searchsorted(np.array(sorted(ids)), labels[tuple(index.T)])
    order = np.array([ids.index(i) for i in sorted(ids)])
    number = order[number]
    step = float(grid.spacing_mm[0])
    row = np.rint((s - frame.s_mm[0]) / step).astype(int)
    votes = np.zeros((int(row.max(initial=0)) + 1, len(ids)))
    np.add.at(votes, (row, number), 1.0)
    whole = votes.sum(axis=1)
    sure = (votes.max(axis=1) >= NEARLY_ALL * whole) & (whole * grid.voxel_mm3 / step >= LEAST_SLICE_MM2)
    own = votes.argmax(axis=1)
    kept = sure[row] & (own[row] == number)
    result[tuple(index[kept].T)] = number[kept] + 1
    return result


def ahead_of_canal(grid: Grid, bones: BoolArray, frame: CanalFrame) -> BoolArray:
    """Which voxels of bone lie in front of the canal, where the bodies are."""
    AHEAD_RAD = 1.2
    result = np.zeros(bones.shape, bool)
    index = np.argwhere(bones)
    _, theta, _ = frame.locate(grid.to_lps(index))
    result[tuple(index.T)] = np.abs(theta) < AHEAD_RAD
    return result


def _note(now: LabelArray, changed: BoolArray, ids: list[int], grid: Grid, ml: float) -> QualityNote:
    gained = [level_name(i) or str(i) for i in ids if ((now == i) & changed).sum() * grid.voxel_mm3 > 20]
    return QualityNote(
        "repaired_two_labels",
        "warning",
        f"{ml:.1f} mL of bone bore the label of a neighbour and were given to the vertebra that they hang on "
        f"({', '.join(gained)}).",
    )
