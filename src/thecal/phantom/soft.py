"""Soft tissues: the body's outline, muscles and organs, and the contents of the canal."""

# Compiled functions index arrays, which mypy takes for Any.
# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.volume import FloatArray

# HU at 120 kV. Sac 10-35, cord 30-45, fat -120..-60: from memory (no citable table was found).
CSF_HU, CORD_HU, ROOT_HU, FAT_HU, MUSCLE_HU, FLAVUM_HU = 12.0, 38.0, 34.0, -95.0, 52.0, 55.0
TILE = 64
TILE_MM = 0.55


@njit(cache=True, error_model="numpy")
def texture(x: float, y: float, z: float, tile: npt.NDArray[np.float32]) -> float:
    """Noise of the periodic block at a point, zero mean and unit deviation."""
    i = math.floor(z / TILE_MM) % TILE
    j = math.floor(y / TILE_MM) % TILE
    k = math.floor(x / TILE_MM) % TILE
    return tile[i, j, k]


@njit(cache=True, error_model="numpy")
def soft_hu(
    x: float,
    y: float,
    z: float,
    i: int,
    lat: float,
    back: float,
    rows: FloatArray,
    B: FloatArray,
    number: float,
    depth: float,
    wide: float,
    tile: npt.NDArray[np.float32],
) -> float:
    """Soft tissue outside spine and canal. B: patient numbers, see ``scene.py``."""
    cx, cy = rows[i, 0], rows[i, 1]
    px, py = x - B[0], y - B[1]
    e = math.sqrt((px / B[2]) ** 2 + (py / B[3]) ** 2)
    skin = (e - 1.0) * min(B[2], B[3])
    # flat back on the table
    skin = max(skin, y - B[4])
    rx, ry = x - cx, y - cy
    furrow = 5.0 * math.exp(-((rx / 9.0) ** 2))
    skin = max(skin, y - B[4] + furrow)
    if skin > 0:
        under = y - B[5]
        if 0 <= under < 2.5 or 32 < under < 34.5:
            return 120.0
        if 2.5 <= under <= 32:
            return -930.0
        return -1000.0
    if skin > -1.8:
        return 20.0
    ax, ay = rx - B[6], ry + rows[i, 13] + depth + B[7]
    r = math.hypot(ax, ay)
    if r < B[8]:
        if r > B[8] - 1.6:
            where = math.atan2(ay, ax) + 0.03 * z
            if math.sin(3.0 * where + 0.11 * z) + math.sin(0.23 * z + where) > B[10]:
                return 800.0
            return 45.0
        return B[9]
    if math.hypot((rx + 0.75 * wide + 6.0) / 12.0, (ay + 2.0) / 8.5) < 1.0:
        return 0.5 * B[9] + 25.0
    t = texture(x * 0.33, y * 0.33, z * 0.2, tile)
    # paraspinal muscle with fat between the bundles
    mx, my = abs(rx), ry - rows[i, 13]
    if my > -4.0:
        grow = 1.0 + 0.006 * max(0.0, number - 15.0)
        m1 = math.hypot((mx - 20.0) / (19.0 * grow), (my - 15.0) / (17.0 * grow))
        m2 = math.hypot((mx - 38.0) / (21.0 * grow), (my - 10.0) / (12.0 * grow))
        m = min(m1, m2)
        if m < 1.0 and skin < -6.0:
            if abs(m1 - 1.0) < 0.05 and m2 < 0.93:
                return -50.0
            return MUSCLE_HU + 9.0 * t - (60.0 * B[11] if t < -1.2 else 0.0)
        if skin > -22.0 or my > 12.0:
            return FAT_HU - 8.0 + 5.0 * t
    # psoas from L1 down
    if number > 19.4:
        size = min(1.0, 0.3 + 0.22 * (number - 19.4))
        if math.hypot((mx - wide - 15.0 * size) / (15.0 * size), (my + 14.0) / (19.0 * size)) < 1.0:
            return MUSCLE_HU + 7.0 * t
        if math.hypot((mx - 62.0) / 26.0, (my + 12.0) / 17.0) < 1.0 and number > 20.2:
            return MUSCLE_HU + 7.0 * t
    inner = math.sqrt((px / (B[2] - 24.0)) ** 2 + ((py + 4.0) / (B[3] - 22.0)) ** 2)
    if inner > 1.0:
        return MUSCLE_HU - 4.0 + 8.0 * t if inner < 1.11 else FAT_HU - 8.0 + 5.0 * t
    # lungs in the thorax: a dome that comes down behind
    if number < 18.9:
        lowest = 18.8 - 0.9 * math.hypot((mx - 55.0) / 55.0, (my + 25.0) / 55.0)
        if number < lowest and mx > wide * 0.62 + 6.0 and math.hypot(ax, ay) > B[8] + 5.0:
            return -860.0 + 30.0 * t
    if math.hypot(rx / (wide + 7.0), (my + 0.5 * depth + 18.0) / (0.5 * depth + 26.0)) < 1.0:
        return FAT_HU + 6.0 * t
    kidney = math.hypot((mx - 60.0) / 25.0, (my + 24.0) / 27.0)
    if kidney < 1.0 and 19.6 < number < 22.6:
        return 36.0 + 0.45 * B[9] + 8.0 * t if kidney > 0.45 else -20.0
    # liver to the right, spleen to the left; below them fat with loops of bowel
    down = max(0.0, number - 19.0)
    if math.hypot((rx + 86.0 + 12.0 * down) / 68.0, (my + 62.0) / 58.0) < 1.0 - 0.16 * down:
        return 62.0 + 5.0 * t
    if math.hypot((rx - 92.0) / 42.0, (my + 34.0) / 46.0) < 1.0 - 0.45 * down:
        return 56.0 + 5.0 * t
    loops = math.sin(0.13 * x + 1.7 * math.sin(0.07 * y + 0.05 * z))
    loops += math.sin(0.12 * y + 1.5 * math.sin(0.06 * z))
    if my < -44.0 and loops > 0.5:
        return -700.0 if loops > 1.75 and my < -60.0 else 34.0 + 8.0 * t
    return FAT_HU + 6.0 * t


@njit(cache=True, error_model="numpy")
def in_canal(i: int, lat: float, back: float, out: float, rows: FloatArray, t: float) -> tuple[int, float]:
    """Label and HU inside the canal: cord or roots in the sac, fat and veins around it."""
    sa, sb = rows[i, 15], rows[i, 16]
    by = back - rows[i, 17]
    e = math.hypot(lat / sa, by / sb)
    if e < 1.0:
        below = rows[i, 21]
        taper = 1.0 if below < -22.0 else max(0.0, -below / 22.0) ** 0.7
        if taper > 0.12 and math.hypot(lat / (rows[i, 18] * taper), by / (rows[i, 19] * taper)) < 1.0:
            return 60, CORD_HU
        if below > -25.0:
            # cauda: roots lie behind and to the sides, in pairs
            for k in range(6):
                angle = 0.55 + 0.42 * k
                rr = 0.72 if k % 2 == 0 else 0.50
                if (
                    math.hypot(abs(lat) - rr * sa * math.sin(angle), by + rr * sb * math.cos(angle + 0.25))
                    < 0.95
                ):
                    return 60, ROOT_HU
        return 60, CSF_HU + 3.0 * t
    if e < 1.0 + 0.5 / max(sa, 1.0):
        return 61, 25.0
    if back < -0.55 * rows[i, 13] and abs(lat) > 2.2 and abs(lat) < 0.62 * rows[i, 12]:
        return 61, 25.0
    if back > 0 and out > -1.3:
        return 61, FLAVUM_HU
    return 61, FAT_HU + 8.0 * t
