"""Whether what was found looks like a spine at all: two like halves, and an arch of bone behind the canal.

A hip, a shoulder or a kidney may ring soft tissue with something bright too; what is said of such a
"canal" would be worse than silence.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from thecal.anatomy.working_grid import interpolate_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

# Below this a scan holds no spine: those of ../shared/data, with and without cement, reach 1.0; hips and
# flanks cut out of the same scans up to 0.62.
LEAST_LIKENESS = 0.65
# From the middle of the body to behind the arch, as wide as pedicles and joints: the aorta is not in it.
ACROSS_MM = np.arange(3.0, 24.1, 3.0)
ALONG_AP_MM = np.arange(-14.0, 26.1, 3.0)
TURNS = np.deg2rad([-24, -16, -8, 0, 8, 16, 24])
SHIFTS_MM = (-4.0, -2.0, 0.0, 2.0, 4.0)
# Bone against soft tissue; brighter still says nothing more of shape.
SHAPE_HU = (100, 400)
SMOOTHED_VOXELS = (5, 3, 3)
PLANE_STEP_MM = 2.0
PLANES_AVERAGED = 3
LEAST_PAIRS = 40
# Correlation of the halves, and the arch's HU, at which likeness begins and is whole.
SYMMETRY = (0.62, 0.74)
ARCH_HU = (160.0, 260.0)
ARCH_REACH_MM = np.arange(-1.0, 8.1, 1.0)


def spine_likeness(
    hu: IntArray,
    missing: BoolArray,
    grid: Grid,
    frame: CanalFrame,
    theta: FloatArray,
    wall: FloatArray,
) -> float:
    """How much a canal and what stands around it look like a spine, 0..1.

    The product of two: how well the bone around the canal equals its own mirror image (median along the
    canal, at the best turn up to 24 degrees and the best shift up to 4 mm), and how bright the arch behind
    the canal is (median over its posterior wall).

    Parameters
    ----------
    hu, missing : (z, y, x)
        On an even grid; missing voxels are not read.
    grid : Grid
    frame, theta, wall
        As ``find_wall`` returns them.

    Returns
    -------
    float
        0 where too little can be seen to tell.
    """
    known = (~missing).astype(np.int16)
    return _rise(_symmetry(hu, known, grid, frame), SYMMETRY) * _rise(
        _arch_hu(hu, known, grid, frame, theta, wall), ARCH_HU
    )


def _rise(value: float, limits: tuple[float, float]) -> float:
    return float(np.clip((value - limits[0]) / (limits[1] - limits[0]), 0.0, 1.0))


def _inside(grid: Grid, points: FloatArray) -> BoolArray:
    index = grid.to_index(points)
    return np.asarray(((index >= 0) & (index <= np.array(grid.shape) - 1)).all(axis=1), bool)


def _symmetry(hu: IntArray, known: IntArray, grid: Grid, frame: CanalFrame) -> float:
    """Median along the canal of the correlation between left and right."""
    rows = np.flatnonzero(_inside(grid, frame.points))[:: max(1, round(PLANE_STEP_MM / frame.step_mm))]
    rows = rows[: len(rows) // PLANES_AVERAGED * PLANES_AVERAGED]
    if len(rows) == 0:
        return 0.0
    # Noise and a millimetre of play between the halves say nothing of shape.
    clipped = ndimage.uniform_filter(np.clip(hu, *SHAPE_HU).astype(np.int16), SMOOTHED_VOXELS)
    inverse = np.linalg.inv(grid.affine)[:3, :3]
    best = np.full(len(rows) // PLANES_AVERAGED, -1.0)
    for turn in TURNS:
        left = np.cos(turn) * frame.left[rows] + np.sin(turn) * frame.posterior[rows]
        behind = np.cos(turn) * frame.posterior[rows] - np.sin(turn) * frame.left[rows]
        for shift in SHIFTS_MM:
            line = frame.points[rows] + shift * left
            start = line[:, None] + ALONG_AP_MM[:, None] * behind[:, None]
            origin = grid.to_index(start.reshape(-1, 3))
            halves: list[FloatArray] = []
            seen: list[BoolArray] = []
            for side in (1.0, -1.0):
                along = np.repeat((side * left) @ inverse.T, len(ALONG_AP_MM), axis=0)[:, None]
                values = interpolate_rays(clipped, origin, along, ACROSS_MM)
                weight = interpolate_rays(known, origin, along, ACROSS_MM) > 0.99
                shape = (-1, PLANES_AVERAGED, len(ALONG_AP_MM) * len(ACROSS_MM))
                halves.append(values.reshape(shape).mean(axis=1))
                seen.append(np.asarray(weight.reshape(shape).all(axis=1), bool))
            best = np.maximum(best, _correlation(halves[0], halves[1], np.logical_and(*seen)))
    told = best[best > -1.0]
    return float(np.median(told)) if len(told) else 0.0


def _correlation(a: FloatArray, b: FloatArray, seen: BoolArray) -> FloatArray:
    """Agreement of rows of a and b about their common mean; -1 where too few pairs are seen."""
    count = seen.sum(axis=1)
    mean = ((a + b) * seen).sum(axis=1) / np.maximum(2 * count, 1)
    x, y = (a - mean[:, None]) * seen, (b - mean[:, None]) * seen
    spread = 0.5 * (x**2 + y**2).sum(axis=1)
    agreement: FloatArray = np.where(
        (count >= LEAST_PAIRS) & (spread > 0), (x * y).sum(axis=1) / np.maximum(spread, 1e-6), -1.0
    )
    return agreement


def _arch_hu(
    hu: IntArray, known: IntArray, grid: Grid, frame: CanalFrame, theta: FloatArray, wall: FloatArray
) -> float:
    """Median over the posterior wall of the brightest HU just outside it."""
    rows = np.flatnonzero(_inside(grid, frame.points))
    behind = np.abs(theta) > np.deg2rad(95)
    if len(rows) == 0:
        return 0.0
    outward = frame.outward(theta[behind])[rows].reshape(-1, 3)
    start = np.repeat(frame.points[rows], int(behind.sum()), axis=0) + outward * wall[rows][
        :, behind
    ].reshape(-1, 1)
    inverse = np.linalg.inv(grid.affine)[:3, :3]
    along = (outward @ inverse.T)[:, None]
    origin = grid.to_index(start)
    values = interpolate_rays(hu, origin, along, ARCH_REACH_MM)
    seen = interpolate_rays(known, origin, along, ARCH_REACH_MM) > 0.99
    brightest = np.where(seen, values, -np.inf).max(axis=-1)
    told = brightest[np.isfinite(brightest)]
    return float(np.median(told)) if len(told) else 0.0
