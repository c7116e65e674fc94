"""Cuts through the CT for the eye: normal to the canal, and along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Canal
from thecal.volume import AIR_HU, FloatArray, Grid

# Half the width, and the reach to the front and to the back of the canal's curve, mm.
OVERVIEW_MM = (40.0, 50.0, 36.0)
CLOSE_UP_MM = (19.0, 20.0, 18.0)
SAGITTAL_ANTERIOR_MM = 62.0
SAGITTAL_POSTERIOR_MM = 46.0


@dataclass(frozen=True, eq=False)
class Cut:
    """A picture plane (or ruled surface) in the patient.

    Attributes
    ----------
    points : (h, w, 3) float64
        LPS mm of each pixel; row 0 is the top of the picture.
    across, up : (w,), (h,) float64
        Coordinates of the pixels in the picture, mm; ``up`` falls from the first row on.
    """

    points: FloatArray
    across: FloatArray
    up: FloatArray

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """Left, right, bottom, top of the picture, mm."""
        half_x = (self.across[1] - self.across[0]) / 2
        half_y = (self.up[0] - self.up[1]) / 2
        return (
            float(self.across[0] - half_x),
            float(self.across[-1] + half_x),
            float(self.up[-1] - half_y),
            float(self.up[0] + half_y),
        )

    def index_in(self, grid: Grid) -> FloatArray:
        """Where the pixels lie in a grid: continuous array indices, (3, h * w)."""
        index: FloatArray = grid.to_index(self.points.reshape(-1, 3)).T
        return index

    def sample(
        self, array: npt.NDArray[Any], grid: Grid, *, order: int = 1, fill: float = AIR_HU
    ) -> FloatArray:
        """The array's values on the cut, (h, w) float64; ``order`` 0 for labels."""
        return self.sample_at(array, self.index_in(grid), order=order, fill=fill)

    def sample_at(
        self, array: npt.NDArray[Any], index: FloatArray, *, order: int = 1, fill: float = AIR_HU
    ) -> FloatArray:
        """As ``sample``, at array indices that are already known, (3, h * w)."""
        low = np.clip(np.floor(index.min(1)) - 1, 0, np.array(array.shape) - 1).astype(int)
        high = np.clip(np.ceil(index.max(1)) + 2, low + 1, array.shape).astype(int)
        part = array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        values: FloatArray = ndimage.map_coordinates(
            part, index - low[:, None], output=np.float64, order=order, cval=fill, prefilter=False
        )
        return values.reshape(self.points.shape[:2])


def axial_cut(
    canal: Canal, at_mm: float, reach_mm: tuple[float, float, float] = OVERVIEW_MM, *, step_mm: float = 0.3
) -> Cut:
    """The plane normal to the canal at arc length ``at_mm``, seen from the feet.

    The patient's left is on the right of the picture and the front on top, as radiologists look at an axial
    CT; ``across`` and ``up`` are mm to the left and to the front of the canal's curve.
    """
    i = int(canal.frame.index(at_mm))
    aside, ahead, behind = reach_mm
    across = np.arange(-aside, aside + step_mm / 2, step_mm)
    up = np.arange(ahead, -behind - step_mm / 2, -step_mm)
    points = (
        canal.frame.points[i]
        + across[None, :, None] * canal.frame.left[i]
        - up[:, None, None] * canal.frame.posterior[i]
    )
    return Cut(points, across, up)


@dataclass(frozen=True, eq=False)
class SagittalView:
    """Where a point of the patient lies in the sagittal picture.

    Attributes
    ----------
    origin : (3,) float64
        LPS mm.
    left, posterior, cranial : (3,) float64
        The mean axes of the canal, orthonormal.
    height_mm, sideways_mm, depth_mm, s_mm : (n,) float64
        Along the canal, caudal to cranial: height in the picture, how far the surface is moved to the
        left there, place from front (negative) to back, and arc length.
    """

    origin: FloatArray
    left: FloatArray
    posterior: FloatArray
    cranial: FloatArray
    height_mm: FloatArray
    sideways_mm: FloatArray
    depth_mm: FloatArray
    s_mm: FloatArray

    def place(self, points: npt.ArrayLike) -> FloatArray:
        """LPS points (m, 3) to (across, up) mm in the picture, (m, 2)."""
        offset = np.asarray(points, float).reshape(-1, 3) - self.origin
        placed: FloatArray = np.stack([offset @ self.posterior, offset @ self.cranial], axis=1)
        return placed

    def height_of(self, s_mm: npt.ArrayLike) -> FloatArray:
        """Height in the picture of arc lengths along the canal, mm."""
        height: FloatArray = np.interp(np.asarray(s_mm, float), self.s_mm, self.height_mm)
        return height


def sagittal_view(canal: Canal) -> SagittalView:
    """The view from the patient's left along the canal's mean axes."""
    frame = canal.frame
    origin = frame.points.mean(0)
    cranial = frame.points[-1] - frame.points[0]
    cranial = cranial / np.linalg.norm(cranial)
    left = frame.left.mean(0)
    left = left - (left @ cranial) * cranial
    left = left / np.linalg.norm(left)
    posterior = np.cross(cranial, left)
    offset = frame.points - origin
    height = np.maximum.accumulate(offset @ cranial)
    return SagittalView(
        origin, left, posterior, cranial, height, offset @ left, offset @ posterior, frame.s_mm
    )


def sagittal_cut(view: SagittalView, low_mm: float, high_mm: float, *, step_mm: float = 0.4) -> Cut:
    """The surface that follows the canal from side to side, between two heights of the picture.

    Distances from front to back and in height are true, so that kyphosis and a wedge look as they are; only
    the sideways bend is taken out. Anterior is on the left of the picture.
    """
    near = (view.height_mm >= low_mm) & (view.height_mm <= high_mm)
    middle = float(np.median(view.depth_mm[near] if near.any() else view.depth_mm))
    across = np.arange(middle - SAGITTAL_ANTERIOR_MM, middle + SAGITTAL_POSTERIOR_MM, step_mm)
    up = np.arange(high_mm, low_mm, -step_mm)
    sideways = np.interp(up, view.height_mm, view.sideways_mm)
    points = (
        view.origin
        + across[None, :, None] * view.posterior
        + up[:, None, None] * view.cranial
        + sideways[:, None, None] * view.left
    )
    return Cut(points, across, up)
