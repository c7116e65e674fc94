"""The compiled walks of rays through a volume, in index coordinates.

Rays are taken in tiles of the detector. Within a tile all walk along one axis of the volume, its main axis,
one plane or slab of voxels at a time and side by side, so that what one ray loads serves its neighbours, and
the arithmetic of many rays is one instruction. Where a ray enters and leaves the volume, the share of the
plane that lies inside weighs it; there is no branch in the inner loops.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

WIDE = 64
"""Columns of a tile: what fits the nearest cache with the loops' own arrays."""
TALL = 16
"""Rows of a tile."""
DEEP = 8
"""Planes that a tile's rows cross before the next planes are taken."""


@njit(parallel=True, cache=True, fastmath=True, error_model="numpy")
def by_planes(flat, size, source, along, along_mm, rows, columns):  # type: ignore[no-untyped-def]
    """Sums over planes with bilinear interpolation.

    ``flat`` float32 holds the volume in C order of shape ``size``; ``along`` has the ray to the first pixel
    and its change with row and column, ``along_mm`` the same in mm. Returns value times mm, (rows, columns).
    """
    out = np.zeros((rows, columns), np.float32)
    across = (columns + WIDE - 1) // WIDE
    tiles = across * ((rows + TALL - 1) // TALL)
    for tile in prange(tiles):
        _planes_of_tile(flat, size, source, along, along_mm, tile // across * TALL, tile % across * WIDE, out)
    return out


@njit(cache=True, fastmath=True, error_model="numpy")
def _planes_of_tile(flat, size, source, along, along_mm, i0, j0, out):  # type: ignore[no-untyped-def]
    high, wide = min(TALL, out.shape[0] - i0), min(WIDE, out.shape[1] - j0)
    main, a1, a2 = _axes(along, i0 + 0.5 * high, j0 + 0.5 * wide)
    step = _steps(size)
    lane = np.zeros((6, TALL, WIDE), np.float32)
    first, last = _enter(size, source, along, i0, j0, high, wide, main, a1, a2, lane)
    total = np.zeros((TALL, WIDE), np.float32)
    at = np.empty(WIDE, np.int32)
    f1, f2, share = np.empty(WIDE, np.float32), np.empty(WIDE, np.float32), np.empty(WIDE, np.float32)
    top1, top2 = np.float32(size[a1] - 1), np.float32(size[a2] - 1)
    most1, most2 = np.int32(max(size[a1] - 2, 0)), np.int32(max(size[a2] - 2, 0))
    d1, d2 = np.int32(step[a1]), np.int32(step[a2])
    # An axis of one voxel has no neighbour to interpolate with.
    n1 = np.uint64(step[a1] if size[a1] > 1 else 0)
    n2 = np.uint64(step[a2] if size[a2] > 1 else 0)
    half, one, nought = np.float32(0.5), np.float32(1), np.float32(0)
    for chunk in range(first, last + 1, DEEP):
        for i in range(high):
            u0, s1, v0, s2, near, far = (
                lane[0, i],
                lane[1, i],
                lane[2, i],
                lane[3, i],
                lane[4, i],
                lane[5, i],
            )
            sums = total[i]
            for k in range(chunk, min(chunk + DEEP, last + 1)):
                plane, base = np.float32(k), np.uint64(k * step[main])
                for w in range(WIDE):
                    u = min(max(u0[w] + plane * s1[w], nought), top1)
                    v = min(max(v0[w] + plane * s2[w], nought), top2)
                    iu, iv = min(np.int32(u), most1), min(np.int32(v), most2)
                    f1[w], f2[w] = u - np.float32(iu), v - np.float32(iv)
                    at[w] = iu * d1 + iv * d2
                    inside = min(plane + half, far[w]) - max(plane - half, near[w])
                    share[w] = min(max(inside, nought), one)
                for w in range(WIDE):
                    p = base + np.uint64(at[w])
                    here, beyond = flat[p], flat[p + n1]
                    here += (flat[p + n2] - here) * f2[w]
                    beyond += (flat[p + n1 + n2] - beyond) * f2[w]
                    sums[w] += (here + (beyond - here) * f1[w]) * share[w]
    for i in range(high):
        for w in range(wide):
            out[i0 + i, j0 + w] = total[i, w] * _plane_mm(along, along_mm, i0 + i, j0 + w, main)


@njit(cache=True, inline="always")
def _at(along, i, j, axis):  # type: ignore[no-untyped-def]
    return along[0, axis] + i * along[1, axis] + j * along[2, axis]


@njit(cache=True, inline="always")
def _plane_mm(along, along_mm, i, j, main):  # type: ignore[no-untyped-def]
    """Length of a ray from one plane to the next, mm."""
    x, y, z = _at(along_mm, i, j, 0), _at(along_mm, i, j, 1), _at(along_mm, i, j, 2)
    return np.sqrt(x * x + y * y + z * z) / abs(_at(along, i, j, main))


@njit(cache=True)
def _steps(size):  # type: ignore[no-untyped-def]
    return (size[1] * size[2], size[2], 1)


@njit(cache=True)
def _axes(along, i, j):  # type: ignore[no-untyped-def]
    """The axis along which the ray of a pixel runs furthest, then the other two, the slower first."""
    x0, x1, x2 = abs(_at(along, i, j, 0)), abs(_at(along, i, j, 1)), abs(_at(along, i, j, 2))
    if x0 >= x1 and x0 >= x2:
        return 0, 1, 2
    return (1, 0, 2) if x1 >= x2 else (2, 0, 1)


@njit(cache=True, error_model="numpy")
def _enter(size, source, along, i0, j0, high, wide, main, a1, a2, lane):  # type: ignore[no-untyped-def]
    """Fill a tile's lines and say the first and last plane that any of them meets.

    ``lane`` gets, for each ray, its place on plane 0 and change from plane to plane along ``a1`` and ``a2``,
    and where along ``main`` it enters and leaves the box of voxels; columns beyond ``wide`` enter nowhere.
    """
    first, last = size[main], -1
    for i in range(high):
        for w in range(lane.shape[2]):
            j = j0 + min(w, wide - 1)
            forward = _at(along, i0 + i, j, main)
            near, far = -0.5, size[main] - 0.5
            for n, axis in enumerate((a1, a2)):
                slope = _at(along, i0 + i, j, axis) / forward
                start = source[axis] - source[main] * slope
                lane[2 * n, i, w], lane[2 * n + 1, i, w] = start, slope
                if abs(slope) > 1e-9:
                    one, other = (-0.5 - start) / slope, (size[axis] - 0.5 - start) / slope
                    near, far = max(near, min(one, other)), min(far, max(one, other))
                elif start < -0.5 or start > size[axis] - 0.5:
                    far = near
            if w >= wide or far <= near:
                near = far = 0.0
            else:
                first = min(first, max(int(np.floor(near + 0.5)), 0))
                last = max(last, min(int(np.floor(far + 0.5)), size[main] - 1))
            lane[4, i, w], lane[5, i, w] = near, far
    return first, last


@njit(parallel=True, cache=True, fastmath=True, error_model="numpy")
def by_voxels(flat, size, source, along, along_mm, rows, columns):  # type: ignore[no-untyped-def]
    """Sums of the length within each voxel times its value; arguments and result as ``by_planes``.

    A ray less than 45 degrees from its main axis crosses, within a slab of voxels, at most one border along
    each of the other two: three voxels, of which some have no length. Where a tile holds steeper rays, slabs
    are cut in halves.
    """
    out = np.zeros((rows, columns), np.float32)
    across = (columns + WIDE - 1) // WIDE
    tiles = across * ((rows + TALL - 1) // TALL)
    for tile in prange(tiles):
        _voxels_of_tile(flat, size, source, along, along_mm, tile // across * TALL, tile % across * WIDE, out)
    return out


@njit(cache=True, fastmath=True, error_model="numpy")
def _voxels_of_tile(flat, size, source, along, along_mm, i0, j0, out):  # type: ignore[no-untyped-def]
    high, wide = min(TALL, out.shape[0] - i0), min(WIDE, out.shape[1] - j0)
    main, a1, a2 = _axes(along, i0 + 0.5 * high, j0 + 0.5 * wide)
    step = _steps(size)
    lane = np.zeros((6, TALL, WIDE), np.float32)
    first, last = _enter(size, source, along, i0, j0, high, wide, main, a1, a2, lane)
    parts = _parts(lane, high, wide)
    thick = np.float32(1.0 / parts)
    inverse = np.zeros((2, WIDE), np.float32)
    total = np.zeros((TALL, WIDE), np.float32)
    at = np.empty((3, WIDE), np.int32)
    long = np.empty((3, WIDE), np.float32)
    most1, most2 = np.int32(size[a1] - 1), np.int32(size[a2] - 1)
    d1, d2 = np.int32(step[a1]), np.int32(step[a2])
    half, tiny, nought = np.float32(0.5), np.float32(1e-6), np.int32(0)
    at0, at1, at2 = at[0], at[1], at[2]
    long0, long1, long2 = long[0], long[1], long[2]
    inverse1, inverse2 = inverse[0], inverse[1]
    for chunk in range(first, last + 1, DEEP):
        for i in range(high):
            u0, s1, v0, s2, near, far = (
                lane[0, i],
                lane[1, i],
                lane[2, i],
                lane[3, i],
                lane[4, i],
                lane[5, i],
            )
            sums = total[i]
            for w in range(WIDE):
                inverse1[w] = np.float32(1) / s1[w] if abs(s1[w]) > tiny else np.float32(0)
                inverse2[w] = np.float32(1) / s2[w] if abs(s2[w]) > tiny else np.float32(0)
            for kk in range(chunk * parts, min(chunk + DEEP, last + 1) * parts):
                k = kk // parts
                base = np.uint64(k * step[main])
                low = np.float32(k) - half + np.float32(kk - k * parts) * thick
                for w in range(WIDE):
                    start = max(low, near[w])
                    stop = max(min(low + thick, far[w]), start)
                    p, q = u0[w] + start * s1[w] + half, u0[w] + stop * s1[w] + half
                    r, s = v0[w] + start * s2[w] + half, v0[w] + stop * s2[w] + half
                    ip = min(max(np.int32(p), nought), most1)
                    iq = min(max(np.int32(q), nought), most1)
                    ir = min(max(np.int32(r), nought), most2)
                    js = min(max(np.int32(s), nought), most2)
                    cut1 = (np.float32(max(ip, iq)) - half - u0[w]) * inverse1[w]
                    cut2 = (np.float32(max(ir, js)) - half - v0[w]) * inverse2[w]
                    cut1 = min(max(cut1, start), stop) if ip != iq else stop
                    cut2 = min(max(cut2, start), stop) if ir != js else stop
                    early, late = min(cut1, cut2), max(cut1, cut2)
                    long0[w], long1[w], long2[w] = early - start, late - early, stop - late
                    at0[w] = ip * d1 + ir * d2
                    at1[w] = (iq * d1 + ir * d2) if cut1 < cut2 else (ip * d1 + js * d2)
                    at2[w] = iq * d1 + js * d2
                for w in range(WIDE):
                    sums[w] += (
                        flat[base + np.uint64(at0[w])] * long0[w]
                        + flat[base + np.uint64(at1[w])] * long1[w]
                        + flat[base + np.uint64(at2[w])] * long2[w]
                    )
    for i in range(high):
        for w in range(wide):
            out[i0 + i, j0 + w] = total[i, w] * _plane_mm(along, along_mm, i0 + i, j0 + w, main)


@njit(cache=True)
def _parts(lane, high, wide):  # type: ignore[no-untyped-def]
    """Into how many equal parts a slab is cut so that no ray of a tile crosses two borders in one."""
    steepest = 0.0
    for i in range(high):
        for w in range(wide):
            steepest = max(steepest, abs(lane[1, i, w]), abs(lane[3, i, w]))
    return max(int(np.ceil(steepest - 1e-6)), 1)


@njit(parallel=True, cache=True, fastmath=True, error_model="numpy")
def march(values, source, to_first, along_row, along_column, rows, columns, to_mm, step_mm):  # type: ignore[no-untyped-def]
    """Equal steps between voxel centres; ``to_mm`` turns an index step into mm. Returns value times mm."""
    out = np.zeros((rows, columns), np.float32)
    size = values.shape
    for i in prange(rows):
        for j in range(columns):
            ray = np.empty(3)
            for a in range(3):
                ray[a] = to_first[a] + i * along_column[a] + j * along_row[a]
            near, far = 0.0, 1.0
            for a in range(3):
                if abs(ray[a]) < 1e-12:
                    if source[a] < -0.5 or source[a] > size[a] - 0.5:
                        far = -1.0
                    continue
                t0 = (-0.5 - source[a]) / ray[a]
                t1 = (size[a] - 0.5 - source[a]) / ray[a]
                near = max(near, min(t0, t1))
                far = min(far, max(t0, t1))
            if far <= near:
                continue
            length = 0.0
            for a in range(3):
                mm = to_mm[a, 0] * ray[0] + to_mm[a, 1] * ray[1] + to_mm[a, 2] * ray[2]
                length += mm * mm
            length = np.sqrt(length)
            steps = max(int(np.ceil((far - near) * length / step_mm)), 1)
            dt = (far - near) / steps
            total = 0.0
            for k in range(steps):
                t = near + (k + 0.5) * dt
                z = min(max(source[0] + t * ray[0], 0.0), size[0] - 1.0)
                y = min(max(source[1] + t * ray[1], 0.0), size[1] - 1.0)
                x = min(max(source[2] + t * ray[2], 0.0), size[2] - 1.0)
                z0, y0, x0 = int(z), int(y), int(x)
                z1, y1, x1 = min(z0 + 1, size[0] - 1), min(y0 + 1, size[1] - 1), min(x0 + 1, size[2] - 1)
                fz, fy, fx = z - z0, y - y0, x - x0
                c00 = values[z0, y0, x0] * (1 - fx) + values[z0, y0, x1] * fx
                c01 = values[z0, y1, x0] * (1 - fx) + values[z0, y1, x1] * fx
                c10 = values[z1, y0, x0] * (1 - fx) + values[z1, y0, x1] * fx
                c11 = values[z1, y1, x0] * (1 - fx) + values[z1, y1, x1] * fx
                total += (c00 * (1 - fy) + c01 * fy) * (1 - fz) + (c10 * (1 - fy) + c11 * fy) * fz
            out[i, j] = total * dt * length
    return out
