"""Contrast medium in the thecal sac: where it is, how bright, how far it reaches, and the scan without it.

At CT myelography CSF reads about 160 to 1500 HU, cord and roots stay dark. To whatever reads bone or cement
that is one more bright thing. It is therefore found first, along a course through the canal, its outer border
is drawn, and it is taken out of the scan: all that follows reads a plain CT. Only the outline of the sac is
read from the contrast itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.special import erfc

from thecal.anatomy.optimal_surface import optimal_surface
from thecal.anatomy.rays import sample_rays
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, Box, FloatArray, Grid, IntArray, Volume

RANGE_HU: Final = (160.0, 1600.0)
"""Myelographic CSF is 300 to 1500 HU (from memory, reference figures 3.2); below the first it is not told
from noise and ligament, and counts only beside brighter contrast."""
FADES_HU: Final = 90.0
LEAST_MM: Final = 20.0
"""Along less of the canal than this nothing is called contrast: drops of cement are as short."""
PLAIN_HU: Final = 20.0
"""What the sac reads on plain CT (CSF and roots, from memory), put in the place of contrast."""
FAT_FLOOR_HU: Final = -80.0
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
LIKE: Final = (0.7, 1.3)
"""HU that are taken for contrast, as shares of what it reads at that height."""
SOFT_COST: Final = 0.2
AFTER_DIP: Final = 0.4
"""Bright samples beyond a dip are a root's far side or bone beyond the dura: they count for so much."""
SHELL_MM: Final = 1.5
EDGE_WEIGHT: Final = 3.0
SEEN_DROP: Final = 0.25
"""The border is seen where HU falls outward by this share of the contrast's own brightness."""
DENSE_HU: Final = 1300.0
CEMENT_SHARE: Final = 1.3
"""Brighter than contrast by this, and than bone: cement, which hides the border."""
HIDDEN_MM: Final = 1.5
DURA_MM: Final = 0.7
"""As for the sac on plain CT: dura and what lies between it and bone."""
USUAL_CEMENT_HU: Final = 2000.0
CEMENT_FLOOR: Final = 1.25
LEAST_CEMENT_MM3: Final = 30.0
METAL_HU: Final = 7500.0

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Contrast:
    """Contrast medium in the sac.

    Attributes
    ----------
    points : (n, 3) float64
        Of the curve that it was found along, LPS mm, caudal to cranial.
    hu : (n,) float64
        What it reads at each; NaN where there is none.
    border_mm : (n, m) float64
        Radius of its outer border around the curve; NaN on planes without.
    seen : (n, m) float64
        0..1, how surely the border was seen there and not carried over.
    box : Box
        Part of the volume that holds it.
    plain_hu : (z, y, x) int16
        That part as if there were no contrast.
    """

    points: FloatArray
    hu: FloatArray
    border_mm: FloatArray
    seen: FloatArray
    box: Box
    plain_hu: IntArray

    def brightest_hu(self) -> float:
        """What it reads where it is densest, single planes left out."""
        return float(np.nanpercentile(self.hu, 90))


def without_contrast(volume: Volume, box: Box, contrast: Contrast | None) -> IntArray:
    """The HU of a part of the volume as if no contrast medium lay in the sac; a view where none does."""
    if contrast is None:
        return volume.hu[box]
    hu: IntArray = volume.hu[box].copy()
    low = [max(a.start, b.start) for a, b in zip(box, contrast.box, strict=True)]
    high = [min(a.stop, b.stop) for a, b in zip(box, contrast.box, strict=True)]
    if all(b > a for a, b in zip(low, high, strict=True)):
        here = tuple(slice(a - s.start, b - s.start) for a, b, s in zip(low, high, box, strict=True))
        there = tuple(
            slice(a - s.start, b - s.start) for a, b, s in zip(low, high, contrast.box, strict=True)
        )
        hu[here] = contrast.plain_hu[there]
    return hu


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


def _plateaus(hu: IntArray, grid: Grid, frame: CanalFrame) -> FloatArray:
    """Quartiles (3, n) over the rays of the brightest plateau on each, HU."""
    theta, radii = _directions()
    rays = sample_rays(hu, grid, frame, theta[::2], radii[radii <= CORE_MM])
    rays = ndimage.gaussian_filter1d(rays, 1.5, axis=0)
    width = round(PLATEAU_MM / STEP_MM) + 1
    plateau = ndimage.minimum_filter1d(rays, width, axis=2)[:, :, width // 2 : -(width // 2)].max(axis=2)
    return np.asarray(np.percentile(plateau, (25, 50, 75), axis=1))


def centred_in_contrast(hu: IntArray, grid: Grid, frame: CanalFrame) -> CanalFrame:
    """The course moved, by at most a few mm, to where contrast is alike in all directions.

    Where there is no contrast the shift is carried over from where there is.
    """
    return CanalFrame.through(_moved(frame, _to_centre(hu, grid, frame)).points)


def _moved(frame: CanalFrame, shift: FloatArray) -> CanalFrame:
    """The course with each point moved left and back (n, 2) mm within its plane."""
    return replace(frame, points=frame.points + shift[:, :1] * frame.left + shift[:, 1:] * frame.posterior)


def _to_centre(hu: IntArray, grid: Grid, frame: CanalFrame) -> FloatArray:
    """How far left and back of each point (n, 2), mm, the middle of the contrast lies."""
    SHIFTS_MM = (-4.0, -2.0, 0.0, 2.0, 4.0)
    SMOOTH_MM = 6.0
    moves = np.array([(x, y) for x in SHIFTS_MM for y in SHIFTS_MM])
    differ = np.empty((len(moves), len(frame.s_mm)))
    for k, move in enumerate(moves):
        low, middle, high = _plateaus(hu, grid, _moved(frame, np.tile(move, (len(frame.points), 1))))
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


def find_contrast(
    volume: Volume,
    frame: CanalFrame,
    theta: FloatArray | None = None,
    wall_mm: FloatArray | None = None,
    missing: BoolArray | None = None,
) -> Contrast | None:
    """Contrast medium in the sac along a course through the canal, or None where there is none.

    The outer border is the smooth surface r(s, theta) with most contrast within it and the plainest fall of
    HU across it; on each ray it is then moved to half-way between the contrast and what lies outside.
    Cement is missing data. Where the contrast meets bone as bright as itself no fall is seen, and the border
    is carried over from around.

    Parameters
    ----------
    volume : Volume
    frame : CanalFrame
        n points.
    theta : (m,) float64, optional
        Angles of the border, evenly spaced over the circle from -pi.
    wall_mm : (n, m) float64, optional
        Radius of the bony canal where it is known: the border keeps within.
    missing : (z, y, x) bool, optional
        Of the volume: cement and metal. Without it all that outshines contrast and bone is left out.
    """
    along = contrast_along(volume.hu, volume.grid, frame)
    if not np.isfinite(along).any():
        return None
    # The sac's middle is not the canal's.
    centred = contrast_along(volume.hu, volume.grid, _moved(frame, _to_centre(volume.hu, volume.grid, frame)))
    along = np.where(np.isfinite(centred), centred, along)
    filled = np.isfinite(along)
    even, radii = _directions()
    theta = even if theta is None else theta
    rays = sample_rays(volume.hu, volume.grid, frame, theta, radii)
    level = np.interp(np.arange(len(along)), np.flatnonzero(filled), along[filled])
    hidden: BoolArray = rays > np.maximum(DENSE_HU, CEMENT_SHARE * level)[:, None, None]
    if missing is not None:
        hidden = sample_rays(missing.view(np.uint8), volume.grid, frame, theta, radii, order=0) > 0.5
    size = (2 * round(HIDDEN_MM / frame.step_mm) + 1, 5, 2 * round(HIDDEN_MM / STEP_MM) + 1)
    hidden = ndimage.maximum_filter(hidden, size, mode=("nearest", "wrap", "nearest"))
    smooth = ndimage.gaussian_filter1d(rays, 1.0 / frame.step_mm, axis=0)
    border = _border(smooth, hidden, level, radii, frame, wall_mm)
    border, seen, sigma = _half_way(smooth, hidden, level, border, radii, frame, filled)
    if wall_mm is not None:
        border = np.minimum(border, np.maximum(wall_mm - DURA_MM, 0.5))
    local = _local_hu(rays, hidden, level, border, radii, frame)
    box = volume.grid.box_around(frame.points[filled], REACH_MM + 4.0)
    plain = _taken_out(volume, box, frame, theta, border, local, filled, sigma)
    border = np.where(filled[:, None], border, np.nan)
    hu = np.where(filled, local.mean(axis=1), np.nan)
    return Contrast(frame.points, hu, border, np.where(filled[:, None], seen, 0.0), box, plain)


def _directions() -> tuple[FloatArray, FloatArray]:
    theta = -np.pi + 2 * np.pi * np.arange(ANGLES) / ANGLES
    return theta, np.arange(0.0, REACH_MM + STEP_MM / 2, STEP_MM)


def _in_grid(grid: Grid, points: FloatArray) -> BoolArray:
    index = grid.to_index(points)
    return np.asarray(((index >= -0.5) & (index <= np.array(grid.shape) - 0.5)).all(axis=1), bool)


def _border(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
    wall_mm: FloatArray | None,
) -> FloatArray:
    """Radius (n, m) of the surface with most contrast inside and the plainest fall across it."""
    share = rays / level[:, None, None]
    like = np.clip(np.minimum((share - 0.5) / 0.2, (LIKE[1] + 0.2 - share) / 0.2), 0, 1)
    # A ray has passed a dip once it has been contrast and is no more.
    been = np.maximum.accumulate(like > 0.9, axis=2)
    dips = np.cumsum(np.diff((been & (like < 0.3)).astype(np.int8), axis=2, prepend=0) > 0, axis=2)
    weight = like * AFTER_DIP ** np.minimum(dips, 3)
    weight -= np.where(rays < -30.0, 1.0, np.where(like < 0.3, SOFT_COST, 0.0))
    weight -= np.clip((share - LIKE[1]) / 0.4, 0, 1)
    weight = np.where(hidden, 0.0, weight)
    gain = np.cumsum(weight, axis=2) - weight
    n = round(SHELL_MM / STEP_MM)
    padded = np.pad(share, ((0, 0), (0, 0), (n, n)), mode="edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (0, 0), (1, 0))), axis=2)
    size = share.shape[2]
    before = (total[..., n : n + size] - total[..., :size]) / n
    after = (total[..., 2 * n : 2 * n + size] - total[..., n : n + size]) / n
    drop = np.where(hidden, 0.0, np.clip(before - after, 0, 1) * np.clip(before, 0, 1))
    cost = -gain - EDGE_WEIGHT * drop
    if wall_mm is not None:
        cost += 2.0 * np.maximum(radii[None, None, :] - (wall_mm - DURA_MM)[:, :, None], 0) / STEP_MM
    surface = optimal_surface(cost.astype(np.float32), cyclic=True, linear=0.1, square=0.35)
    return surface * STEP_MM


def _half_way(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    border: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
    filled: BoolArray,
) -> tuple[FloatArray, FloatArray, float]:
    """The border half-way between contrast and what lies outside, how surely it is seen, and the blur, mm."""
    reach = 2.0
    offset = np.arange(-reach, reach + 0.01, 0.25)
    at = np.clip((border[:, :, None] + offset) / STEP_MM, 0, rays.shape[2] - 1)
    rows, columns = np.ogrid[: rays.shape[0], : rays.shape[1]]
    low = np.minimum(at.astype(int), rays.shape[2] - 2)
    part = at - low
    near = np.asarray(
        rays[rows[..., None], columns[..., None], low] * (1 - part)
        + rays[rows[..., None], columns[..., None], low + 1] * part
    )
    half = len(offset) // 2
    inner = np.minimum(near[:, :, : half + 1].max(axis=2), LIKE[1] * level[:, None])
    outer = near[:, :, half:].min(axis=2)
    middle = 0.5 * (inner + outer)
    # The outermost fall through the middle before the darkest place outside.
    darkest = half + near[:, :, half:].argmin(axis=2)
    above = (near >= middle[:, :, None]) & (np.arange(len(offset)) <= darkest[:, :, None])
    last = len(offset) - 1 - np.argmax(above[:, :, ::-1], axis=2)
    last = np.minimum(last, len(offset) - 2)
    here = np.take_along_axis(near, last[:, :, None], axis=2)[:, :, 0]
    beyond = np.take_along_axis(near, last[:, :, None] + 1, axis=2)[:, :, 0]
    fall = np.maximum(here - beyond, 1.0)
    crossing = border + offset[last] + 0.25 * np.clip((here - middle) / fall, 0, 1)
    index = np.clip(np.rint(border / STEP_MM), 0, len(radii) - 1).astype(int)
    covered = np.take_along_axis(hidden, index[:, :, None], axis=2)[:, :, 0]
    plain = above.any(axis=2) & ~covered & (inner > LIKE[0] * level[:, None]) & filled[:, None]
    plain &= inner - outer > SEEN_DROP * level[:, None]
    trust = np.where(plain, 1.0, np.where(covered, 0.001, 0.02))
    sigma = (2.0 / frame.step_mm, 8.0 / 360.0 * rays.shape[1])
    mode = ("nearest", "wrap")
    base = ndimage.gaussian_filter(trust, sigma, mode=mode)
    value = ndimage.gaussian_filter(trust * np.where(plain, crossing, border), sigma, mode=mode) / base
    seen = ndimage.gaussian_filter(plain.astype(float), sigma, mode=mode)
    steepest = -np.diff(near, axis=2).min(axis=2) / 0.25
    blur = (inner - outer)[plain] / (np.sqrt(2 * np.pi) * np.maximum(steepest[plain], 1.0))
    return value, seen, float(np.clip(np.median(blur), 0.4, 2.0)) if len(blur) else 0.8


def _local_hu(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    border: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
) -> FloatArray:
    """What contrast reads in each direction (n, m): it settles to the back of a patient on her back.

    Blur and roots only ever dim it, so the bright ones of the samples within the border speak for it.
    """
    inner = (radii[None, None, :] < border[:, :, None] - 0.7) & ~hidden
    share = rays / level[:, None, None]
    pure = inner & (share > LIKE[0]) & (share < LIKE[1])
    bright = np.array(
        [np.percentile(r[p], 80) if p.any() else at for r, p, at in zip(rays, pure, level, strict=True)]
    )
    bright = ndimage.median_filter(bright, 2 * round(5.0 / frame.step_mm) + 1, mode="nearest")
    share = rays / np.maximum(bright, 1.0)[:, None, None]
    pure = inner & (share > 0.85) & (share < LIKE[1])
    sigma = (3.0 / frame.step_mm, 15.0 / 360.0 * rays.shape[1])
    mode = ("nearest", "wrap")
    count = ndimage.gaussian_filter(pure.sum(axis=2).astype(float), sigma, mode=mode)
    total = ndimage.gaussian_filter(np.where(pure, rays, 0).sum(axis=2, dtype=float), sigma, mode=mode)
    local: FloatArray = np.where(count > 0.2, total / np.maximum(count, 0.2), bright[:, None])
    return local


def _taken_out(
    volume: Volume,
    box: Box,
    frame: CanalFrame,
    theta: FloatArray,
    border: FloatArray,
    local: FloatArray,
    filled: BoolArray,
    sigma_mm: float,
) -> IntArray:
    """The box's HU less what contrast adds: its blurred share of each voxel, times its brightness.

    Of a voxel that cement shares, the contrast fills only what the cement leaves.
    """
    hu = volume.hu[box].astype(np.float32)
    index = np.argwhere(np.ones(hu.shape, bool))
    points = volume.grid.crop(box).to_lps(index)
    s, angle, r = frame.locate(points)
    row = frame.index(s)
    column = np.rint((angle - theta[0]) / (2 * np.pi / len(theta))).astype(int) % len(theta)
    off = np.abs(((points - frame.points[row]) * frame.cranial[row]).sum(axis=1))
    share = 0.5 * erfc((r - border[row, column]) / (np.sqrt(2) * sigma_mm))
    share *= filled[row] & (off <= 1.5 * frame.step_mm)
    value, contrast = hu.ravel(), local[row, column]
    cement = _cement_hu(hu, float(volume.grid.voxel_mm3), float(np.nanmax(local[filled])))
    least = CEMENT_FLOOR * contrast
    dense = np.clip((value - least) / np.maximum(cement - least, 100.0), 0, 1)
    freed = value - share * np.maximum(contrast - PLAIN_HU, 0) * (1 - dense)
    floor = np.minimum(value, share * PLAIN_HU + (1 - share) * FAT_FLOOR_HU)
    plain = np.where(share > 0.01, np.maximum(freed, floor), value)
    return np.rint(plain).astype(np.int16).reshape(hu.shape)


def _cement_hu(hu: Samples, voxel_mm3: float, contrast_hu: float) -> float:
    """How bright a voxel full of cement is here; as usual where none is seen."""
    bright = hu[(hu > max(DENSE_HU, 1.5 * contrast_hu)) & (hu < METAL_HU)]
    if len(bright) * voxel_mm3 < LEAST_CEMENT_MM3:
        return USUAL_CEMENT_HU
    return max(float(np.percentile(bright, 75)), USUAL_CEMENT_HU)
