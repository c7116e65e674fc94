"""A vertebral body sampled in its own frame: the block that heights, thirds and endplates are read from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.volume import BoolArray, Box, FloatArray, LabelArray

STEP_MM: Final = 0.75
MIN_BODY_MM3: Final = 1500.0
"""A smaller label is a remnant: the smallest whole bodies (T1) hold some 6 mL."""


@dataclass(frozen=True, eq=False)
class Body:
    """One body in (left, anterior, cranial) mm from the middle of its posterior wall.

    Attributes
    ----------
    box : Box
        The body in the spine's crop, with a margin.
    mask : (z, y, x) bool
        In the box.
    left, anterior : (nl,), (na,) float64
        Coordinates of the columns.
    top, bottom : (nl, na) float64
        Where each column meets the upper and the lower endplate; NaN outside the body.
    posterior_mm, anterior_mm : float
        Posterior and anterior wall in the middle half of the width.
    right_mm, left_mm : float
        Side walls in the middle half of the depth.
    volume_mm3 : float
    """

    box: Box
    mask: BoolArray
    left: FloatArray
    anterior: FloatArray
    top: FloatArray
    bottom: FloatArray
    posterior_mm: float
    anterior_mm: float
    right_mm: float
    left_mm: float
    volume_mm3: float

    @property
    def depth_mm(self) -> float:
        """From the posterior to the anterior wall."""
        return self.anterior_mm - self.posterior_mm

    def middle_columns(self) -> BoolArray:
        """Columns in the middle half of the width, (nl,)."""
        centre = (self.left_mm + self.right_mm) / 2
        columns: BoolArray = np.abs(self.left - centre) <= (self.left_mm - self.right_mm) / 4
        return columns


def bodies(spine: Spine) -> dict[int, Body]:
    """Every vertebra's body that is large enough to be measured, by id."""
    ids = np.where(spine.parts == Part.BODY, spine.labels, 0).astype(np.uint16)
    boxes = ndimage.find_objects(ids)
    found: dict[int, Body] = {}
    for vertebra in spine.vertebrae:
        if vertebra.id <= len(boxes) and boxes[vertebra.id - 1] is not None:
            body = _body(spine, vertebra, ids, boxes[vertebra.id - 1])
            if body is not None:
                found[vertebra.id] = body
    return found


def _body(spine: Spine, vertebra: Vertebra, ids: LabelArray, tight: Box) -> Body | None:
    box: Box = tuple(  # type: ignore[assignment]
        slice(max(0, s.start - 2), min(n, s.stop + 2)) for s, n in zip(tight, ids.shape, strict=True)
    )
    mask = ids[box] == vertebra.id
    volume = float(mask.sum()) * spine.grid.voxel_mm3
    if volume < MIN_BODY_MM3:
        return None
    grid = spine.grid.crop(box)
    frame = vertebra.frame
    local = frame.to_local(grid.to_lps(np.argwhere(mask)))
    low, high = local.min(0) - STEP_MM, local.max(0) + STEP_MM
    axes = [np.arange(a, b + STEP_MM, STEP_MM) for a, b in zip(low, high, strict=True)]
    left, anterior, cranial = np.meshgrid(*axes, indexing="ij")
    index = grid.to_index(frame.to_lps(np.stack([left, anterior, cranial], axis=-1)))
    # Padded by air, so that a body cut by the crop ends there.
    block = ndimage.map_coordinates(
        mask.astype(np.float32), np.moveaxis(index, -1, 0), order=1, mode="constant", cval=0.0
    )
    solid = block >= 0.5
    filled = solid.any(axis=2)
    top = _crossing(block, solid, axes[2], upper=True)
    bottom = _crossing(block, solid, axes[2], upper=False)
    top[~filled], bottom[~filled] = np.nan, np.nan
    depth_range = _span(filled.sum(0) > 0.5 * filled.sum(0).max(), axes[1])
    rows = (axes[1] >= depth_range[0] + np.ptp(depth_range) / 4) & (
        axes[1] <= depth_range[1] - np.ptp(depth_range) / 4
    )
    side_range = _span(filled[:, rows].mean(1) > 0.5, axes[0])
    columns = np.abs(axes[0] - np.mean(side_range)) <= np.ptp(side_range) / 4
    depth_range = _span(filled[columns].mean(0) > 0.5, axes[1])
    return Body(box, mask, axes[0], axes[1], top, bottom, *depth_range, *side_range, volume)


def _span(inside: BoolArray, axis: FloatArray) -> tuple[float, float]:
    where = np.flatnonzero(inside)
    if not len(where):
        return float(axis[0]), float(axis[-1])
    return float(axis[where[0]] - STEP_MM / 2), float(axis[where[-1]] + STEP_MM / 2)


def _crossing(block: FloatArray, solid: BoolArray, axis: FloatArray, *, upper: bool) -> FloatArray:
    """Where the outermost half-level crossing of each column lies."""
    count = block.shape[2]
    last = count - 1 - np.argmax(solid[:, :, ::-1], axis=2) if upper else np.argmax(solid, axis=2)
    beyond = np.clip(last + (1 if upper else -1), 0, count - 1)
    inner = np.take_along_axis(block, last[:, :, None], 2)[:, :, 0].astype(float)
    outer = np.take_along_axis(block, beyond[:, :, None], 2)[:, :, 0].astype(float)
    share = np.where(inner > outer, (inner - 0.5) / np.maximum(inner - outer, 1e-6), 0.0)
    surface: FloatArray = axis[last] + (axis[beyond] - axis[last]) * np.clip(share, 0, 1)
    return surface
