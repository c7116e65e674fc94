"""How much of the canal cement takes, plane by plane along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit
from scipy import ndimage

from thecal.anatomy.spine import Canal
from thecal.leakage.findings import CanalSection, WorstOcclusion
from thecal.leakage.levels import Levels
from thecal.volume import BoolArray, FloatArray, Grid

RADIAL_STEP_MM: Final = 0.25
ANGLES: Final = 144
RIM_MM: Final = 1.5
"""Canal cement this far beyond the wall still counts: labels are voxels, the wall is a smooth curve."""
CONFIDENCE_FLOOR: Final = 0.2
OUTSIDE_SCAN_ALLOWED: Final = 0.10
MIDLINE_MM: Final = 3.0
FREE_BELOW: Final = 0.5
METAL_REACH_MM: Final = 10.0
"""Metal this near to the wall streaks over the canal: a screw in a sound pedicle lies 2 to 8 mm off it."""


@dataclass(frozen=True, eq=False)
class Occlusion:
    """The canal's areas along it; NaN where the plane is ``outside`` the scan or could not be judged."""

    canal_mm2: FloatArray
    cement_mm2: FloatArray
    outside: BoolArray


def occlusion_along(
    canal: Canal,
    cement: npt.NDArray[np.float32],
    grid: Grid,
    scan: Grid,
    metal: BoolArray | None = None,
    hiding: BoolArray | None = None,
) -> Occlusion:
    """Canal and cement area on the plane normal to the canal at each of its points.

    On planes that pass metal near the canal, or on which contrast medium is as bright as cement, no cement is
    no finding: what was not seen there is NaN, not 0. What was seen stays.

    The canal's area is that inside ``canal.wall_mm``, ½∫r²dθ. The cement's area is the integral, r dr dθ in
    0.25 mm steps with trilinear sampling, of the cement given to the canal's two compartments, out to
    1.5 mm beyond that wall so that voxels the label map counts as canal are not lost; it is held to the
    canal's area. Cement given to bone, disc or foramen never counts, wherever the wall is drawn.

    Parameters
    ----------
    canal : Canal
        n points.
    cement : (z, y, x) float32
        Share of each voxel that is cement in the canal, on ``grid``.
    scan : Grid
        What was scanned; planes of which more than a tenth lies outside give NaN, as do planes where
        the canal's confidence is below 0.2.
    metal : (z, y, x) bool, optional
        Screws, rods and the like, on ``scan``.
    hiding : (n,) bool, optional
        Planes on which contrast medium hides cement.
    """
    theta, wall = _fine_wall(canal)
    step = 2 * np.pi / len(theta)
    canal_mm2 = 0.5 * (wall**2).sum(1) * step
    outward = canal.frame.outward(theta)
    inverse = np.linalg.inv(grid.affine)
    centre = canal.frame.points @ inverse[:3, :3].T + inverse[:3, 3]
    direction = outward @ inverse[:3, :3].T
    cement_mm2 = (
        polar_area(np.ascontiguousarray(cement), centre, direction, wall, RADIAL_STEP_MM, RIM_MM) * step
    )
    edge = scan.to_index(canal.frame.points[:, None, :] + outward * wall[:, :, None])
    lost = ((edge < -0.5) | (edge > np.array(scan.shape) - 0.5)).any(axis=2).mean(axis=1)
    outside = lost > OUTSIDE_SCAN_ALLOWED
    unsure = outside | ~(canal.confidence >= CONFIDENCE_FLOOR) | (canal_mm2 <= 0)
    canal_mm2 = np.where(unsure, np.nan, canal_mm2)
    cement_mm2 = np.where(unsure, np.nan, np.minimum(cement_mm2, canal_mm2))
    if metal is not None and metal.any():
        cement_mm2[passing_metal(canal, metal, scan) & ~(cement_mm2 > 0)] = np.nan
    if hiding is not None:
        cement_mm2[hiding & ~(cement_mm2 > 0)] = np.nan
    return Occlusion(canal_mm2, cement_mm2, outside)


def passing_metal(canal: Canal, metal: BoolArray, grid: Grid) -> BoolArray:
    """Planes of the canal, (n,), that meet metal within 10 mm of the canal's wall."""
    points = grid.to_lps(np.argwhere(metal))
    frame = canal.frame
    s, theta, r = frame.locate(points)
    at = frame.index(s)
    around = np.argmin(np.abs(np.angle(np.exp(1j * (theta[:, None] - canal.theta[None, :])))), axis=1)
    # Beyond the curve's ends the nearest plane does not meet the metal.
    off = np.abs(((points - frame.points[at]) * frame.cranial[at]).sum(1))
    half = 0.5 * max(float(grid.spacing_mm[0]), frame.step_mm)
    near = (r <= canal.wall_mm[at, around] + METAL_REACH_MM) & (off <= half + frame.step_mm)
    hit = np.zeros(len(frame.s_mm), bool)
    hit[at[near]] = True
    reach = max(1, round(half / frame.step_mm))
    met: BoolArray = ndimage.binary_dilation(hit, iterations=reach)
    return met


def sections(found: Occlusion, canal: Canal, levels: Levels) -> tuple[CanalSection, ...]:
    """The profile as the report has it: from the first plane that lies within the scan to the last."""
    index = levels.index_at(canal.frame.s_mm)
    within = np.flatnonzero(~found.outside)
    shown = slice(int(within[0]), int(within[-1]) + 1) if len(within) else slice(0, 0)
    return tuple(
        CanalSection(
            at_mm=float(s),
            level=levels.vertebrae[i].level if i >= 0 else None,
            canal_area_mm2=None if np.isnan(area) else float(area),
            cement_area_mm2=None if np.isnan(cement) else float(cement),
            vertebra_id=levels.vertebrae[i].id if i >= 0 else None,
        )
        for s, i, area, cement in zip(
            canal.frame.s_mm[shown],
            index[shown],
            found.canal_mm2[shown],
            found.cement_mm2[shown],
            strict=True,
        )
    )


def worst_plane(
    found: Occlusion, canal: Canal, levels: Levels, cement: npt.NDArray[np.float32], grid: Grid
) -> WorstOcclusion | None:
    """The plane where cement takes the largest share of the canal, or None without cement in the canal.

    The place is the maximum of the profile averaged over one slice's thickness; the fraction is the largest
    single plane within that thickness of it.

    ``residual_ap_mm`` is the longest stretch free of cement (less than half filled) between the front and
    the back wall on that plane, on the midline or on parallel lines up to 3 mm to either side of it.
    """
    share = found.cement_mm2 / found.canal_mm2
    if not (share > 0).any():
        return None
    window = max(1, 2 * round(float(grid.spacing_mm[0]) / canal.frame.step_mm / 2) + 1)
    if grid.spacing_mm[0] <= 1.5 * canal.frame.step_mm:
        window = 1
    held = np.nan_to_num(share)
    rough = int(np.argmax(ndimage.uniform_filter1d(held, window, mode="nearest")))
    half = window // 2
    start = max(0, rough - half)
    at = start + int(np.argmax(held[start : rough + half + 1]))
    s = float(canal.frame.s_mm[at])
    vertebra = levels.at(s)
    return WorstOcclusion(
        fraction=float(share[at]),
        cement_area_mm2=float(found.cement_mm2[at]),
        canal_area_mm2=float(found.canal_mm2[at]),
        residual_ap_mm=_residual_ap(canal, at, cement, grid),
        at_mm=s,
        level=vertebra.level if vertebra else None,
        vertebra_id=vertebra.id if vertebra else None,
    )


def _fine_wall(canal: Canal) -> tuple[FloatArray, FloatArray]:
    """The wall at evenly spaced angles, fine enough for the sum to be the integral."""
    theta = np.asarray(-np.pi + (np.arange(ANGLES) + 0.5) * (2 * np.pi / ANGLES), np.float64)
    around = np.concatenate([canal.theta - 2 * np.pi, canal.theta, canal.theta + 2 * np.pi])
    wall: FloatArray = np.stack([np.interp(theta, around, np.tile(row, 3)) for row in canal.wall_mm])
    return theta, wall


@njit(cache=True)
def _sample(field, z, y, x):  # type: ignore[no-untyped-def]
    """Trilinear, 0 outside."""
    i, j, k = int(np.floor(z)), int(np.floor(y)), int(np.floor(x))
    total = 0.0
    for a in range(2):
        for b in range(2):
            for c in range(2):
                p, q, r = i + a, j + b, k + c
                if 0 <= p < field.shape[0] and 0 <= q < field.shape[1] and 0 <= r < field.shape[2]:
                    weight = (1 - abs(z - p)) * (1 - abs(y - q)) * (1 - abs(x - r))
                    total += weight * field[p, q, r]
    return total


@njit(cache=True)
def polar_area(field, centre, direction, wall, radial, rim):  # type: ignore[no-untyped-def]
    """The sum over r dr at each angle; the caller multiplies by the angular step."""
    area = np.zeros(len(centre))
    for i in range(len(centre)):
        for j in range(wall.shape[1]):
            count = int(np.ceil((wall[i, j] + rim) / radial))
            width = (wall[i, j] + rim) / count
            for k in range(count):
                r = (k + 0.5) * width
                z = centre[i, 0] + r * direction[i, j, 0]
                y = centre[i, 1] + r * direction[i, j, 1]
                x = centre[i, 2] + r * direction[i, j, 2]
                if -1 < z < field.shape[0] and -1 < y < field.shape[1] and -1 < x < field.shape[2]:
                    area[i] += _sample(field, z, y, x) * r * width
    return area


def _residual_ap(canal: Canal, at: int, cement: npt.NDArray[np.float32], grid: Grid) -> float | None:
    step = 0.25
    along = np.arange(-25.0, 25.0 + step, step)
    offsets = np.arange(-MIDLINE_MM, MIDLINE_MM + 0.5, 0.5)
    left, posterior = np.meshgrid(offsets, along, indexing="ij")
    frame = canal.frame
    angle = np.arctan2(left, -posterior)
    around = np.concatenate([canal.theta - 2 * np.pi, canal.theta, canal.theta + 2 * np.pi])
    inside = np.hypot(left, posterior) <= np.interp(angle, around, np.tile(canal.wall_mm[at], 3))
    points = frame.points[at] + left[..., None] * frame.left[at] + posterior[..., None] * frame.posterior[at]
    filled = ndimage.map_coordinates(
        cement, np.moveaxis(grid.to_index(points), -1, 0), order=1, mode="constant", cval=0.0
    )
    free = inside & (filled < FREE_BELOW)
    if not inside.any():
        return None
    lines = inside.any(axis=1)
    # Each line is closed by a stop, so that runs never join across lines; the narrowest line counts.
    flat = np.pad(free[lines], ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(flat.ravel())
    line = np.flatnonzero(change == 1) // flat.shape[1]
    runs = np.flatnonzero(change == -1) - np.flatnonzero(change == 1)
    longest = np.zeros(len(flat), int)
    np.maximum.at(longest, line, runs)
    return float(longest.min()) * step
