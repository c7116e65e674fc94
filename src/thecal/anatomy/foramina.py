"""The intervertebral foramina beside the canal."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.label_parts import anterior_wall_mm
from thecal.anatomy.rays import near_canal, sample_rays
from thecal.anatomy.spine import Canal
from thecal.terms import DISC_OFFSET, FIRST_UNKNOWN_VERTEBRA, THECAL_SAC
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
    PEDICLE_DEGREES = (60.0, 105.0)  # from anterior: where a pedicle closes the canal's side, facets do not
    BEHIND_SHARE = 0.5  # of the canal behind its curve: there the superior articular process begins

    frame, theta, wall = canal.frame, canal.theta, canal.wall_mm
    radii = np.arange(0.0, float(wall.max()) + OUTWARD_MM + STEP_MM, STEP_MM)
    bone = ((labels > 0) & (labels < THECAL_SAC)) | (
        (labels >= FIRST_UNKNOWN_VERTEBRA) & (labels < FIRST_UNKNOWN_VERTEBRA + DISC_OFFSET)
    )
    hit = sample_rays(bone.astype(np.uint8) * 100, grid, frame, theta, radii) >= 50.0
    hit &= radii[None, None, :] > wall[:, :, None] - 1.0
    beyond = radii[None, None, :] - wall[:, :, None]
    open_mm = np.clip(np.where(hit, beyond, np.inf).min(axis=2), 0.0, OUTWARD_MM)
    lateral = np.abs(np.abs(theta) - np.pi / 2) <= np.radians(SIDE_DEGREES)
    reach = np.where((open_mm >= LEAST_OPEN_MM) & lateral, open_mm, 0.0)
    for side in (theta < 0, theta > 0):
        at_pedicle = side & _within_degrees(np.abs(theta), PEDICLE_DEGREES)
        closed = (open_mm[:, at_pedicle] < LEAST_OPEN_MM).mean(axis=1) >= 0.85
        rows = np.flatnonzero(closed)
        between = np.zeros(len(wall), bool)
        if len(rows):
            between[rows[0] : rows[-1] + 1] = ~closed[rows[0] : rows[-1] + 1]
        reach[np.ix_(~between, side)] = 0.0
    result = np.zeros(labels.shape, bool)
    open_rows = np.flatnonzero(reach.max(axis=1) > 0)
    if not len(open_rows):
        return result

    near = near_canal(grid, frame, float(wall.max()) + OUTWARD_MM)
    free = np.argwhere(near & (labels == 0))
    s, angle, r = frame.locate(grid.to_lps(free))
    row = frame.index(s)
    column = np.rint((angle + np.pi) / (2 * np.pi) * len(theta)).astype(int) % len(theta)
    y = r * np.cos(angle)
    inside = (
        (r > wall[row, column])
        & (r <= wall[row, column] + reach[row, column])
        & (y <= anterior_wall_mm(frame, theta, wall)[row])
        & (y >= -BEHIND_SHARE * _posterior_wall_mm(theta, wall)[row])
    )
    result[tuple(free[inside].T)] = True
    return _without_crumbs(result, grid)


def _within_degrees(angle: FloatArray, bounds: tuple[float, float]) -> BoolArray:
    within: BoolArray = (angle >= np.radians(bounds[0])) & (angle <= np.radians(bounds[1]))
    return within


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
