"""The path through the slices that looks most like a canal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit, prange
from scipy import ndimage

from thecal.volume import BoolArray, FloatArray, IntArray

COARSE_MM = 1.5
RAYS = 24
RAY_REACH_MM = 17.0
SHORTEST_MEAN_RAY_MM = 4.0
BONE_HU = 180
SOFT_HU = (-150, 130)
# A slice whose best voxel scores below this is not canal; the path's ends lie where its sum would fall.
FLOOR = 0.6


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


def column_in_front(hu: IntArray) -> npt.NDArray[np.float32]:
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


def ring_score(bone: BoolArray, candidate: BoolArray) -> npt.NDArray[np.float32]:
    """How well bone rings each candidate, at every second row and column.

    Parameters
    ----------
    bone : (z, y, x) bool
        What ends a ray.
    candidate : (z, y, x) bool
        What the canal may hold.
    """
    ny, nx = (bone.shape[1] + 1) // 2, (bone.shape[2] + 1) // 2
    ring = np.full((bone.shape[0], ny, nx), -0.3, np.float32)
    _ring_score(bone, candidate, COARSE_MM, RAY_REACH_MM, RAYS, SHORTEST_MEAN_RAY_MM, ring)
    return ring


def best_path(hu: IntArray, ring: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.intp], FloatArray, float]:
    """The path through the slices that looks most like a canal.

    Parameters
    ----------
    hu : (z, y, x) int16
        On an even grid of ``COARSE_MM``.
    ring : (z, y // 2, x // 2) float32
        How well bone rings each voxel.

    Returns
    -------
    trail : (n, 3) int
        Caudal to cranial: slice, and every second row and column.
    ringed : (n,) float64
        How closed the ring of bone is at each of them.
    worth : float
        Sum over the path of its score above ``FLOOR``.
    """
    # 120 HU in front is trabecular bone or disc beside it; 20 HU is muscle, fat or bowel.
    column = np.clip((column_in_front(hu) - 70) / 50, -1.5, 1.0)
    flat = np.clip(ndimage.uniform_filter(hu, size=(5, 2, 2))[:, ::2, ::2], 100, 400).astype(np.float32)
    mirror = np.zeros_like(ring)
    _mirror_likeness(flat, ring, mirror)
    score = ring + 0.3 * column + np.minimum(mirror - 0.6, 0)
    total, came = _best_path(score.astype(np.float32), FLOOR, 0.05)
    z, y, x = (int(i) for i in np.unravel_index(int(total.argmax()), total.shape))
    worth = float(total[z, y, x])
    path = [(z, y, x)]
    while came[z, y, x] >= 0 and total[z, y, x] > 0:
        step = int(came[z, y, x])
        z, y, x = z - 1, y + step // 3 - 1, x + step % 3 - 1
        path.append((z, y, x))
    trail = np.array(path[::-1])
    ringed = ring[trail[:, 0], trail[:, 1], trail[:, 2]].astype(float)
    return trail, ringed, worth
