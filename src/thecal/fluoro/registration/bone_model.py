"""The vertebra as the search draws it: its bone alone, with the place and size by which errors are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.fluoro.projection.line_integrals import FloatImage, line_integrals
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.target import Target
from thecal.terms import is_vertebra
from thecal.volume import BoolArray, FloatArray, Grid, box_of, patient_grid, resample

MARROW_HU: Final = 20.0
"""What is above it counts as the vertebra; the soft tissue in it belongs to the rest."""
DENSEST_HU: Final = 1500.0
"""Metal and old cement of the CT are held to this, so that they do not outweigh the bone."""
MARGIN_MM: Final = 1.5
"""Bone this far outside the label still counts: labels end at half density."""
SOFT_EDGE_MM: Final = 1.5
BOX_MM: Final = 4.0
"""Round the label, in the boxes that are marched through: a little more than the two above."""
VOXEL_MM: Final = 1.2
COARSE_MM: Final = 2.4
SOFT_HU: Final = 40.0
FADE_MM: Final = 10.0
POINTS: Final = 400


@dataclass(frozen=True, eq=False)
class BoneModel:
    """One vertebra, ready to be drawn many times.

    Attributes
    ----------
    values, coarse : (z, y, x) float32
        HU above marrow, of this vertebra alone, on grids of ``VOXEL_MM`` and ``COARSE_MM``.
    rest : (z, y, x) float32
        All else of the crop, HU above soft tissue, on ``rest_grid``; it fades out towards the crop's faces.
    grid, coarse_grid, rest_grid : Grid
    centre : (3,) float64
        Middle of the vertebra's bone, LPS mm: poses turn about it.
    points : (n, 3) float64
        Of the vertebra, evenly drawn: errors are means over them.
    neighbours_mm : tuple of (3,) float64
        From this body's middle to the next ones' above and below, as far as the crop shows them.
    slice_mm : float
        Largest spacing of the CT's voxels.
    """

    values: npt.NDArray[np.float32]
    grid: Grid
    coarse: npt.NDArray[np.float32]
    coarse_grid: Grid
    rest: npt.NDArray[np.float32]
    rest_grid: Grid
    centre: FloatArray
    points: FloatArray
    neighbours_mm: tuple[FloatArray, ...]
    slice_mm: float

    def draw(self, view: View, *, coarse: bool = False) -> FloatImage:
        """HU times mm along each ray through the vertebra."""
        if coarse:
            return line_integrals(self.coarse, self.coarse_grid, view)
        return line_integrals(self.values, self.grid, view)

    def draw_rest(self, view: View) -> FloatImage:
        """HU times mm along each ray through what surrounds the vertebra."""
        return line_integrals(self.rest, self.rest_grid, view)


def bone_model(target: Target) -> BoneModel:
    """The model of a target's vertebra."""
    mask: BoolArray = target.labels == target.vertebra_id
    box = box_of(mask, np.ceil(BOX_MM / target.grid.spacing_mm).astype(np.int64))
    if box is None:
        raise ValueError("the target holds no voxel of its vertebra")
    grid = target.grid.crop(box)
    fine = patient_grid(grid, VOXEL_MM)
    # Sampled by trilinear weights, a thin mask would lose its edge: it is widened before.
    share = resample(mask[box].astype(np.float32), grid, fine, fill=0.0)
    away = ndimage.distance_transform_edt(share < 0.5, sampling=VOXEL_MM)
    soft = np.clip(1.0 + (MARGIN_MM - away) / SOFT_EDGE_MM, 0.0, 1.0)
    hu = resample(target.hu[box].astype(np.float32), grid, fine, fill=-1000.0)
    values = np.clip(hu - MARROW_HU, 0.0, DENSEST_HU) * soft
    coarse_grid = patient_grid(fine, COARSE_MM)
    coarse = resample(
        ndimage.gaussian_filter(values, 0.4 * COARSE_MM / VOXEL_MM), fine, coarse_grid, fill=0.0
    )
    rest, rest_grid = _rest(target, values.astype(np.float32), fine)
    index = np.argwhere(share >= 0.5)
    places = fine.to_lps(index)
    rng = np.random.default_rng(0)
    some = places[rng.choice(len(places), min(POINTS, len(places)), replace=False)]
    return BoneModel(
        values.astype(np.float32),
        fine,
        coarse.astype(np.float32),
        coarse_grid,
        rest,
        rest_grid,
        places.mean(0),
        some,
        _neighbours(target),
        float(target.grid.spacing_mm.max()),
    )


def _rest(
    target: Target, own: npt.NDArray[np.float32], own_grid: Grid
) -> tuple[npt.NDArray[np.float32], Grid]:
    """What surrounds the vertebra: the crop less the vertebra's own values."""
    grid = patient_grid(target.grid, COARSE_MM)
    sigma = 0.4 * COARSE_MM / target.grid.spacing_mm
    smooth = ndimage.gaussian_filter(target.hu.astype(np.float32), np.where(sigma > 0.4, sigma, 0.0))
    hu = np.minimum(resample(smooth, target.grid, grid, fill=SOFT_HU), DENSEST_HU)
    blurred = ndimage.gaussian_filter(own, 0.4 * COARSE_MM / VOXEL_MM)
    rest = hu - SOFT_HU - resample(blurred, own_grid, grid, fill=0.0)
    for axis, count in enumerate(grid.shape):
        deep = np.minimum(np.arange(count), np.arange(count)[::-1]) * COARSE_MM
        fade = np.clip(deep / FADE_MM, 0.0, 1.0)
        rest *= np.expand_dims(fade, [a for a in range(3) if a != axis]).astype(np.float32)
    return rest.astype(np.float32), grid


def _neighbours(target: Target) -> tuple[FloatArray, ...]:
    """Ways from this vertebra's middle to those beside it that are large enough in the crop to have one."""
    own = target.grid.to_lps(np.argwhere(target.labels == target.vertebra_id))
    middle = own.mean(0)
    found = []
    height = 2.0 * float(np.percentile(np.abs((own - middle) @ target.frame.cranial), 50.0))
    for label in np.unique(target.labels):
        if label == target.vertebra_id or not is_vertebra(int(label)):
            continue
        other = target.grid.to_lps(np.argwhere(target.labels == label))
        if len(other) > 0.4 * len(own):
            found.append(other.mean(0) - middle)
    if not found:
        found = [sign * max(1.4 * height, 20.0) * target.frame.cranial for sign in (-1.0, 1.0)]
    return tuple(found)


def reprojection_error_mm(points: FloatArray, view: View, one: Pose, other: Pose) -> float:
    """Mean distance between where two poses draw the points, in the plane of the vertebra, mm.

    The distance on the detector over the magnification, as the reprojection distance of van de Kraats 2005
    (doi 10.1109/TMI.2005.853240).
    """
    away = view.project(one.apply(points)) - view.project(other.apply(points))
    steps = np.stack([view.along_column, view.along_row])
    on_detector = np.linalg.norm(away @ steps, axis=-1)
    return float(on_detector.mean()) / view.magnification(points.mean(0))
