"""One half of a vertebra in its own axes: planes from back to front, on which needle tracks are spots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray

FloatImage = npt.NDArray[np.float32]

STEP_MM: Final = 0.75
"""Pixels and planes: half the thickest slice on which bores are looked for."""
BEHIND_MM: Final = 42.0
"""The skin side of lamina and facets lies within this distance behind the posterior wall's middle."""
AHEAD_MM: Final = 33.0
"""Depth of a body."""
BEYOND_MIDLINE_MM: Final = 9.0
"""A needle's tip may cross the midline."""
LATERAL_MM: Final = 34.0
"""From the midline to the most lateral entry (L5)."""
HALF_HEIGHT_MM: Final = 24.0
HIDING_MM3: Final = 20.0
"""Cement beside the canal, behind the body; a cast of 2.4 mm fills that on 5 mm."""
AIR: Final = -1024.0


@dataclass(frozen=True, eq=False)
class Block:
    """The half of a vertebra on one side, sampled in its frame.

    Arrays are (plane, row, column) = (back to front, caudal to cranial, right to left).

    Attributes
    ----------
    vertebra : Vertebra
    side : int
        1 left, -1 right.
    low_mm : (3,) float64
        (anterior, cranial, left) of the first sample, mm in the vertebra's frame.
    hu : (k, j, i) float32
    cement : (k, j, i) float32
        Share of cement.
    bone : (k, j, i) bool
        This vertebra by its label, or by that of its mirror image, for cement hides bone.
    canal : (k, j, i) bool
        Within the canal's wall: no bone walls a way there.
    metal : bool
        Whether metal lies in it.
    whole : bool
        Whether the scan holds all of the block that can hold a pedicle.
    """

    vertebra: Vertebra
    side: int
    low_mm: FloatArray
    hu: FloatImage
    cement: FloatImage
    bone: npt.NDArray[np.bool_]
    canal: npt.NDArray[np.bool_]
    metal: bool
    whole: bool

    def plane_of(self, anterior_mm: float) -> int:
        """Index of the plane nearest to a distance before the posterior wall."""
        return round((anterior_mm - float(self.low_mm[0])) / STEP_MM)

    def index_of(self, local: npt.ArrayLike) -> FloatArray:
        """Points (..., 3) of the vertebra's frame (left, anterior, cranial) to indices (k, j, i)."""
        points = np.asarray(local, float)
        index: FloatArray = (points[..., [1, 2, 0]] - self.low_mm) / STEP_MM
        return index

    def local_of(self, index: npt.ArrayLike) -> FloatArray:
        """Indices (..., 3) to points (left, anterior, cranial) mm of the vertebra's frame."""
        where = np.asarray(index, float) * STEP_MM + self.low_mm
        local: FloatArray = where[..., [2, 0, 1]]
        return local


def block_of(spine: Spine, vertebra: Vertebra, side: int, hu: npt.NDArray[np.int16], cement: Cement) -> Block:
    """Sample one half of a vertebra.

    Parameters
    ----------
    spine : Spine
    vertebra : Vertebra
    side : int
        1 left, -1 right.
    hu : (z, y, x) int16
        The spine's crop.
    cement : Cement
        On the spine's crop.
    """
    first = -BEYOND_MIDLINE_MM if side > 0 else -LATERAL_MM
    low = np.array([-BEHIND_MM, -HALF_HEIGHT_MM, first])
    size = np.array([BEHIND_MM + AHEAD_MM, 2 * HALF_HEIGHT_MM, BEYOND_MIDLINE_MM + LATERAL_MM])
    count = np.floor(size / STEP_MM).astype(int) + 1
    # The three axes are straight in the scan too: an affine map, not a table of points.
    frame, grid = vertebra.frame, spine.grid
    axes = np.stack([frame.anterior, frame.cranial, frame.left], axis=1)
    start = frame.origin + axes @ low
    inverse = np.linalg.inv(grid.affine)
    matrix = inverse[:3, :3] @ axes * STEP_MM
    offset = inverse[:3, :3] @ start + inverse[:3, 3]
    corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * (count - 1)
    at = corners @ matrix.T + offset
    lo = np.clip(np.floor(at.min(0)).astype(int) - 1, 0, np.array(grid.shape) - 1)
    hi = np.clip(np.ceil(at.max(0)).astype(int) + 2, lo + 1, np.array(grid.shape))
    near = tuple(slice(int(a), int(b)) for a, b in zip(lo, hi, strict=True))

    def sampled(array: npt.NDArray[Any], outside: float) -> FloatImage:
        image: FloatImage = ndimage.affine_transform(
            array[near].astype(np.float32),
            matrix,
            offset - lo,
            output_shape=tuple(int(n) for n in count),
            order=1,
            mode="constant",
            cval=outside,
            output=np.float32,
            prefilter=False,
        )
        return image

    def nearest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        return _nearest(mask, matrix, offset - lo, tuple(int(n) for n in count))

    labels = spine.labels[near]
    has_cement = bool(cement.pieces[near].any())
    shape = tuple(int(n) for n in count)
    return Block(
        vertebra,
        side,
        low,
        sampled(hu, AIR),
        sampled(cement.fraction, 0.0) if has_cement else np.zeros(shape, np.float32),
        _own(spine, vertebra, low, shape),
        nearest((labels == THECAL_SAC) | (labels == EPIDURAL_SPACE)),
        bool(cement.metal[near].any()),
        vertebra.complete,
    )


def hides_wall(block: Block) -> bool:
    """Whether cement in the pedicle hides the canal's wall on this side."""
    column = round(-float(block.low_mm[2]) / STEP_MM)
    own = slice(column, None) if block.side > 0 else slice(0, column + 1)
    part = block.cement[block.plane_of(-16.0) : block.plane_of(0.0), :, own]
    return float((part > 0.5).sum()) * STEP_MM**3 > HIDING_MM3


def _own(spine: Spine, vertebra: Vertebra, low: FloatArray, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    frame = vertebra.frame
    bone = np.zeros(shape, bool)
    for mirror in (1.0, -1.0):
        axes = np.stack([frame.anterior, frame.cranial, mirror * frame.left], axis=1)
        inverse = np.linalg.inv(spine.grid.affine)
        matrix = np.asarray(inverse[:3, :3] @ axes * STEP_MM, np.float64)
        offset = inverse[:3, :3] @ (frame.origin + axes @ low) + inverse[:3, 3]
        corners = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        at = (corners * (np.array(shape) - 1)) @ matrix.T + offset
        lo = np.clip(np.floor(at.min(0)).astype(int) - 1, 0, np.array(spine.grid.shape) - 1)
        hi = np.clip(np.ceil(at.max(0)).astype(int) + 2, lo + 1, np.array(spine.grid.shape))
        near = tuple(slice(int(a), int(b)) for a, b in zip(lo, hi, strict=True))
        bone |= _nearest(spine.labels[near] == vertebra.id, matrix, offset - lo, shape)
    return bone


def _nearest(
    mask: npt.NDArray[np.bool_], matrix: FloatArray, offset: FloatArray, shape: tuple[int, ...]
) -> npt.NDArray[np.bool_]:
    image: npt.NDArray[np.uint8] = ndimage.affine_transform(
        mask.astype(np.uint8),
        matrix,
        offset,
        output_shape=shape,
        order=0,
        mode="constant",
        output=np.uint8,
        prefilter=False,
    )
    return image > 0
