"""The canal's course: where soft tissue is ringed by bone, with a vertebral column in front of it.

From each soft voxel rays are cast in the axial plane; a canal is where most of them meet bone at like
lengths while trabecular bone or disc fills the space in front. A dynamic programme links such voxels
into the best path through the slices; it may begin and end anywhere, so it stops where the canal does.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.missing import DENSE_HU
from thecal.anatomy.working_grid import sample_volume
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.volume import FloatArray, Grid, IntArray, Volume, patient_grid

COARSE_MM = 1.5
RAYS = 24
RAY_REACH_MM = 17.0
SHORTEST_MEAN_RAY_MM = 4.0
BONE_HU = 180
SOFT_HU = (-150, 130)
# A slice whose best voxel scores below this is not canal; the path's ends lie where its sum would fall.
FLOOR = 0.6
SHORTEST_PATH_MM = 25.0
EDGE_SLICES = 4
# Planes normal to a tilted canal reach into the scan from beyond its edge.
PAST_EDGE_MM = 9.0
COURSE_SIGMA_MM = 10.0


@njit(cache=True, parallel=True)
def _ring_score(bone, candidate, spacing, reach, rays, shortest, score):  # type: ignore[no-untyped-def]
    """Share of rays that meet bone, less the spread of their lengths; every second voxel in the plane."""
    nz, ny, nx = bone.shape
    steps = int(reach / spacing)
    for z in prange(nz):
        lengths = np.empty(rays)
        for y in range(0, ny, 2):
            for x in range(0, nx, 2):
                if not candidate[z, y, x]:
                    continue
                hits = 0
                total = 0.0
                for a in range(rays):
                    lengths[a] = -1.0
                    dy = np.sin(2 * np.pi * a / rays)
                    dx = np.cos(2 * np.pi * a / rays)
                    for k in range(1, steps + 1):
                        yy = int(np.rint(y + dy * k))
                        xx = int(np.rint(x + dx * k))
                        if yy < 0 or xx < 0 or yy >= ny or xx >= nx:
                            break
                        if bone[z, yy, xx]:
                            lengths[a] = k * spacing
                            total += k * spacing
                            hits += 1
                            break
                if hits * 3 < rays:
                    continue
                mean = total / hits
                if mean < shortest:
                    continue
                spread = 0.0
                for a in range(rays):
                    if lengths[a] > 0:
                        spread += (lengths[a] - mean) ** 2
                score[z, y // 2, x // 2] = hits / rays - 0.5 * np.sqrt(spread / hits) / mean


@njit(cache=True)
def _best_path(score, floor, sideways):  # type: ignore[no-untyped-def]
    """Highest sum of (score - floor) over slices, moving at most one cell sideways a slice."""
    nz, ny, nx = score.shape
    total = np.zeros((nz, ny, nx), np.float32)
    came = np.full((nz, ny, nx), -1, np.int8)
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                best = 0.0
                if z > 0:
                    for j in range(-1, 2):
                        for i in range(-1, 2):
                            yy, xx = y + j, x + i
                            if yy < 0 or xx < 0 or yy >= ny or xx >= nx:
                                continue
                            t = total[z - 1, yy, xx] - sideways * (abs(i) + abs(j))
                            if t > best:
                                best = t
                                came[z, y, x] = (j + 1) * 3 + i + 1
                total[z, y, x] = max(0.0, best + score[z, y, x] - floor)
    return total, came


@njit(cache=True, parallel=True)
def _mirror_likeness(bone, ring, out):  # type: ignore[no-untyped-def]
    """Correlation of the bone around each ringed cell with its own mirror image, left against right.

    ``bone`` is HU clipped to bone's range on cells of 3 mm; the window is 54 mm wide and runs from 27 mm
    in front to 30 mm behind.
    """
    nz, ny, nx = ring.shape
    for z in prange(nz):
        for y in range(ny):
            for x in range(nx):
                if ring[z, y, x] < 0.3:
                    continue
                n = 0
                sa = sb = saa = sbb = sab = 0.0
                for j in range(-9, 11):
                    if y + j < 0 or y + j >= ny:
                        continue
                    for i in range(1, 10):
                        if x - i < 0 or x + i >= nx:
                            continue
                        a = bone[z, y + j, x - i]
                        b = bone[z, y + j, x + i]
                        n += 1
                        sa += a
                        sb += b
                        saa += a * a
                        sbb += b * b
                        sab += a * b
                if n < 20:
                    continue
                va = saa - sa * sa / n
                vb = sbb - sb * sb / n
                if va > 0 and vb > 0:
                    out[z, y, x] = (sab - sa * sb / n) / np.sqrt(va * vb)


def _column_in_front(hu: IntArray) -> npt.NDArray[np.float32]:
    """Mean clipped HU of the block where a vertebral body would lie, at every second voxel in the plane.

    The block is 24 mm wide, 15 mm deep, 24 mm high and starts 13 mm in front of the voxel.
    """
    clipped = np.clip(hu[:, ::2, ::2], -150, 350).astype(np.float32)
    cell = 2 * COARSE_MM
    mean = ndimage.uniform_filter(
        clipped, size=(round(24 / COARSE_MM), round(15 / cell), round(24 / cell)), mode="nearest"
    )
    shifted: npt.NDArray[np.float32] = np.full_like(mean, -150)
    back = round((13 + 7.5) / cell)
    shifted[:, back:] = mean[:, :-back]
    return shifted


def find_course(volume: Volume) -> tuple[CanalFrame, FloatArray, Grid]:
    """The canal's course through a volume.

    Parameters
    ----------
    volume : Volume

    Returns
    -------
    frame : CanalFrame
        Through the middle of the canal, 1 mm steps, caudal to cranial.
    score : (n,) float64
        0..1, how closed the ring of bone was at each point of the frame.
    coarse : Grid
        The even grid on which it was found.

    Raises
    ------
    SpineNotFound
        Where no path of 25 mm is ringed by bone.
    """
    coarse = patient_grid(volume.grid, COARSE_MM)
    hu = sample_volume(volume, coarse)
    # Dense voxels are cement or metal, neither bone nor soft: rays pass through them.
    bone = (hu > BONE_HU) & (hu < DENSE_HU)
    candidate = ((hu > SOFT_HU[0]) & (hu < SOFT_HU[1])) | (hu >= DENSE_HU)
    ny, nx = (coarse.shape[1] + 1) // 2, (coarse.shape[2] + 1) // 2
    ring = np.full((coarse.shape[0], ny, nx), -0.3, np.float32)
    _ring_score(bone, candidate, COARSE_MM, RAY_REACH_MM, RAYS, SHORTEST_MEAN_RAY_MM, ring)
    # 120 HU in front is trabecular bone or disc beside it; 20 HU is muscle, fat or bowel.
    column = np.clip((_column_in_front(hu) - 70) / 50, -1.5, 1.0)
    flat = np.clip(ndimage.uniform_filter(hu, size=(5, 2, 2))[:, ::2, ::2], 100, 400).astype(np.float32)
    mirror = np.zeros_like(ring)
    _mirror_likeness(flat, ring, mirror)
    score = ring + 0.3 * column + np.minimum(mirror - 0.6, 0)
    total, came = _best_path(score.astype(np.float32), FLOOR, 0.05)
    z, y, x = (int(i) for i in np.unravel_index(int(total.argmax()), total.shape))
    path = [(z, y, x)]
    while came[z, y, x] >= 0 and total[z, y, x] > 0:
        step = int(came[z, y, x])
        z, y, x = z - 1, y + step // 3 - 1, x + step % 3 - 1
        path.append((z, y, x))
    trail = np.array(path[::-1])
    if (len(trail) - 1) * COARSE_MM < SHORTEST_PATH_MM:
        raise SpineNotFound(
            "No spinal canal was found: nowhere over 25 mm is soft tissue ringed by bone behind a vertebral "
            "body."
        )
    along = ring[trail[:, 0], trail[:, 1], trail[:, 2]].astype(float)
    points = coarse.to_lps(trail * np.array([1, 2, 2]))
    low = trail[0, 0] <= EDGE_SLICES
    high = trail[-1, 0] >= coarse.shape[0] - 1 - EDGE_SLICES
    frame = CanalFrame.through(_run_on(points, low, high))
    nearest = cKDTree(points).query(frame.points)[1]
    return frame, np.clip(along[nearest], 0, 1), coarse


def smooth_course(points: FloatArray, sigma: float) -> FloatArray:
    """Smooth a path by a Gaussian of ``sigma`` points, its ends carried on by point reflection.

    The canal's middle wavers by a millimetre or two from pedicles to disc; normal planes that followed it
    would cross in the vertebral bodies.
    """
    reach = min(len(points) - 1, round(3 * sigma))
    padded = np.pad(points, ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    smooth: FloatArray = ndimage.gaussian_filter1d(padded, sigma, axis=0, mode="nearest")
    return smooth[reach : len(smooth) - reach]


def _run_on(points: FloatArray, low: bool, high: bool) -> FloatArray:
    """Carry a path on straight past the scan's edges, so that its normal planes cover the last slices."""
    smooth = smooth_course(points, COURSE_SIGMA_MM / COARSE_MM)
    steps = np.arange(1, round(PAST_EDGE_MM / COARSE_MM) + 1)[:, None]
    parts = [smooth]
    if low:
        parts.insert(0, smooth[0] - steps[::-1] * (smooth[1] - smooth[0]))
    if high:
        parts.append(smooth[-1] + steps * (smooth[-1] - smooth[-2]))
    return np.concatenate(parts)
