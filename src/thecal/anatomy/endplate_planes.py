"""The planes of a body's two endplates, fitted to a surface known only to a voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.volume import BoolArray, FloatArray

# A column of voxels belongs to the body where it is at least this share of the median column's height:
# osteophytes and the crumbs of a label are lower.
COLUMN_SHARE = 0.3
# The rim left out, as a share of the footprint's half width: a longer lever than the rounded rim costs.
RIM_SHARE = 0.12
# An endplate is read from at least so many columns, and only where the scan's edge cuts less than half of it.
FEWEST_COLUMNS = 6
UNCUT_SHARE = 0.5
# Where the stairs leave the slope open: the share given to the flattest plane, which is the canal's own; a
# little less than half, for endplates lean against the canal in lordosis and kyphosis.
CANAL_SHARE = 0.4
# Half a stair's height as a share of a voxel; below 0.5, for the surface has its own noise.
STAIR_SHARE = 0.4
# Tukey's biweight at 95 % efficiency under normal noise (Holland & Welsch 1977, 10.1080/03610927708827533),
# its scale from the median absolute deviation, with a floor in mm: else the plane would take one stair for
# the endplate and the others for outliers.
TUKEY = 4.685
MAD_TO_SD = 1.4826
LEAST_SCALE_MM = 0.3
# Fixed numbers of rounds, so that no result hangs on a tolerance.
SETTLING_ROUNDS = 8
WEIGHTING_ROUNDS = 15


@dataclass(frozen=True)
class PlatePlane:
    """The plane of one endplate.

    Attributes
    ----------
    normal : (3,) unit vector
        In the local axes, cranial.
    rms : float
        Weighted residual, mm.
    """

    normal: FloatArray
    rms: float


def plate_planes(
    local: FloatArray, edge: BoolArray, column: float, voxel_mm: float, tangent: FloatArray
) -> tuple[PlatePlane | None, PlatePlane | None]:
    """Planes through the upper and lower surfaces, read column by column away from the rim.

    Parameters
    ----------
    local : (n, 3) mm
        The body's voxels along left, anterior and cranial.
    edge : (n,) bool
        Voxels on the scan's edge.
    column, voxel_mm : float
        Width of the columns and largest voxel spacing, mm.
    tangent : (3,)
        The canal's direction in the local axes.

    Returns
    -------
    upper, lower : PlatePlane or None
        None where the scan's edge cuts the endplate.
    """
    cell = np.floor((local[:, :2] - local[:, :2].min(0)) / column).astype(int) + 1
    shape = tuple(cell.max(0) + 2)
    flat = np.ravel_multi_index((cell[:, 0], cell[:, 1]), shape)
    count = np.bincount(flat, minlength=shape[0] * shape[1]).reshape(shape)
    footprint = ndimage.binary_opening(
        ndimage.binary_fill_holes(count > COLUMN_SHARE * np.median(count[count > 0]))
    )
    inside = ndimage.distance_transform_edt(footprint)
    inner = inside > RIM_SHARE * inside.max()
    plates: list[PlatePlane | None] = []
    for sign in (1.0, -1.0):
        height = np.full(shape[0] * shape[1], -np.inf)
        np.maximum.at(height, flat, sign * local[:, 2])
        at_edge = np.zeros(shape[0] * shape[1], bool)
        top = sign * local[:, 2] >= height[flat] - 1e-6
        at_edge[flat[top & edge]] = True
        chosen = inner.ravel() & np.isfinite(height)
        usable = chosen & ~at_edge
        if usable.sum() < max(FEWEST_COLUMNS, UNCUT_SHARE * chosen.sum()):
            plates.append(None)
            continue
        i, j = np.unravel_index(np.flatnonzero(usable), shape)
        plates.append(_plane_through_stairs(i * column, j * column, sign * height[usable], voxel_mm, tangent))
    return plates[0], plates[1]


def _plane_through_stairs(
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    h: FloatArray,
    voxel_mm: float,
    tangent: FloatArray,
) -> PlatePlane:
    """Plane h(x, y) through a surface known to a voxel: its upward unit normal and the weighted residual.

    A plane that hardly climbs over the voxels shows as one or two stairs, and many planes pass through those
    alike. The steepest of them is found from the least-squares plane, which climbs too fast through a stair;
    the flattest from the canal's direction; what the stairs leave open is settled between the two.
    """
    design = np.stack([x - x.mean(), y - y.mean(), np.ones_like(h)], axis=1)
    steep = np.linalg.lstsq(design, h, rcond=None)[0]
    flat = np.array([-tangent[0] / tangent[2], -tangent[1] / tangent[2], float(np.median(h))])
    (first, w1), (second, w2) = (_into_the_stairs(design, h, c, voxel_mm) for c in (steep, flat))
    coefficients = (1 - CANAL_SHARE) * first + CANAL_SHARE * second
    weight = (w1 + w2) / 2
    residual = h - design @ coefficients
    rms = float(np.sqrt((weight * residual**2).sum() / weight.sum()))
    normal = np.array([-coefficients[0], -coefficients[1], 1.0])
    return PlatePlane(normal / np.linalg.norm(normal), rms)


def _into_the_stairs(
    design: FloatArray, h: FloatArray, start: FloatArray, voxel_mm: float
) -> tuple[FloatArray, FloatArray]:
    """The plane nearest to ``start`` that passes within each column's stair, and the Tukey weights.

    Only what lies beyond a stair counts as residual; the scale has a floor, else the plane would take one
    stair for the endplate and the others for outliers.
    """
    reach = STAIR_SHARE * voxel_mm
    plane = np.array(start)
    for _ in range(SETTLING_ROUNDS):  # the height first, so that no slope is learnt from a wrong height
        fit = design @ plane
        plane[2] += 2 * float((np.clip(fit, h - reach, h + reach) - fit).mean())
    weight = np.ones_like(h)
    for _ in range(WEIGHTING_ROUNDS):
        fit = design @ plane
        residual = np.clip(fit, h - reach, h + reach) - fit
        scale = max(MAD_TO_SD * float(np.median(np.abs(residual))), STAIR_SHARE * voxel_mm, LEAST_SCALE_MM)
        weight = np.clip(1 - (residual / (TUKEY * scale)) ** 2, 0.0, None) ** 2
        root = np.sqrt(weight)
        plane = plane + np.linalg.lstsq(design * root[:, None], residual * root, rcond=None)[0]
    return plane, weight
