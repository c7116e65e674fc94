"""What tissue lies at a point of the patient: HU, label and part, evaluated on any regular patient grid."""

# Compiled functions index arrays, which mypy takes for Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.phantom.bones import arch, body, ilium, outline, rib, sacrum
from thecal.phantom.soft import FAT_HU, in_canal, soft_hu, texture
from thecal.volume import FloatArray

# HU at 120 kV, from memory.
DISC_HU, LIGAMENT_HU = 78.0, 55.0


@njit(cache=True, error_model="numpy")
def _canal_place(
    x: float, y: float, z: float, rows: FloatArray, z0: float, of_z: FloatArray
) -> tuple[int, float, float]:
    """Nearest row of the canal, and the place across (left) and behind its axis."""
    k = int((z - z0) * 4.0)
    k = min(max(k, 0), len(of_z) - 1)
    i = int(of_z[k])
    for _ in range(2):
        along = (
            (x - rows[i, 0]) * rows[i, 9] + (y - rows[i, 1]) * rows[i, 10] + (z - rows[i, 2]) * rows[i, 11]
        )
        i = min(max(i + round(along * 4.0), 0), len(rows) - 1)
    dx, dy, dz = x - rows[i, 0], y - rows[i, 1], z - rows[i, 2]
    lat = dx * rows[i, 3] + dy * rows[i, 4] + dz * rows[i, 5]
    back = dx * rows[i, 6] + dy * rows[i, 7] + dz * rows[i, 8]
    return i, lat, back


@njit(cache=True, error_model="numpy")
def _rounded(x: float, y: float) -> float:
    """Radius of a superellipse of power 2.5, between an ellipse and a box."""
    x, y = abs(x), abs(y)
    return (x * x * math.sqrt(x) + y * y * math.sqrt(y)) ** 0.4


@njit(cache=True, error_model="numpy")
def _outside_tube(lat: float, back: float, a: float, b: float, narrow: float) -> float:
    """Radial distance outside the canal's cross-section, a rounded triangle-like superellipse."""
    r = math.sqrt(lat * lat + back * back)
    if r < 1e-6:
        return -min(a, b)
    if r > 2.0 * (a + b):
        return r - a - b
    pn = min(1.0, max(-1.0, back / b))
    wide = a * (1.0 - narrow * 0.5 * (pn + 1.0))
    f = _rounded(lat / wide, back / b)
    return r * (1.0 - 1.0 / f) if f > 0.15 else -0.85 * min(a, b)


@njit(cache=True, error_model="numpy")
def _half_rim(v: float, P: FloatArray) -> float:
    """Half the height of a body's rim, ``v`` in front of its posterior wall."""
    return 0.5 * (P[4] + (P[2] - P[4]) * min(1.0, max(0.0, v / P[1])))


@njit(cache=True, error_model="numpy")
def _bone_hu(
    d: float,
    is_body: bool,
    x: float,
    y: float,
    z: float,
    P: FloatArray,
    u: float,
    v: float,
    w: float,
    h: float,
    tile: npt.NDArray[np.float32],
) -> float:
    """HU of bone at depth d (negative inside), the shell's share of the sample of size h counted in."""
    sick = P[14] < 90.0
    if is_body:
        near_end = abs(w) > 0.36 * P[4]
        shell = 0.75 if near_end else 0.5
        if sick:
            shell *= 0.85
        dense = 950.0
        inner = P[14]
    else:
        shell, dense, inner = 1.25, 1050.0, P[14] + 190.0
    depth = -d
    share = min(1.0, max(0.0, (shell - depth) / h + 0.5))
    t = texture(x, y, z, tile)
    if is_body:
        vein = math.hypot(w, 0.35 * abs(u)) if v < 0.55 * P[1] else 9.0
        if vein < 1.7 and v < 0.5 * P[1] and depth > 0.0:
            inner = 0.35 * inner
            if v < 2.0 and math.hypot(u, w) < 2.3:
                share *= 0.15
        if P[16] > 0.0 or P[3] < 0.75 * P[4]:
            # impacted trabeculae below a broken endplate
            inner += 90.0 * math.exp(-(((w - 0.22 * P[4]) / 3.0) ** 2))
        inner += 34.0 * t * min(1.0, max(0.4, P[14] / 110.0))
    else:
        inner += 60.0 * t
    return dense * share + inner * (1.0 - share)


@njit(cache=True, error_model="numpy")
def _sample(
    x: float,
    y: float,
    z: float,
    h: float,
    rows: FloatArray,
    z0: float,
    of_z: FloatArray,
    frames: FloatArray,
    V: FloatArray,
    near: npt.NDArray[np.int64],
    closest: int,
    B: FloatArray,
    tile: npt.NDArray[np.float32],
) -> tuple[float, int, int]:
    """(HU, label, part) at one point; ``near`` says which bones and discs can lie there, by bits."""
    i, lat, back = _canal_place(x, y, z, rows, z0, of_z)
    out = _outside_tube(lat, back, rows[i, 12], rows[i, 13], rows[i, 14])
    best, second = 1e3, 1e3
    who, is_body, kind = -1, False, 0
    bu, bv, bw = 0.0, 0.0, 0.0
    any_disc = False
    for n in range(len(V)):
        bits = near[n]
        if bits >= 4:
            any_disc = True
        if bits & 3 == 0:
            continue
        dx, dy, dz = x - frames[n, 0], y - frames[n, 1], z - frames[n, 2]
        w = dx * frames[n, 9] + dy * frames[n, 10] + dz * frames[n, 11]
        u = dx * frames[n, 3] + dy * frames[n, 4] + dz * frames[n, 5]
        v = dx * frames[n, 6] + dy * frames[n, 7] + dz * frames[n, 8]
        P = V[n]
        bone = P[18] > 0.5
        if bits & 1:
            if bone:
                d = sacrum(u, v, w, out, back, P)
                front = v > 0 and abs(u) < P[0] and w > -0.5 * P[4]
            else:
                db = body(u, v, w, P)
                da = arch(u, v, w, out, lat, back, P)
                d = min(da, db)
                front = db < 0 or db < da
            if d < best:
                second, best, who, is_body, kind, bu, bv, bw = best, d, n, front, 0, u, v, w
            elif d < second:
                second = d
        if bits & 2:
            d = ilium(u, v, w) if bone else rib(u, v, w, P)
            if d < best:
                second, best, who, is_body, kind, bu, bv, bw = best, d, n, False, 1, u, v, w
            elif d < second:
                second = d
    dx, dy, dz = x - frames[closest, 0], y - frames[closest, 1], z - frames[closest, 2]
    cv = dx * frames[closest, 6] + dy * frames[closest, 7] + dz * frames[closest, 8]
    t = texture(x, y, z, tile)
    # joints: two bones never touch, cartilage 1.4 mm lies between
    d = max(best, best - second + 1.4)
    if d < 0.5 * h and who >= 0:
        bone = _bone_hu(min(d, 0.0), is_body, x, y, z, V[who], bu, bv, bw, h, tile)
        label = 0
        part = 0
        if d < 0:
            if kind == 0:
                label = int(V[who, 17])
                part = 1 if is_body else 2
            share = min(1.0, 0.5 - d / h)
            if share >= 1.0:
                return bone, label, part
        else:
            share = 0.5 - d / h
        if label > 0 or share > 0.5:
            around = 45.0
            return bone * share + around * (1.0 - share), label, part
    if out < 0.0:
        label, hu = in_canal(i, lat, back, out, rows, t)
        return hu, label, 0
    if best < 3.0 and second < 3.0 and best - second + 1.4 > -1e-9 and best < 0.0:
        return 90.0, 0, 0
    # discs: between the endplates of neighbours, inside both outlines
    for n in range(len(V) - 1 if any_disc else 0):
        if near[n + 1] < 4:
            continue
        dx, dy, dz = x - frames[n + 1, 0], y - frames[n + 1, 1], z - frames[n + 1, 2]
        w = dx * frames[n + 1, 9] + dy * frames[n + 1, 10] + dz * frames[n + 1, 11]
        if w > 0.0 or w < -40.0:
            continue
        u = dx * frames[n + 1, 3] + dy * frames[n + 1, 4] + dz * frames[n + 1, 5]
        v = dx * frames[n + 1, 6] + dy * frames[n + 1, 7] + dz * frames[n + 1, 8]
        f = outline(u, v, -0.5 * V[n + 1, 4], V[n + 1])
        # Beside the waist of a body is no disc, though it lies within the endplate's outline.
        if f > 1.02 or (w > 0.8 - _half_rim(v, V[n + 1]) and outline(u, v, w, V[n + 1]) > 0.97):
            continue
        dx, dy, dz = x - frames[n, 0], y - frames[n, 1], z - frames[n, 2]
        w2 = dx * frames[n, 9] + dy * frames[n, 10] + dz * frames[n, 11]
        if w2 < 0.0:
            continue
        u2 = dx * frames[n, 3] + dy * frames[n, 4] + dz * frames[n, 5]
        v2 = dx * frames[n, 6] + dy * frames[n, 7] + dz * frames[n, 8]
        f2 = outline(u2, v2, 0.5 * V[n, 4], V[n])
        if w2 < _half_rim(v2, V[n]) - 0.8 and outline(u2, v2, w2, V[n]) > 0.97:
            continue
        if 0.5 * (f + f2) < 1.03:
            return DISC_HU + (22.0 if f > 0.8 else 0.0) + 5.0 * t, 100 + int(V[n + 1, 17]), 0
    # foramen: beside the canal, between the pedicles
    if V[closest, 18] < 0.5 and abs(lat) < 45.0 and abs(back) < 45.0:
        P = V[closest]
        corridor = rows[i, 12] + 2.0 * P[7] + 1.5
        if abs(lat) < corridor and abs(back) < rows[i, 13] + 0.5 and cv < 2.5 and out < 2.0 * P[7] + 3.0:
            for n in range(len(V)):
                dx, dy, dz = x - frames[n, 0], y - frames[n, 1], z - frames[n, 2]
                w = dx * frames[n, 9] + dy * frames[n, 10] + dz * frames[n, 11]
                Q = V[n]
                under = 0.5 * Q[4] - 2.0 * Q[8] - 0.6 - 4.2
                if abs(w - under) < 4.0:
                    u = dx * frames[n, 3] + dy * frames[n, 4] + dz * frames[n, 5]
                    v = dx * frames[n, 6] + dy * frames[n, 7] + dz * frames[n, 8]
                    if math.hypot(v + 0.45 * Q[6], w - under + 0.3 * (abs(u) - Q[5] - Q[7])) < 2.7:
                        return 40.0, 0, 3
            return FAT_HU + 10.0 * t, 0, 3
        # interlaminar and interspinous ligament
        if back > rows[i, 13] - 1.0 and out < 4.0 and abs(lat) < rows[i, 12]:
            return LIGAMENT_HU, 0, 0
        if abs(lat) < 3.0 and back > 0 and back < rows[i, 13] + 26.0:
            return 20.0 + 20.0 * t, 0, 0
    return soft_hu(x, y, z, i, lat, back, rows, B, rows[i, 20], V[closest, 1], V[closest, 0], tile), 0, 0


@njit(cache=True, error_model="numpy")
def _neighbours(
    x: float,
    y: float,
    z: float,
    reach: float,
    rows: FloatArray,
    z0: float,
    of_z: FloatArray,
    frames: FloatArray,
    V: FloatArray,
    near: npt.NDArray[np.int64],
) -> tuple[int, bool]:
    """Mark the bones (1 vertebra, 2 rib or ilium) and discs (4) within reach.

    Returns the vertebra at this height, and whether only soft tissue far from the canal lies here.
    """
    i, lat, back = _canal_place(x, y, z, rows, z0, of_z)
    out = _outside_tube(lat, back, rows[i, 12], rows[i, 13], rows[i, 14])
    closest, least, touched = 0, 1e9, False
    for n in range(len(V)):
        near[n] = 0
        dx, dy, dz = x - frames[n, 0], y - frames[n, 1], z - frames[n, 2]
        w = dx * frames[n, 9] + dy * frames[n, 10] + dz * frames[n, 11]
        if abs(w) < least:
            closest, least = n, abs(w)
        if abs(w) > 125.0:
            continue
        u = dx * frames[n, 3] + dy * frames[n, 4] + dz * frames[n, 5]
        v = dx * frames[n, 6] + dy * frames[n, 7] + dz * frames[n, 8]
        P = V[n]
        if P[18] > 0.5:
            if sacrum(u, v, w, out, back, P) < reach:
                near[n] |= 1
            if ilium(u, v, w) < reach:
                near[n] |= 2
            touched = touched or near[n] > 0
            continue
        if body(u, v, w, P) < reach or arch(u, v, w, out, lat, back, P) < reach:
            near[n] |= 1
        if rib(u, v, w, P) < reach:
            near[n] |= 2
        if -0.5 * max(P[2], P[4]) - 22.0 < w < 0 and abs(u) < P[0] + 10.0 and -8.0 < v < P[1] + 10.0:
            near[n] |= 4
        touched = touched or near[n] > 0
    return closest, not touched and out > 14.0


@njit(nogil=True, cache=True, error_model="numpy")
def evaluate(
    origin: FloatArray,
    step: FloatArray,
    hu: npt.NDArray[np.int16],
    labels: npt.NDArray[np.uint16],
    parts: npt.NDArray[np.uint8],
    rows: FloatArray,
    z0: float,
    of_z: FloatArray,
    frames: FloatArray,
    V: FloatArray,
    B: FloatArray,
    tile: npt.NDArray[np.float32],
) -> None:
    """Fill a grid whose axes are the patient's: voxel (k, j, i) lies at origin (x, y, z) + step * (i, j, k).

    It frees the interpreter's lock, so slabs of one volume may be filled by several threads.
    """
    nz, ny, nx = hu.shape
    block = 4
    half = 0.5 * (block - 1)
    diagonal = half * math.sqrt(step[0] ** 2 + step[1] ** 2 + step[2] ** 2)
    finest = min(step[0], step[1], step[2])
    h = (step[0] * step[1] * step[2]) ** (1.0 / 3.0)
    for kb in range((nz + block - 1) // block):
        k0 = kb * block
        zc = origin[2] + step[2] * (k0 + half)
        near = np.zeros(len(V), np.int64)
        for j0 in range(0, ny, block):
            yc = origin[1] + step[1] * (j0 + half)
            for i0 in range(0, nx, block):
                xc = origin[0] + step[0] * (i0 + half)
                closest, plain = _neighbours(
                    xc, yc, zc, 1.6 * diagonal + 1.5, rows, z0, of_z, frames, V, near
                )
                # Soft tissue away from the spine is smooth: one sample for eight fine voxels.
                skip = 2 if plain and finest < 0.55 else 1
                for k in range(k0, min(k0 + block, nz), skip):
                    for j in range(j0, min(j0 + block, ny), skip):
                        for i in range(i0, min(i0 + block, nx), skip):
                            a, b, c = _sample(
                                origin[0] + step[0] * i,
                                origin[1] + step[1] * j,
                                origin[2] + step[2] * k,
                                h,
                                rows,
                                z0,
                                of_z,
                                frames,
                                V,
                                near,
                                closest,
                                B,
                                tile,
                            )
                            if skip == 1:
                                hu[k, j, i] = np.int16(round(a))
                                labels[k, j, i] = b
                                parts[k, j, i] = c
                            else:
                                hu[k : k + 2, j : j + 2, i : i + 2] = np.int16(round(a))
                                labels[k : k + 2, j : j + 2, i : i + 2] = b
                                parts[k : k + 2, j : j + 2, i : i + 2] = c
