"""What a C-arm would show of this patient: true AP and lateral pictures of one vertebra, made from her CT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.line_integrals import FloatImage, line_integrals
from thecal.fluoro.projection.view import View
from thecal.volume import BoolArray, FloatArray, Grid, Volume

C_ARM: Final = CArm(sid_mm=1000.0, sod_mm=620.0, pitch_mm=0.5, shape=(360, 400))
ASIDE_MM: Final = {"AP": 78.0, "lateral": 27.0}
BEFORE_BODY_MM: Final = 8.0
BEHIND_MM: Final = 90.0
HIGH_MM: Final = 68.0
"""Tissue that takes part: half width to the side, before the body, behind its posterior wall, half height.
What lies beyond (bowel, vessels, ribs on the lateral view) would cover the bone and is left out."""
SOFT_HU: Final = 60.0
NEAR_VOXELS: Final = 2
"""Before the posterior wall, what is brighter than soft tissue and lies so far from the spine is taken
for contrast medium, which is not there on the day of the puncture."""
EDGE_MM: Final = 4.0
"""Over so much the tissue fades at the edge of what takes part."""
BONE_FROM_HU: Final = 130.0
BONE_EXTRA: Final = 1.6
"""How much more than by its HU bone shades: calcium absorbs more at 60 keV than its density says."""
BROAD_MM: Final = 22.0
BROAD_SHARE: Final = 0.72
"""Broad shadows are weakened, as a C-arm's display does."""
WINDOW_PERCENTILES: Final = (1.0, 99.8)
WINDOW_MM: Final = 32.0
"""The window is set on so much to each side of the picture's middle."""
EMPTY_SHARE: Final = 0.4
EMPTY_WHITE: Final = 0.92
"""Rays with less than this share of the longest way pass beside the scan, and are shown so light."""
COARSE: Final = 8
"""Pixels to a side of those on which the way through the scan is measured."""
BEHIND_MIDDLE_MM: Final = 12.0
"""The lateral picture is centred behind the middle of the body, so that the arch is seen."""


@dataclass(frozen=True, eq=False)
class Shot:
    """One simulated picture.

    Attributes
    ----------
    name : "AP" or "lateral"
    view : View
    image : (rows, columns) float32
        0 black to 1 white; dense things dark, as on a C-arm's display.
    primary_deg, secondary_deg : float
        The angulation as DICOM XA states it: to her left (LAO), to her head (CRAN).
    """

    name: str
    view: View
    image: FloatImage
    primary_deg: float
    secondary_deg: float


def angles_of(towards: FloatArray) -> tuple[float, float]:
    """Primary and secondary positioner angle, degrees, of a detector that stands in a direction (LPS)."""
    left, posterior, cranial = towards / np.linalg.norm(towards)
    return float(np.degrees(np.arctan2(left, -posterior))), float(np.degrees(np.arcsin(cranial)))


def ap_shot(volume: Volume, spine: Spine, vertebra: Vertebra, depth_mm: float) -> Shot:
    """The true AP picture: patient prone, tube below, detector behind her back.

    Endplates edge-on and the spinous process in the midline; her left is on the left, as the operator stands.
    """
    frame = vertebra.frame
    middle = frame.to_lps((0.0, depth_mm / 2, 0.0))
    return _shot(volume, spine, vertebra, "AP", -frame.anterior, middle, depth_mm)


def lateral_shot(volume: Volume, spine: Spine, vertebra: Vertebra, depth_mm: float) -> Shot:
    """The true lateral picture, detector at her left; the front is on the left."""
    frame = vertebra.frame
    middle = frame.to_lps((0.0, depth_mm / 2 - BEHIND_MIDDLE_MM, 0.0))
    return _shot(volume, spine, vertebra, "lateral", frame.left, middle, depth_mm)


def _shot(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    name: str,
    towards: FloatArray,
    middle: FloatArray,
    depth_mm: float,
) -> Shot:
    primary, secondary = angles_of(towards)
    view = C_ARM.view(middle, primary, secondary)
    shade, grid = _shading(volume, spine, vertebra, ASIDE_MM[name], depth_mm + BEFORE_BODY_MM)
    shadow = line_integrals(shade, grid, view)
    return Shot(name, view, _displayed(shadow, _through(grid, view), view, middle), primary, secondary)


def _shading(
    volume: Volume, spine: Spine, vertebra: Vertebra, aside_mm: float, ahead_mm: float
) -> tuple[npt.NDArray[np.float32], Grid]:
    """How much each voxel shades, water 1, fading towards the edges of what takes part."""
    frame = vertebra.frame
    corners = frame.to_lps(
        [
            (x, y, z)
            for x in (-aside_mm, aside_mm)
            for y in (-BEHIND_MM, ahead_mm)
            for z in (-HIGH_MM, HIGH_MM)
        ]
    )
    box = spine.grid.box_around(corners, 0.0)
    grid = spine.grid.crop(box)
    hu = spine.plain_hu(volume)[box].astype(np.float32)
    other = ndimage.binary_dilation(spine.labels[box] > 0, iterations=NEAR_VOXELS)
    np.logical_not(other, out=other)
    other &= _ahead(grid, vertebra) > 0.0
    hu[other] = np.minimum(hu[other], SOFT_HU)
    shade = np.maximum(1.0 + hu / 1000.0, 0.0)
    shade += BONE_EXTRA * np.maximum(hu - BONE_FROM_HU, 0.0) / 1000.0
    for axis, (n, spacing) in enumerate(zip(shade.shape, grid.spacing_mm, strict=True)):
        from_edge = np.minimum(np.arange(n), np.arange(n)[::-1]) * spacing
        fade = np.clip(from_edge / EDGE_MM, 0.0, 1.0).astype(np.float32)
        shade *= np.expand_dims(np.sin(0.5 * np.pi * fade) ** 2, [a for a in range(3) if a != axis])
    return np.ascontiguousarray(shade, np.float32), grid


def _ahead(grid: Grid, vertebra: Vertebra) -> FloatArray:
    """How far each voxel lies before the posterior wall's middle, mm."""
    steps = grid.affine[:3, :3].T @ vertebra.frame.anterior
    start = float((grid.affine[:3, 3] - vertebra.frame.origin) @ vertebra.frame.anterior)
    z, y, x = (np.arange(n) * step for n, step in zip(grid.shape, steps, strict=True))
    ahead: FloatArray = start + z[:, None, None] + y[None, :, None] + x[None, None, :]
    return ahead


def _through(grid: Grid, view: View) -> BoolArray:
    """Which rays pass through what takes part rather than beside it."""
    length = line_integrals(np.ones(grid.shape, np.uint8), grid, view.binned(COARSE), step_mm=COARSE / 4)
    share = ndimage.zoom(
        length / max(float(length.max()), 1e-6), COARSE, order=1, grid_mode=True, mode="nearest"
    )
    passed: BoolArray = share > EMPTY_SHARE
    return passed


def _displayed(integral: FloatImage, through: BoolArray, view: View, middle: FloatArray) -> FloatImage:
    """Line integrals as a display shows them, 0 black to 1 white."""
    pixel_mm = float(np.linalg.norm(view.along_row)) / view.magnification(middle)
    rows, columns = (np.abs(np.arange(n) - (n - 1) / 2) * pixel_mm < WINDOW_MM for n in integral.shape)
    centre = np.ix_(rows, columns)
    weight = ndimage.gaussian_filter(through.astype(np.float32), BROAD_MM / pixel_mm)
    broad = ndimage.gaussian_filter(np.where(through, integral, 0.0), BROAD_MM / pixel_mm)
    fine = integral - BROAD_SHARE * broad / np.maximum(weight, 1e-3)
    low, high = np.percentile(fine[centre][through[centre]], WINDOW_PERCENTILES)
    shown = 1.0 - np.clip((fine - low) / max(float(high - low), 1e-6), 0.0, 1.0)
    image: FloatImage = np.where(through, shown, EMPTY_WHITE).astype(np.float32)
    return image
