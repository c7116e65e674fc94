"""The intervertebral foramina beside the canal."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.label_parts import anterior_wall_mm
from thecal.anatomy.rays import sample_rays
from thecal.anatomy.spine import Canal
from thecal.terms import FIRST_UNKNOWN_VERTEBRA
from thecal.volume import BoolArray, FloatArray, Grid, LabelArray


def foramina(labels: LabelArray, grid: Grid, canal: Canal) -> BoolArray:
    """The intervertebral foramina: the way out of the canal between two pedicles.

    In canal coordinates: outside the wall, to the side, where no bone lies between the canal and the point;
    in front as far as the posterior wall of body and disc, behind as far as the superior articular process,
    outward as far as the outer edge of the pedicles, and along the canal only between pedicles that are seen.

    Parameters
    ----------
    labels : (z, y, x) uint16
        Ids of the contract, whole vertebrae.
    grid : Grid
    canal : Canal

    Returns
    -------
    (z, y, x) bool
    """
    OUTWARD_MM = 12.0  # pedicle width, T12-L4 7-13 mm (Zindrick 1987): the outer edge beyond the wall
    STEP_MM = 0.5
    SIDE_DEGREES = 45.0  # to either side of straight lateral
    LEAST_OPEN_MM = 3.0  # a shorter way than this to bone is a groove of the wall
    BEHIND_SHARE = 0.5  # of the canal behind its curve: there the superior articular process begins

    result = np.zeros(labels.shape, bool)
    frame, theta, wall = canal.frame, canal.theta, canal.wall_mm
    box = grid.box_around(frame.points, float(wall.max()) + OUTWARD_MM + 2.0)
    part = labels[box]
    sub = grid.crop(box)
    bone = ((part > 0) & (part < 60)) | (part >= FIRST_UNKNOWN_VERTEBRA) & (part < 300)
    lateral = np.abs(np.abs(theta) - np.pi / 2) <= np.radians(SIDE_DEGREES)

    radii = np.arange(0.0, float(wall.max()) + OUTWARD_MM + STEP_MM, STEP_MM)
    hit = sample_rays(bone.astype(np.uint8) * 100, sub, frame, theta, radii) >= 50.0
    hit &= radii[None, None, :] > wall[:, :, None] - 1.0
    beyond = radii[None, None, :] - wall[:, :, None]
    open_mm = np.where(hit, beyond, np.inf).min(axis=2)
    open_mm = np.clip(open_mm, 0.0, OUTWARD_MM)
    reach = np.where((open_mm >= LEAST_OPEN_MM) & lateral, open_mm, 0.0)
    for side in (theta < 0, theta > 0):
        pedicle = (open_mm[:, lateral & side] < LEAST_OPEN_MM).mean(axis=1) > 0.6
        rows = np.flatnonzero(pedicle)
        between = np.zeros(len(wall), bool)
        if len(rows):
            between[rows[0] : rows[-1] + 1] = ~pedicle[rows[0] : rows[-1] + 1]
        reach[np.ix_(~between, side)] = 0.0

    free = np.argwhere(part == 0)
    points = sub.to_lps(free)
    s, angle, r = frame.locate(points)
    row = frame.index(s)
    column = np.rint((angle + np.pi) / (2 * np.pi) * len(theta)).astype(int) % len(theta)
    ahead = anterior_wall_mm(frame, theta, wall)
    behind = _posterior_wall_mm(theta, wall)
    y = r * np.cos(angle)
    inside = (
        (r > wall[row, column])
        & (r <= wall[row, column] + reach[row, column])
        & (y <= ahead[row])
        & (y >= -BEHIND_SHARE * behind[row])
    )
    found = np.zeros(part.shape, bool)
    found[tuple(free[inside].T)] = True
    result[box] = _without_crumbs(found, sub)
    return result


def _posterior_wall_mm(theta: FloatArray, wall_mm: FloatArray) -> FloatArray:
    back = np.abs(theta) > np.radians(150.0)
    distance: FloatArray = np.median(-wall_mm[:, back] * np.cos(theta[back]), axis=1)
    return distance


def _without_crumbs(mask: BoolArray, grid: Grid) -> BoolArray:
    """Drop pieces smaller than any foramen."""
    LEAST_MM3 = 100.0  # a foramen is ~10 x 6 mm and several mm deep
    pieces, count = ndimage.label(mask)
    if count == 0:
        return mask
    size = np.bincount(pieces.ravel()) * grid.voxel_mm3
    size[0] = 0.0
    kept: BoolArray = (size >= LEAST_MM3)[pieces]
    return kept
