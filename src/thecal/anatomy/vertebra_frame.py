"""The box of one vertebra, from the shape of its body: endplates, posterior wall, symmetry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.endplate_planes import PlatePlane, plate_planes
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import FloatArray

# Columns in which surfaces are read, mm: no finer than the label's own noise.
COLUMN_MM = 1.5
# The body's extent along its axes: without the outermost voxels, which crumbs and spurs draw out; they hide
# about 0.7 of a voxel.
EXTENT_PERCENTILES = (0.5, 99.5)
VOXEL_SHARE = 0.7
# The axes settle in so many rounds: endplates move the cranial axis, and that the left one.
AXIS_ROUNDS = 3
# Canal samples farther than the nearest one by more than this lie at another level, mm.
SAME_LEVEL_MM = 25.0
# A plane that leans more against the canal is not an endplate but a broken label.
MOST_TILT_DEGREES = 40.0
# The direction from canal to body is so good on clinical CT, by its baseline of about 25 mm. A turn by as
# much costs the first in mirror overlap (0..1), a shift by one cell the second.
PRIOR_DEGREES = 6.0
TURN_COST = 0.05
SHIFT_COST = 0.002
MOST_TURN_DEGREES = 10.0
MOST_SHIFT_CELLS = 2.0
MIRROR_CELL_MM = 1.5
# The flat of the posterior wall between the pedicles, as shares of the body's width and of the wall's height.
CENTRAL_WIDTH = 0.35
CENTRAL_HEIGHT = 0.6
# The hindmost share of the middle, percent, gives the wall's upper and lower end.
BACK_PERCENT = 25
BACK_HEIGHT_PERCENTILES = (3, 97)
# Confidence: roughness of an endplate at which its score falls to 1/e, and that of a body none of whose
# endplates is seen; tilt that sound vertebrae have against the canal, and how fast the score falls beyond;
# mirror overlap worth nothing, and from there to full worth.
ROUGH_MM = 4.0
UNSEEN_RMS_MM = 3.0
USUAL_TILT_DEGREES = 15.0
TILT_SPREAD_DEGREES = 20.0
LEAST_SYMMETRY = 0.4
SYMMETRY_RANGE = 0.4


@dataclass(frozen=True, eq=False)
class BodyFit:
    """A vertebra's frame with the measurements that support it.

    Attributes
    ----------
    frame : VertebraFrame
    upper_normal, lower_normal : (3,) float64 or None
        Cranial normals of the endplates, LPS; None where the endplate is not in the scan.
    width_mm, depth_mm, height_mm : float
        Body size along left, anterior and cranial.
    confidence : float
        0..1, the product of the terms in ``evidence`` that end in ``_score``.
    evidence : dict of str to float
        ``endplate_rms_mm``, ``wedge_degrees``, ``canal_tilt_degrees``, ``symmetry`` (mirror overlap, 0..1)
        and the scores made of them.
    """

    frame: VertebraFrame
    upper_normal: FloatArray | None
    lower_normal: FloatArray | None
    width_mm: float
    depth_mm: float
    height_mm: float
    confidence: float
    evidence: dict[str, float]


def frame_of_body(
    points: npt.ArrayLike, canal_frame: CanalFrame, *, voxel_mm: float = 1.0, cut: npt.ArrayLike | None = None
) -> BodyFit:
    """The frame of a vertebral body given as a cloud of voxel centres.

    The cranial axis is the mean normal of the two endplates, each a plane fitted to the body's surface away
    from the rim by iteratively reweighted least squares (Tukey's biweight), so that osteophytes, a ragged
    label and the concavity of an endplate do not tilt it. An endplate that the scan's edge cuts is not used.
    The sagittal plane runs from the canal to the body's middle and is then turned, within a few degrees, to
    where the body's two halves mirror each other best. The origin is the middle of the posterior wall.

    Parameters
    ----------
    points : (n, 3) array-like
        Voxel centres of the body, LPS mm, n >= 30.
    canal_frame : CanalFrame
        Gives the first guess of the axes and the side on which the canal lies.
    voxel_mm : float
        Largest voxel spacing, mm: the width of the columns in which the surfaces are read.
    cut : (n,) bool array-like, optional
        True for voxels on the scan's edge; surfaces there are not endplates.

    Returns
    -------
    BodyFit
    """
    where = np.asarray(points, float).reshape(-1, 3)
    edge = np.zeros(len(where), bool) if cut is None else np.asarray(cut, bool)
    centre = np.median(where, axis=0)
    at = _nearest_plane(canal_frame, centre)
    tangent = canal_frame.cranial[at]
    up = tangent
    column = max(COLUMN_MM, voxel_mm)
    upper: PlatePlane | None = None
    lower: PlatePlane | None = None
    left = canal_frame.left[at]
    for _ in range(AXIS_ROUNDS):
        posterior = canal_frame.points[at] - centre
        left = np.cross(posterior, up)
        left /= np.linalg.norm(left)
        axes = np.stack([left, np.cross(left, up), up], axis=1)
        local = (where - centre) @ axes
        upper, lower = plate_planes(local, edge, column, voxel_mm, axes.T @ tangent)
        up = _mean_normal(upper, lower, axes, tangent)
        at = _where_axis_meets_canal(canal_frame, centre, up)

    frame, symmetry = _turn_to_symmetry(where, centre, up, left)
    local = frame.to_local(where)
    low, high = np.percentile(local, EXTENT_PERCENTILES, axis=0)
    size = high - low + VOXEL_SHARE * voxel_mm
    middle = _middle_of_posterior_wall(local, voxel_mm)
    frame = VertebraFrame(frame.to_lps(middle), frame.left, frame.anterior, frame.cranial)

    axes = np.stack([left, np.cross(left, up), up], axis=1)
    normals = [None if p is None else _to_lps(p.normal, axes) for p in (upper, lower)]
    rms = float(np.mean([p.rms for p in (upper, lower) if p is not None] or [UNSEEN_RMS_MM]))
    wedge = _degrees_between(normals[0], normals[1])
    tilt = _degrees_between(up, tangent)
    evidence = {
        "endplate_rms_mm": rms,
        "endplates_seen": float((upper is not None) + (lower is not None)),
        "wedge_degrees": wedge,
        "canal_tilt_degrees": tilt,
        "symmetry": symmetry,
        "endplate_score": float(np.exp(-((rms / ROUGH_MM) ** 2))),
        "tilt_score": float(np.exp(-((max(0.0, tilt - USUAL_TILT_DEGREES) / TILT_SPREAD_DEGREES) ** 2))),
        "symmetry_score": float(np.clip((symmetry - LEAST_SYMMETRY) / SYMMETRY_RANGE, 0.0, 1.0)),
    }
    confidence = float(np.prod([v for k, v in evidence.items() if k.endswith("_score")]))
    return BodyFit(
        frame, normals[0], normals[1], float(size[0]), float(size[1]), float(size[2]), confidence, evidence
    )


def _nearest_plane(frame: CanalFrame, point: FloatArray) -> int:
    """The canal sample whose normal plane passes nearest to a point of the body."""
    near = np.linalg.norm(frame.points - point, axis=1)
    along = np.abs(np.einsum("ij,ij->i", point - frame.points, frame.cranial))
    return int(np.argmin(along + np.where(near > near.min() + SAME_LEVEL_MM, np.inf, 0.0)))


def _where_axis_meets_canal(frame: CanalFrame, centre: FloatArray, up: FloatArray) -> int:
    """The canal sample that lies in the body's mid-plane."""
    near = np.linalg.norm(frame.points - centre, axis=1)
    off = np.abs((frame.points - centre) @ up)
    return int(np.argmin(off + np.where(near > near.min() + SAME_LEVEL_MM, np.inf, 0.0)))


def _to_lps(normal: FloatArray, axes: FloatArray) -> FloatArray:
    vector: FloatArray = axes @ normal
    return vector


def _mean_normal(
    upper: PlatePlane | None, lower: PlatePlane | None, axes: FloatArray, tangent: FloatArray
) -> FloatArray:
    """Mean of the endplates' normals; where one is cut, of the other and the canal's direction."""
    normals = [_to_lps(p.normal, axes) for p in (upper, lower) if p is not None]
    normals = [n for n in normals if _degrees_between(n, tangent) < MOST_TILT_DEGREES]
    if len(normals) < 2:
        normals.append(tangent)
    total: FloatArray = np.sum(normals, axis=0)
    return total / np.linalg.norm(total)


def _turn_to_symmetry(
    where: FloatArray, centre: FloatArray, up: FloatArray, left: FloatArray
) -> tuple[VertebraFrame, float]:
    """Turn the axes about ``up`` to where the body mirrors itself best; the overlap reached, 0..1."""
    start = VertebraFrame.from_axes(centre, up, left)
    local = start.to_local(where)[:, :2]
    best = (-np.inf, 0.0, 0.0, 0.0)
    for degrees in np.arange(-MOST_TURN_DEGREES, MOST_TURN_DEGREES + 0.1, 1.0):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        turned = local @ np.array([[c, -s], [s, c]])
        span = int(np.ceil(np.abs(turned).max() / MIRROR_CELL_MM)) + 2
        cells = np.floor(turned / MIRROR_CELL_MM).astype(int) + span
        image = np.bincount(cells[:, 0] * 2 * span + cells[:, 1], minlength=4 * span * span)
        thick = ndimage.gaussian_filter(image.reshape(2 * span, 2 * span).astype(float), 1.0)
        middle = float((thick.sum(1) @ (np.arange(2 * span) + 0.5)) / thick.sum())
        for shift in np.arange(-MOST_SHIFT_CELLS, MOST_SHIFT_CELLS + 0.1, 0.5):
            mirror = 2 * (middle + shift) - 1 - np.arange(2 * span, dtype=np.float64)
            image_mirrored = _rows_at(thick, mirror)
            overlap = float(np.minimum(thick, image_mirrored).sum() / thick.sum())
            score = overlap - TURN_COST * (degrees / PRIOR_DEGREES) ** 2 - SHIFT_COST * shift**2
            if score > best[0]:
                best = (score, degrees, (middle + shift - span) * MIRROR_CELL_MM, overlap)
    _, degrees, offset, overlap = best
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    side = c * start.left + s * start.anterior
    frame = VertebraFrame.from_axes(centre, up, side)
    return VertebraFrame(centre + offset * frame.left, frame.left, frame.anterior, frame.cranial), overlap


def _rows_at(image: FloatArray, rows: FloatArray) -> FloatArray:
    """Rows of an image at fractional positions, zero outside."""
    low = np.floor(rows).astype(int)
    part = (rows - low)[:, None]
    padded = np.pad(image, ((1, 1), (0, 0)))
    first = padded[np.clip(low + 1, 0, len(padded) - 1)]
    second = padded[np.clip(low + 2, 0, len(padded) - 1)]
    mixed: FloatArray = (1 - part) * first + part * second
    return mixed


def _middle_of_posterior_wall(local: FloatArray, voxel_mm: float) -> FloatArray:
    """The middle of the posterior wall in the local axes, whose origin is in the sagittal plane."""
    low, high = np.percentile(local, EXTENT_PERCENTILES, axis=0)
    near = np.abs(local[:, 0]) < CENTRAL_WIDTH / 2 * (high[0] - low[0]) + voxel_mm / 2
    core = local[near]
    # Upper and lower end at the wall itself: the posterior height's middle, also in a wedge.
    back = core[core[:, 1] < np.percentile(core[:, 1], BACK_PERCENT)]
    bottom, top = np.percentile(back[:, 2], BACK_HEIGHT_PERCENTILES)
    mid_up = (bottom + top) / 2
    flat = core[np.abs(core[:, 2] - mid_up) < CENTRAL_HEIGHT / 2 * (top - bottom) + voxel_mm / 2]
    column = max(COLUMN_MM, voxel_mm)
    cell = np.floor(flat[:, [0, 2]] / column).astype(int)
    _, which = np.unique(cell, axis=0, return_inverse=True)
    wall = np.full(which.max() + 1, np.inf)
    np.minimum.at(wall, which.ravel(), flat[:, 1])
    return np.array([0.0, float(np.median(wall)) - voxel_mm / 4, mid_up])


def _degrees_between(a: FloatArray | None, b: FloatArray | None) -> float:
    if a is None or b is None:
        return 0.0
    return float(np.degrees(np.arccos(np.clip(a @ b, -1.0, 1.0))))
