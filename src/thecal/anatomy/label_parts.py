"""What a plain label map leaves out: which part of a vertebra is its body, and where the discs are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError

from thecal.anatomy.spine import Canal
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import BoolArray, Box, FloatArray, Grid


def anterior_wall_mm(frame: CanalFrame, theta: FloatArray, wall_mm: FloatArray) -> FloatArray:
    """How far the canal's anterior wall lies in front of the curve at each of its points, (n,) mm."""
    FLAT_DEGREES = 30.0  # the posterior wall of the body is flat or hollow this far to either side
    front = np.abs(theta) < np.radians(FLAT_DEGREES)
    ahead: FloatArray = np.median(wall_mm[:, front] * np.cos(theta[front]), axis=1)
    reach = max(1, 2 * round(5.0 / frame.step_mm) + 1)
    smooth: FloatArray = ndimage.median_filter(ahead, size=reach, mode="nearest")
    return smooth


def body_of_vertebra(mask: BoolArray, grid: Grid, canal: Canal) -> BoolArray:
    """The vertebral body: what lies in front of the plane of the canal's anterior wall.

    The pedicles are cut at that plane, the usual border between body and arch. Bits that hang on by less
    than MIN_NECK_MM (heads of ribs, ragged edges) go to the arch.

    Parameters
    ----------
    mask : (z, y, x) bool
        One whole vertebra.
    grid : Grid
    canal : Canal

    Returns
    -------
    (z, y, x) bool
    """
    MIN_NECK_MM = 4.0
    body = np.zeros(mask.shape, bool)
    index = np.argwhere(mask)
    if not len(index):
        return body
    s, theta, r = canal.frame.locate(grid.to_lps(index))
    ahead = anterior_wall_mm(canal.frame, canal.theta, canal.wall_mm)[canal.frame.index(s)]
    before = r * np.cos(theta) - ahead  # mm in front of the posterior wall
    aside = r * np.sin(theta)
    front = before > -0.25 * float(grid.spacing_mm[1])
    if not front.any():
        return body
    # Roots of transverse processes (L4, L5) and heads of ribs lie in front of that plane too, but beside
    # the body, whose own width shows in its anterior half.
    half = aside[front & (before > 0.4 * np.percentile(before[front], 98))]
    room = 3.0  # the posterior half may be this much wider than the anterior one
    low, high = np.percentile(half, [1, 99]) if len(half) > 20 else (-np.inf, np.inf)
    front &= (aside >= low - room) & (aside <= high + room)
    body[tuple(index[front].T)] = True
    box = _box(index, mask.shape, margin=2)
    return _put(body, box, _largest_solid(body[box], MIN_NECK_MM / 2 / grid.spacing_mm))


def disc_between(
    lower: BoolArray, upper: BoolArray, grid: Grid, lower_frame: VertebraFrame, upper_frame: VertebraFrame
) -> BoolArray:
    """The disc: the hull spanned by the facing endplates of two adjacent bodies, less the bodies.

    Parameters
    ----------
    lower, upper : (z, y, x) bool
        Bodies of the caudal and the cranial vertebra.
    grid : Grid
    lower_frame, upper_frame : VertebraFrame

    Returns
    -------
    (z, y, x) bool
        Empty where the bodies are more than MAX_GAP_MM apart (a vertebra between them has no label).
    """
    MAX_GAP_MM = 18.0  # L4/5, the tallest disc, is ~11 mm at its middle; fractures widen the gap
    disc = np.zeros(lower.shape, bool)
    up = lower_frame.cranial + upper_frame.cranial
    up /= np.linalg.norm(up)
    step = float(grid.spacing_mm.max())
    ceiling = _surface(grid.to_lps(np.argwhere(lower)), up, lower_frame, step)
    floor = _surface(grid.to_lps(np.argwhere(upper)), -up, lower_frame, step)
    if len(ceiling) < 12 or len(floor) < 12:
        return disc
    if not -3.0 < float(np.median(floor @ up) - np.median(ceiling @ up)) < MAX_GAP_MM:
        return disc
    facing = np.concatenate([ceiling, floor])
    box = grid.box_around(facing, 2.0)
    try:
        sides = np.unique(np.round(ConvexHull(facing).equations, 6), axis=0)
    except QhullError:
        return disc
    free = np.argwhere(~(lower[box] | upper[box])) + [s.start for s in box]
    where = grid.to_lps(free)
    for side in sides:
        inside = where @ side[:3] + side[3] <= 1e-6
        free, where = free[inside], where[inside]
    disc[tuple(free.T)] = True
    return disc


def _surface(points: FloatArray, up: FloatArray, frame: VertebraFrame, step: float) -> FloatArray:
    """The outermost points along ``up``, one a column, without the lips of osteophytes."""
    RIM_MM = 3.0
    if len(points) < 12:
        return points
    side = np.cross(frame.anterior, up)
    side /= np.linalg.norm(side)
    ahead = np.cross(up, side)
    cell = np.floor(np.stack([points @ side, points @ ahead], axis=1) / max(1.5, step)).astype(int)
    cell -= cell.min(0) - 1
    shape = tuple(cell.max(0) + 2)
    flat = np.ravel_multi_index((cell[:, 0], cell[:, 1]), shape)
    height = points @ up
    top = np.full(shape[0] * shape[1], -np.inf)
    np.maximum.at(top, flat, height)
    chosen = height >= top[flat] - 1e-6
    surface, columns = points[chosen], flat[chosen]
    filled = np.isfinite(top).reshape(shape)
    depth = ndimage.distance_transform_edt(filled) * max(1.5, step)
    keep = (depth.ravel()[columns] > min(RIM_MM, 0.3 * depth.max())) & (
        np.abs(surface @ up - np.median(surface @ up)) < 12.0
    )
    kept: FloatArray = surface[keep]
    return kept


def _largest_solid(mask: BoolArray, radius: FloatArray) -> BoolArray:
    """The largest piece after opening, grown back within the mask by as much as was taken."""
    size = np.maximum(np.round(radius).astype(int), 0)
    offsets = np.stack(np.meshgrid(*[np.arange(-k, k + 1) for k in size], indexing="ij"))
    ball = (offsets.reshape(3, -1) / np.maximum(radius, 0.5)[:, None]) ** 2
    element = (ball.sum(0) <= 1.0).reshape(offsets.shape[1:])
    eroded = ndimage.binary_erosion(mask, element)
    pieces, count = ndimage.label(eroded)
    if count == 0:
        return mask
    largest = pieces == 1 + int(np.argmax(ndimage.sum_labels(eroded, pieces, np.arange(1, count + 1))))
    grown = ndimage.binary_dilation(largest, element) & mask
    # Corners of the rim that the opening rounded off still touch the body over a broad face.
    close: BoolArray = ndimage.binary_dilation(grown, ndimage.generate_binary_structure(3, 1)) & mask
    return close


def _box(index: npt.NDArray[np.integer], shape: tuple[int, ...], margin: int) -> Box:
    low = np.maximum(index.min(0) - margin, 0)
    high = np.minimum(index.max(0) + margin + 1, shape)
    return (
        slice(int(low[0]), int(high[0])),
        slice(int(low[1]), int(high[1])),
        slice(int(low[2]), int(high[2])),
    )


def _put(target: BoolArray, box: Box, part: BoolArray) -> BoolArray:
    target[:] = False
    target[box] = part
    return target
