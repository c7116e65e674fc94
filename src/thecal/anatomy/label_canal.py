"""The canal's curve and wall from a label map: from its own label, or from the bone around it."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.rays import sample_rays
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid

THETA_COUNT = 72
RAY_STEP_MM = 0.5
MAX_RADIUS_MM = 24.0  # half the width of the widest lumbar canal (L5 27 +/- 4 mm, Griffith 2016) with room
CURVE_SMOOTH_MM = 8.0  # bends shorter than this are not of the canal but of the label map


def angles() -> FloatArray:
    """The angles at which walls are kept: evenly spaced over the circle from -pi, (72,) rad."""
    theta: FloatArray = -np.pi + 2 * np.pi * np.arange(THETA_COUNT) / THETA_COUNT
    return theta


def _radii() -> FloatArray:
    radii: FloatArray = np.arange(0.0, MAX_RADIUS_MM, RAY_STEP_MM)
    return radii


def curve_through_mask(mask: BoolArray, grid: Grid) -> CanalFrame:
    """The smooth curve through the slice centroids of a canal, sac or cord label.

    Raises
    ------
    SpineNotFound
        Where the label spans less than three slices or 10 mm.
    """
    MIN_LENGTH_MM = 10.0
    area = mask.sum(axis=(1, 2)).astype(float)
    present = np.flatnonzero(area > 0.2 * np.median(area[area > 0])) if area.any() else np.array([], int)
    step = float(grid.spacing_mm[0])
    if len(present) < 3 or (present[-1] - present[0]) * step < MIN_LENGTH_MM:
        raise SpineNotFound("the label map holds less than 10 mm of spinal canal")
    centres = np.array([[z, *np.argwhere(mask[z]).mean(0)] for z in present])
    # Half a slice more at each end, so that the curve covers what the label covers.
    rows = np.linspace(present[0] - 0.5, present[-1] + 0.5, max(len(present) + 1, 9))
    slope_low = (centres[1] - centres[0]) / (present[1] - present[0])
    slope_high = (centres[-1] - centres[-2]) / (present[-1] - present[-2])
    known = np.concatenate([[centres[0] - 0.5 * slope_low], centres, [centres[-1] + 0.5 * slope_high]])
    path = np.stack([np.interp(rows, known[:, 0], known[:, a]) for a in range(3)], axis=1)
    spacing = (rows[1] - rows[0]) * step
    return CanalFrame.through(grid.to_lps(path), smooth=CURVE_SMOOTH_MM**4 / spacing)


def wall_of_mask(mask: BoolArray, grid: Grid, frame: CanalFrame) -> tuple[FloatArray, FloatArray]:
    """Radii of a label's border around a curve, cast in the label and closed by smoothness.

    Parameters
    ----------
    mask : (z, y, x) bool
    grid : Grid
    frame : CanalFrame
        n points.

    Returns
    -------
    wall_mm : (n, 72) float64
    confidence : (n,) float64
        Share of the rays that met the border.
    """
    HOLE_MM = 2.0  # gaps in a ragged label shorter than this are crossed
    inside = sample_rays(mask.astype(np.float32), grid, frame, angles(), _radii()) >= 0.5
    hole = round(HOLE_MM / RAY_STEP_MM)
    outside_run = ndimage.minimum_filter1d((~inside).astype(np.uint8), hole, axis=2, origin=-(hole // 2))
    ended = np.cumsum(outside_run, axis=2) > 0
    within = inside & ~ended
    last = within.shape[2] - 1 - np.argmax(within[:, :, ::-1], axis=2)
    radius = np.where(within.any(axis=2), (last + 0.5) * RAY_STEP_MM, np.nan)
    radius[~ended.any(axis=2)] = np.nan
    radius[radius < 2.0] = np.nan
    wall = fill_by_smoothness(radius, frame.step_mm, along_mm=1.5, around_degrees=6.0)
    return wall, np.isfinite(radius).mean(axis=1)


def wall_of_bone(bone: BoolArray, grid: Grid, frame: CanalFrame) -> tuple[FloatArray, FloatArray]:
    """Radii at which rays from the canal's curve first meet bone, closed across foramina and discs.

    A ray that leaves through a foramen meets other bone far out or none; it counts as missing where it runs
    much longer than its neighbours along and around the canal.
    """
    LONGER = 1.35
    hits = sample_rays(bone.astype(np.float32), grid, frame, angles(), _radii()) >= 0.5
    radius = np.where(hits.any(axis=2), (np.argmax(hits, axis=2) - 0.5) * RAY_STEP_MM, np.nan)
    radius[radius < 2.0] = np.nan
    reach = max(3, 2 * round(12.0 / frame.step_mm) + 1)
    filled = np.where(np.isfinite(radius), radius, MAX_RADIUS_MM)
    around = 3
    turned = np.pad(filled, ((0, 0), (around, around)), mode="wrap")
    typical = ndimage.percentile_filter(turned, 20, size=(reach, 2 * around + 1), mode="nearest")
    typical = typical[:, around:-around]
    radius[radius > LONGER * typical + 1.0] = np.nan
    wall = fill_by_smoothness(radius, frame.step_mm, along_mm=3.0, around_degrees=8.0)
    return wall, np.isfinite(radius).mean(axis=1)


def fill_by_smoothness(
    radius: FloatArray, step_mm: float, *, along_mm: float, around_degrees: float
) -> FloatArray:
    """Smooth radii (n, m) in which missing rays are NaN; gaps are carried over from along and around.

    Normalised convolution at growing widths: a gap takes the value of the narrowest width that reaches data.

    Raises
    ------
    SpineNotFound
        Where every ray is missing.
    """
    known = np.isfinite(radius)
    if not known.any():
        raise SpineNotFound("no wall of the spinal canal was met around its curve")
    value = np.where(known, radius, 0.0)
    result = np.full(radius.shape, np.nan)
    widening = 1.0
    while np.isnan(result).any():
        sigma = (
            widening * along_mm / step_mm,
            min(widening * around_degrees, 90.0) / 360.0 * radius.shape[1],
        )
        weight = ndimage.gaussian_filter(known.astype(float), sigma, mode=("nearest", "wrap"))
        total = ndimage.gaussian_filter(value, sigma, mode=("nearest", "wrap"))
        # The bar falls as the width grows, so that however little is known reaches everywhere.
        reached = np.isnan(result) & (weight > 0.05 / widening)
        result[reached] = total[reached] / weight[reached]
        widening *= 1.6
    # Levels of filling meet in steps; one last pass takes them out.
    smooth: FloatArray = ndimage.gaussian_filter(
        result, (along_mm / step_mm, around_degrees / 720.0 * radius.shape[1]), mode=("nearest", "wrap")
    )
    return smooth


def curve_through_foramina(vertebrae: BoolArray, grid: Grid) -> CanalFrame:
    """The canal's curve from the bone alone: through the holes that the arches close behind the bodies.

    Parameters
    ----------
    vertebrae : (z, y, x) bool
        Whole vertebrae, arches included.

    Raises
    ------
    SpineNotFound
        Where fewer than three closed rings are seen.
    """
    SLAB_MM = 7.0  # seen through this thickness the arch of a vertebra closes its ring
    MIN_AREA_MM2, MAX_AREA_MM2 = 60.0, 800.0
    MAX_STEP = 1.5  # lateral or sagittal mm per mm along
    dz, dy, dx = grid.spacing_mm
    slab = max(1, round(SLAB_MM / dz))
    seen = ndimage.maximum_filter1d(vertebrae, slab, axis=0)
    rings: list[tuple[float, FloatArray]] = []
    for z in np.flatnonzero(vertebrae.any(axis=(1, 2))):
        holes, count = ndimage.label(ndimage.binary_fill_holes(seen[z]) & ~seen[z])
        for n in range(1, count + 1):
            where = np.argwhere(holes == n)
            if MIN_AREA_MM2 <= len(where) * dy * dx <= MAX_AREA_MM2:
                rings.append((len(where) * dy * dx, np.array([z, *where.mean(0)])))
    if len(rings) < 3:
        raise SpineNotFound(
            "the label map has no spinal canal, and its vertebrae close too few rings to find one"
        )
    path = _longest_chain(rings, grid, MAX_STEP)
    if len(path) < 3:
        raise SpineNotFound(
            "the label map has no spinal canal, and its vertebrae close too few rings to find one"
        )
    path = _to_the_ends(path, vertebrae, grid)
    rows = np.linspace(path[0, 0], path[-1, 0], max(9, int(path[-1, 0] - path[0, 0]) + 1))
    even = np.stack([np.interp(rows, path[:, 0], path[:, a]) for a in range(3)], axis=1)
    return CanalFrame.through(grid.to_lps(even), smooth=CURVE_SMOOTH_MM**4 / ((rows[1] - rows[0]) * dz))


def _to_the_ends(path: FloatArray, vertebrae: BoolArray, grid: Grid) -> FloatArray:
    """The path carried on straight to the first and last slice with bone, by ON_MM at most."""
    ON_MM = 30.0
    SLOPE_MM = 15.0  # the direction is taken over this much of the path
    slices = np.flatnonzero(vertebrae.any(axis=(1, 2)))
    dz = float(grid.spacing_mm[0])
    count = min(len(path) - 1, max(1, round(SLOPE_MM / dz)))
    low = max(slices[0] - 0.5, path[0, 0] - ON_MM / dz)
    high = min(slices[-1] + 0.5, path[-1, 0] + ON_MM / dz)
    first = (path[count] - path[0]) / (path[count, 0] - path[0, 0])
    last = (path[-1] - path[-1 - count]) / (path[-1, 0] - path[-1 - count, 0])
    below = path[0] + (low - path[0, 0]) * first
    above = path[-1] + (high - path[-1, 0]) * last
    return np.concatenate([[below], path, [above]])


def _longest_chain(rings: list[tuple[float, FloatArray]], grid: Grid, max_step: float) -> FloatArray:
    """The caudal-to-cranial chain of rings with the most area in all, by dynamic programming."""
    index = np.array([r[1] for r in rings])
    area = np.array([r[0] for r in rings])
    place = grid.to_lps(index)
    score, before = area.copy(), np.full(len(rings), -1)
    for i in range(len(rings)):
        earlier = np.flatnonzero(index[:, 0] < index[i, 0])
        if not len(earlier):
            continue
        gap = np.linalg.norm(place[earlier, :2] - place[i, :2], axis=1)
        rise = np.abs(place[earlier, 2] - place[i, 2])
        fits = gap <= max_step * rise + 3.0
        gain = np.where(fits, score[earlier] - 2.0 * gap, -np.inf)
        if gain.max() > 0:
            before[i] = earlier[np.argmax(gain)]
            score[i] = area[i] + gain.max()
    chain = [int(np.argmax(score))]
    while before[chain[-1]] >= 0:
        chain.append(int(before[chain[-1]]))
    return index[chain[::-1]]
