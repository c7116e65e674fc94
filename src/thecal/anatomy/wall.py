"""The canal's wall: where the way out from the canal's middle first meets bone.

In canal coordinates the wall is a radius over (s, theta). Each radius is paid for by the bone left inside
it and the softness just outside it; foramina, discs and the gaps between laminae cost the same everywhere,
so smoothness closes them; cement and metal count neither as bone nor as soft.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.canal import COURSE_SIGMA_MM, smooth_course
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.anatomy.rays import sample_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

ANGLES = 64
RADIUS_STEP_MM = 0.5
LARGEST_RADIUS_MM = 20.0
# Membership in bone rises from 0 to 1 between these; ligamentum flavum and disc lie below the first.
BONE_RAMP_HU = (110.0, 240.0)
SHELL_MM = 2.5
HIDDEN_SHELL = 0.8
# Across gaps the wall is expected where it stands nearby, or failing that farther along the canal.
NEAR_MM, FAR_MM = 12.0, 40.0
FAR_WEIGHT = 0.05
# What a step away from the expected wall costs, where no bone is seen and where cement stands before it.
PRIOR_PER_STEP = 0.2
HIDDEN_PRIOR_PER_STEP = 0.4
RECENTRINGS = 2
# No canal widens suddenly: beyond its median over so far either way by this much, the wall is doubted and
# pays for each step.
BULGE_REACH_MM = 35.0
BULGE_SHARE, BULGE_MM = 1.15, 1.0
BULGE_TRUST = 0.02
BULGE_PER_STEP = 1.0


def _wall_once(
    hu: IntArray, missing: BoolArray, grid: Grid, frame: CanalFrame, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Wall radius (n, m) mm, and whether bone was seen there (n, m) 0..1."""
    radius = np.arange(0.0, LARGEST_RADIUS_MM, RADIUS_STEP_MM)
    rays = sample_rays(hu, grid, frame, theta, radius)
    known = 1.0 - np.clip(sample_rays(missing.astype(np.float32), grid, frame, theta, radius), 0, 1)
    bone = np.clip((rays - BONE_RAMP_HU[0]) / (BONE_RAMP_HU[1] - BONE_RAMP_HU[0]), 0, 1)
    inside = np.cumsum(bone * known, axis=2) - bone * known
    shell = round(SHELL_MM / RADIUS_STEP_MM)
    # What is hidden counts nearly as soft: no wall is gained by running into cement.
    soft = np.cumsum((1 - bone) * known + HIDDEN_SHELL * (1 - known), axis=2)
    padded = np.concatenate([soft, np.repeat(soft[:, :, -1:], shell, axis=2)], axis=2)
    outside = padded[:, :, shell:] - soft
    seen = np.cumsum(bone * known, axis=2)
    hit = np.concatenate([seen, np.repeat(seen[:, :, -1:], shell, axis=2)], axis=2)[:, :, shell:] - seen
    cost = (inside + outside).astype(np.float32)
    # First pass: where bone is plain. Its smooth course per angle is then the weak prior across gaps.
    first = optimal_surface(cost, cyclic=True, linear=0.05, square=0.25)
    at = np.clip(np.rint(first), 0, len(radius) - 1).astype(int)
    certain = np.take_along_axis(hit, at[:, :, None], axis=2)[:, :, 0] / shell
    # A wall beyond something hidden may not be the first wall on its way: it counts for little.
    passed = np.cumsum(1 - known, axis=2) * RADIUS_STEP_MM
    behind = np.take_along_axis(passed, at[:, :, None], axis=2)[:, :, 0]
    shown = np.exp(-behind)
    # Marrow without a back wall, at the basivertebral vein or the scan's edge, is not canal.
    most = _widest(first * RADIUS_STEP_MM, frame.step_mm) / RADIUS_STEP_MM
    weight = np.clip(certain, 0.01, 1) * shown**2 * np.where(first > most, BULGE_TRUST, 1.0)
    top = np.zeros_like(weight)
    base = np.full_like(weight, 1e-9)
    for reach, share in ((NEAR_MM, 1.0), (FAR_MM, FAR_WEIGHT)):
        sigma = (reach / frame.step_mm, 2.0)
        top += share * ndimage.gaussian_filter(first * weight, sigma, mode=("nearest", "wrap"))
        base += share * ndimage.gaussian_filter(weight, sigma, mode=("nearest", "wrap"))
    expected = top / base
    steps = np.arange(len(radius))
    pull = PRIOR_PER_STEP * (1.2 - np.clip(certain, 0, 1)) + HIDDEN_PRIOR_PER_STEP * (1 - shown)
    prior = np.abs(steps[None, None, :] - expected[:, :, None]) * pull[:, :, None]
    prior += BULGE_PER_STEP * np.maximum(steps[None, None, :] - most[:, :, None], 0)
    second = optimal_surface((cost + prior).astype(np.float32), cyclic=True, linear=0.05, square=0.25)
    at = np.clip(np.rint(second), 0, len(radius) - 1).astype(int)
    certain = np.take_along_axis(hit, at[:, :, None], axis=2)[:, :, 0] / shell
    return second * RADIUS_STEP_MM, np.clip(certain, 0, 1)


def _widest(wall: FloatArray, step_mm: float) -> FloatArray:
    """Radius (n, m) mm that the wall hardly exceeds, from its median along the canal at each angle."""
    size = 2 * round(BULGE_REACH_MM / step_mm) + 1
    usual = ndimage.median_filter(wall, size=(size, 1), mode="reflect")
    widest: FloatArray = BULGE_SHARE * ndimage.gaussian_filter1d(usual, 2.0, axis=1, mode="wrap") + BULGE_MM
    return widest


def find_wall(
    hu: IntArray, missing: BoolArray, grid: Grid, frame: CanalFrame
) -> tuple[CanalFrame, FloatArray, FloatArray, FloatArray]:
    """The canal's wall along a course, with the course moved to the canal's middle.

    Parameters
    ----------
    hu : (z, y, x) int16
        HU on an even grid of about 1 mm.
    missing : (z, y, x) bool
        Cement, metal and what they blur: not to be read.
    grid : Grid
    frame : CanalFrame
        First estimate of the course.

    Returns
    -------
    frame : CanalFrame
    theta : (m,) rad
    wall : (n, m) mm
    seen : (n, m) 0..1
        How plainly bone stands at the wall; 0 across foramina, discs and cement.
    """
    theta = -np.pi + 2 * np.pi * np.arange(ANGLES) / ANGLES
    for _ in range(RECENTRINGS):
        wall, seen = _wall_once(hu, missing, grid, frame, theta)
        # The centroid of the sector areas, held to slow changes along the canal.
        outward = frame.outward(theta)
        area = np.maximum((wall**2).sum(axis=1), 1e-6)
        shift = (outward * (2 / 3 * wall**3)[:, :, None]).sum(axis=1) / area[:, None]
        # Where little of the wall is seen the course is carried over from where more is.
        trust = (seen > 0.3).mean(axis=1)[:, None] ** 2 + 1e-3
        sigma = COURSE_SIGMA_MM / frame.step_mm
        shift = ndimage.gaussian_filter1d(shift * trust, sigma, axis=0, mode="nearest")
        shift /= ndimage.gaussian_filter1d(trust, sigma, axis=0, mode="nearest")
        frame = CanalFrame.through(smooth_course(frame.points + shift, sigma))
    wall, seen = _wall_once(hu, missing, grid, frame, theta)
    smooth = ndimage.gaussian_filter(wall, (0.7, 0.7), mode=("nearest", "wrap"))
    return frame, theta, smooth, seen


def wall_at(
    frame: CanalFrame, theta: FloatArray, wall: FloatArray, s: FloatArray, angle: FloatArray
) -> FloatArray:
    """The radius of a surface r(s, theta) at given places, bilinear, (k,) mm."""
    row = (s - frame.s_mm[0]) / frame.step_mm
    column = (angle - theta[0]) / (2 * np.pi / len(theta))
    ring = np.concatenate([wall, wall[:, :1]], axis=1)
    radius: FloatArray = ndimage.map_coordinates(ring, [row, column % len(theta)], order=1, mode="nearest")
    return radius
