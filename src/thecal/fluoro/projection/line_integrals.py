"""Integrals of a volume along the rays from the source to each pixel."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.fluoro.projection.view import View
from thecal.volume import Grid

FloatImage = npt.NDArray[np.float32]
Method = Literal["planes", "exact", "trilinear"]
STEP_SHARE: Final = 0.75
"""Step of the trilinear march as a share of the smallest voxel spacing."""


def line_integrals(
    values: npt.NDArray[Any],
    grid: Grid,
    view: View,
    *,
    method: Method = "planes",
    step_mm: float | None = None,
) -> FloatImage:
    """Integrals along the rays, each from the source to the centre of its pixel.

    Parameters
    ----------
    values : (z, y, x) array
        On ``grid``; nothing lies outside it. Taken as float32 in C order: give it so where many views of one
        volume are computed, and no copy is made.
    grid : Grid
        Of any orientation, with any spacing.
    view : View
        The source lies outside the grid, and so does the detector.
    method : {"planes", "exact", "trilinear"}
        ``"planes"``: values are read where the ray meets each plane of voxel centres across its main axis,
        with bilinear interpolation (Joseph 1982, doi 10.1109/TMI.1982.4307572); the fastest, and smooth where
        the patient moves. ``"exact"``: the length within each voxel times its value, as if each voxel were a
        box of one value (Siddon 1985, doi 10.1118/1.595715), slab by slab. ``"trilinear"``: equal steps
        with trilinear interpolation between voxel centres.
    step_mm : float, optional
        Length of a step of the trilinear march, which it chooses where it is given; by default
        ``STEP_SHARE`` of the smallest voxel spacing.

    Returns
    -------
    (rows, columns) float32
        Value times mm.
    """
    from thecal.fluoro.projection import traversal

    inverse = np.linalg.inv(grid.affine)
    turn = inverse[:3, :3]
    source = turn @ view.source + inverse[:3, 3]
    ray = turn @ (view.corner - view.source)
    along_row, along_column = turn @ view.along_row, turn @ view.along_column
    own = np.ascontiguousarray(values, dtype=np.float32)
    size = np.array(own.shape)
    rows, columns = view.shape
    integrals: FloatImage
    if method == "trilinear" or step_mm is not None:
        step = STEP_SHARE * float(grid.spacing_mm.min()) if step_mm is None else step_mm
        integrals = traversal.march(
            own, source, ray, along_row, along_column, rows, columns, np.linalg.inv(turn), step
        )
        return integrals
    along = np.stack([ray, along_column, along_row])
    along_mm = np.stack([view.corner - view.source, view.along_column, view.along_row])
    cross = traversal.by_planes if method == "planes" else traversal.by_voxels
    integrals = cross(own.ravel(), size, source, along, along_mm, rows, columns)
    return integrals
