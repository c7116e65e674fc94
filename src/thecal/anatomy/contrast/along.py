"""Where along the canal contrast medium fills the sac, and how bright it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.rays import sample_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

RANGE_HU: Final = (160.0, 1600.0)
"""Myelographic CSF is 300 to 1500 HU (from memory, reference figures 3.2); below the first it is not told
from noise and ligament, and counts only beside brighter contrast."""
FADES_HU: Final = 90.0
LEAST_MM: Final = 20.0
"""Along less of the canal than this nothing is called contrast: drops of cement are as short."""
ANGLES: Final = 64
STEP_MM: Final = 0.5
REACH_MM: Final = 14.0
CORE_MM: Final = 6.5
"""No wall of a canal of usual width comes so near to its middle."""
PLATEAU_MM: Final = 1.0
"""Contrast is this thick at least on its way outward, also beside the cord; the blurred edge of a wall rises
all the way."""
UNEVEN: Final = 0.5
"""Quarters of the angles differ by less than this share of their median; bone and cement differ by more."""
GOES_ON: Final = 0.8
"""It goes on to the next plane where that is at least this share as bright."""


def contrast_along(hu: IntArray, grid: Grid, frame: CanalFrame) -> FloatArray:
    """What contrast medium reads on each plane of a course through the canal, (n,) HU, NaN where none is.

    On each ray the brightest plateau within ``CORE_MM`` of the course is read; contrast is there where the
    median over the rays is bright and the rays agree, over ``LEAST_MM`` and more. Planes between two
    stretches, hidden by cement say, are filled in.
    """
    low, middle, high = _plateaus(hu, grid, frame)
    even = high - low < UNEVEN * middle
    inside = _in_grid(grid, frame.points)
    sure = even & (middle >= RANGE_HU[0]) & (middle <= RANGE_HU[1]) & inside
    may = (even & (middle >= FADES_HU) & (middle <= RANGE_HU[1]) & inside) | sure
    none = np.full(len(middle), np.nan)
    least = LEAST_MM / frame.step_mm
    groups, count = ndimage.label(may)
    held = [g for g in range(1, count + 1) if (sure & (groups == g)).sum() >= least]
    if not held:
        return none
    filled = np.isin(groups, held)
    rows = np.flatnonzero(filled)
    span = np.arange(rows[0], rows[-1] + 1)
    # Cement and a disc's bulge break the rings here and there; a long stretch without stays without.
    gap = ndimage.binary_closing(filled, iterations=round(1.5 * LEAST_MM / frame.step_mm))[span]
    value = np.interp(span, rows, ndimage.median_filter(middle[rows], 5, mode="nearest"))
    none[span] = np.where(gap | filled[span], value, np.nan)
    # Contrast does not end where its ring does: at the scan's ends the course runs off its middle.
    for row, step in ((int(rows[0]), -1), (int(rows[-1]), 1)):
        at = row + step
        while 0 <= at < len(middle) and inside[at] and middle[at] >= max(FADES_HU, GOES_ON * none[at - step]):
            none[at] = min(float(middle[at]), float(none[at - step]))
            at += step
    return none


def centred_in_contrast(hu: IntArray, grid: Grid, frame: CanalFrame) -> CanalFrame:
    """The course moved, by at most a few mm, to where contrast is alike in all directions.

    Where there is no contrast the shift is carried over from where there is.
    """
    return CanalFrame.through(moved(frame, to_centre(hu, grid, frame)).points)


def moved(frame: CanalFrame, shift: FloatArray) -> CanalFrame:
    """The course with each point moved left and back (n, 2) mm within its plane."""
    return replace(frame, points=frame.points + shift[:, :1] * frame.left + shift[:, 1:] * frame.posterior)


def to_centre(hu: IntArray, grid: Grid, frame: CanalFrame) -> FloatArray:
    """How far left and back of each point (n, 2), mm, the middle of the contrast lies."""
    SHIFTS_MM = (-4.0, -2.0, 0.0, 2.0, 4.0)
    SMOOTH_MM = 6.0
    moves = np.array([(x, y) for x in SHIFTS_MM for y in SHIFTS_MM])
    differ = np.empty((len(moves), len(frame.s_mm)))
    for k, move in enumerate(moves):
        low, middle, high = _plateaus(hu, grid, moved(frame, np.tile(move, (len(frame.points), 1))))
        bright = (middle >= FADES_HU) & (middle <= RANGE_HU[1])
        differ[k] = np.where(bright, (high - low) / np.maximum(middle, 1.0), 1.0)
    differ = ndimage.gaussian_filter1d(np.minimum(differ, 1.0), SMOOTH_MM / frame.step_mm, axis=1)
    weight = np.exp(-12.0 * (differ - differ.min(axis=0)))
    best = (weight[:, :, None] * moves[:, None]).sum(axis=0) / weight.sum(axis=0)[:, None]
    trust = np.clip(1.0 - differ.min(axis=0), 1e-3, 1.0)[:, None] ** 2
    sigma = SMOOTH_MM / frame.step_mm
    best = ndimage.gaussian_filter1d(best * trust, sigma, axis=0, mode="nearest")
    best /= ndimage.gaussian_filter1d(trust, sigma, axis=0, mode="nearest")
    return np.asarray(best)


def _plateaus(hu: IntArray, grid: Grid, frame: CanalFrame) -> FloatArray:
    """Quartiles (3, n) over the rays of the brightest plateau on each, HU."""
    theta, radii = directions()
    rays = sample_rays(hu, grid, frame, theta[::2], radii[radii <= CORE_MM])
    rays = ndimage.gaussian_filter1d(rays, 1.5, axis=0)
    width = round(PLATEAU_MM / STEP_MM) + 1
    plateau = ndimage.minimum_filter1d(rays, width, axis=2)[:, :, width // 2 : -(width // 2)].max(axis=2)
    return np.asarray(np.percentile(plateau, (25, 50, 75), axis=1))


def directions() -> tuple[FloatArray, FloatArray]:
    """Angles (m,) rad and radii (k,) mm at which rays around a course are sampled."""
    theta = -np.pi + 2 * np.pi * np.arange(ANGLES) / ANGLES
    return theta, np.arange(0.0, REACH_MM + STEP_MM / 2, STEP_MM)


def _in_grid(grid: Grid, points: FloatArray) -> BoolArray:
    index = grid.to_index(points)
    return np.asarray(((index >= -0.5) & (index <= np.array(grid.shape) - 0.5)).all(axis=1), bool)
