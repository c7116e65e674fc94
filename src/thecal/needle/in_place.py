"""Needles of metal that stand in bone on a CT."""

from __future__ import annotations

from typing import Final

import cc3d
import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.needle.metal_width import metal_width
from thecal.needle.plan_value import SeenNeedle
from thecal.volume import FloatArray, Volume

METAL_HU: Final = 2200
"""Steel, even where a thick slice blurs it; dense cement is as bright, so that shape decides."""
LONG_MM: Final = 40.0
"""A cast of cement in a needle's way ends at the bone; a needle reaches out through the muscles."""
OUT_OF_BONE_MM: Final = 15.0
WIDEST_MM: Final = 6.0
"""A needle of 1.8 to 3.4 mm, and its glare on either side."""
STRAIGHT_SHARE: Final = 0.9
HALF_WIDTH_MM: Final = 3.5
INTO_BONE_MM: Final = 4.0
STEP_MM: Final = 0.5
GAP_MM: Final = 4.0
REACH_MM: Final = 60.0
"""Round the spine's crop: a needle's hub may lie outside it."""


def needles_in_place(volume: Volume, spine: Spine) -> tuple[SeenNeedle, ...]:
    """Straight slender things as bright as metal that lead from behind into a vertebra.

    Each connected bright part is fitted with a line; it is a needle when it is long, narrow, straight, and
    lies partly in a vertebra and partly well behind all bone.
    """
    corners = spine.grid.to_lps(
        [[i, j, k] for i in (0, spine.grid.shape[0] - 1) for j in (0, spine.grid.shape[1] - 1)
         for k in (0, spine.grid.shape[2] - 1)]
    )  # fmt: skip
    box = volume.grid.box_around(corners, REACH_MM)
    grid = volume.grid.crop(box)
    bright = volume.hu[box] >= METAL_HU
    if not bright.any():
        return ()
    parts = np.asarray(cc3d.connected_components(bright.astype(np.uint8), connectivity=26))
    sizes = np.bincount(parts.ravel())
    least = LONG_MM * 1.5 / grid.voxel_mm3
    found = []
    for part in range(1, len(sizes)):
        if sizes[part] < least:
            continue
        points = grid.to_lps(np.argwhere(parts == part))
        needle = _needle(points, spine, volume)
        if needle is not None:
            found.append(needle)
    return tuple(found)


def _needle(points: FloatArray, spine: Spine, volume: Volume) -> SeenNeedle | None:
    coarsest_mm = float(volume.grid.spacing_mm.max())
    middle = points.mean(0)
    _, _, axes = np.linalg.svd((points - middle)[:: max(1, len(points) // 4000)], full_matrices=False)
    axis = axes[0]
    along = (points - middle) @ axis
    off = np.linalg.norm(points - middle - along[:, None] * axis, axis=1)
    straight = float((off <= HALF_WIDTH_MM + coarsest_mm / 2.0).mean()) >= STRAIGHT_SHARE
    if float(np.ptp(along)) < LONG_MM or not straight or 2.0 * float(np.percentile(off, 75)) > WIDEST_MM:
        return None
    steps = np.arange(float(along.min()), float(along.max()) + STEP_MM, STEP_MM)
    line = middle + steps[:, None] * axis
    labels = _labels_along(spine, line)
    hits = [(int((labels == v.id).sum()), v) for v in spine.vertebrae]
    count, vertebra = max(hits, key=lambda item: item[0], default=(0, None))
    if vertebra is None or count * STEP_MM < INTO_BONE_MM:
        return None
    if float(axis @ vertebra.frame.anterior) < 0.0:
        steps, line, labels = -steps[::-1], line[::-1], labels[::-1]
        axis = -axis
    if float(axis @ vertebra.frame.anterior) < 0.3:
        return None
    first = _entry(labels == vertebra.id)
    if first * STEP_MM < OUT_OF_BONE_MM:
        return None
    width = metal_width(volume, line[first], line[-1])
    outer, error = (None, None) if width is None else (width.outer_mm, width.error_mm)
    return SeenNeedle(vertebra.id, "metal", _point(line[first]), _point(line[-1]), False, outer, error)


def _labels_along(spine: Spine, line: FloatArray) -> FloatArray:
    """The vertebra at each point of a line; metal itself carries no sure label, so points beside it vote."""
    offsets = 2.5 * np.array([[0, 0, 0], [1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])
    index = np.rint(spine.grid.to_index(line[:, None] + offsets)).astype(int)
    inside = np.asarray(((index >= 0) & (index < np.array(spine.grid.shape))).all(-1))
    index = np.where(inside[..., None], index, 0)
    labels: npt.NDArray[np.integer] = np.where(inside, spine.labels[tuple(np.moveaxis(index, -1, 0))], 0)
    ids = {v.id for v in spine.vertebrae}
    winner = np.zeros(len(line))
    for k, row in enumerate(labels):
        bone = [label for label in row.tolist() if label in ids]
        if len(bone) >= 3:
            winner[k] = max(set(bone), key=bone.count)
    return winner


def _entry(mine: FloatArray) -> int:
    """From the front end back: where the vertebra's bone begins, over gaps that are short."""
    inside = np.flatnonzero(mine)
    first = int(inside[-1])
    for k in inside[::-1]:
        if (first - k) * STEP_MM > GAP_MM:
            break
        first = int(k)
    return first


def _point(values: FloatArray) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
