"""How much a sample looks like the middle of a needle's way on its plane: cement, or a hole with a wall."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.leakage.tracks.block import STEP_MM, FloatImage
from thecal.volume import FloatArray

MIDDLE_MM: Final = 0.75
"""The middle of a way of 2.4 mm that its wall blurs into least."""
WALL_MM: Final = (2.0, 2.7, 3.4)
"""Where the wall of a way 2.4 to 3.4 mm wide is looked for: the brightest of the three counts."""
ROUND_MM: Final = 3.4
"""So far from its middle a cement-filled way is over."""
DIRECTIONS: Final = 8
BRIGHTEST_HU: Final = 600.0
"""Cortex counts no more than this, or the rims would outweigh the way's own length."""
CEMENT_SHARE: Final = 0.1
CEMENT_HU: Final = 5000.0
"""Stands for cement: what is interpolated from it is brighter than any bone."""
FEWEST_SEEN: Final = 5
TOO_BRIGHT_HU: Final = 220.0
"""A sample of a narrow way, with noise and what its wall blurs into it, is no brighter."""
AIR_HU: Final = -150.0
"""Darker than fat: gas, also where a narrow way is blurred."""
FAT_HU: Final = -30.0
"""An empty way holds blood and soft tissue. Darker, and no gas, is fat: between laminae, beside the sac."""
GAS_DEPTH: Final = 1.2
"""The greatest depth: gas in anything but lung."""
LEAST_ROUND_AIR_HU: Final = 30.0
"""Marrow and muscle round a way full of gas; lung and fat are darker."""
LEAST_WALL_HU: Final = 60.0
"""The thinnest spongy bone in which a hole full of blood is told from it."""


def hole_spots(
    hu: FloatImage, cement: FloatImage, side: int
) -> tuple[FloatImage, FloatImage, npt.NDArray[np.bool_]]:
    """Depth of a hole at each sample as a share of its wall, the wall's HU, and whether it is a tunnel.

    The depth is (wall - middle) / wall: about 0 in bone, 1 for a way that holds soft tissue (0 HU), more for
    air, and 0 by definition where the wall is below 60 HU, outside bone; the wall is the mean of
    the lower half of eight directions, so that a groove between two ridges is no hole, or of the lowest
    three of the five that are not medial, since a way through the medial wall lies open to the canal.
    Fat is no hole. Gas counts with any wall that is not gas or fat itself.

    Cement is no wall: what it hides is unknown. Directions in which it lies are left out of the eight, and
    with fewer than five left the depth is NaN, as it is within cement. A tunnel has a wall in all directions
    but one at most: a groove, as the canal's own recess is one, lies open at both its ends.

    Parameters
    ----------
    hu, cement : (k, j, i) float32
        HU and share of cement.
    side : int
        1 left, -1 right: where medial lies.
    """
    coded = np.where(cement > CEMENT_SHARE, np.float32(CEMENT_HU), np.minimum(hu, np.float32(BRIGHTEST_HU)))
    depth, wall, tunnel = _holes(coded, _ring(MIDDLE_MM), _rings(WALL_MM), np.float32(LEAST_WALL_HU), side)
    return depth, wall, tunnel


def cement_spots(cement: FloatImage) -> FloatImage:
    """Share of cement at each sample less that of its surroundings: 1 in a slender cast, 0 in a wide one."""
    spots: FloatImage = _casts(cement, _ring(MIDDLE_MM), _ring(ROUND_MM))
    return spots


def _ring(radius_mm: float) -> FloatArray:
    angle = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    return np.stack([np.sin(angle), np.cos(angle)], axis=1) * (radius_mm / STEP_MM)


def _rings(radii_mm: tuple[float, ...]) -> FloatArray:
    return np.stack([_ring(r) for r in radii_mm])


@njit(cache=True)
def _at(image, k, row, column):  # type: ignore[no-untyped-def]
    j = min(max(int(np.floor(row)), 0), image.shape[1] - 2)
    i = min(max(int(np.floor(column)), 0), image.shape[2] - 2)
    v = min(max(row - j, 0.0), 1.0)
    u = min(max(column - i, 0.0), 1.0)
    return (
        image[k, j, i] * (1 - v) * (1 - u)
        + image[k, j, i + 1] * (1 - v) * u
        + image[k, j + 1, i] * v * (1 - u)
        + image[k, j + 1, i + 1] * v * u
    )


@njit(cache=True, parallel=True)
def _holes(hu, middle, rings, least, side):  # type: ignore[no-untyped-def]
    count, height, width = hu.shape
    depth = np.zeros(hu.shape, np.float32)
    walls = np.zeros(hu.shape, np.float32)
    tunnel = np.zeros(hu.shape, np.bool_)
    quarter = len(middle) // 4
    reach = round(WALL_MM[1] / STEP_MM)
    for k in prange(count):
        around = np.empty(middle.shape[0])
        closed = np.empty(len(middle) // 2 + 1)
        for j in range(height):
            for i in range(width):
                # Cortex and trabeculae are no hole, and lung is not even the rim of one.
                if hu[k, j, i] > BRIGHTEST_HU:
                    depth[k, j, i] = np.nan
                    continue
                if hu[k, j, i] > TOO_BRIGHT_HU:
                    continue
                bony = 0
                for d in range(4):
                    a, b = j + reach * (d - 1) * (d % 2 == 0), i + reach * (d - 2) * (d % 2 == 1)
                    a, b = min(max(a, 0), height - 1), min(max(b, 0), width - 1)
                    bony += hu[k, a, b] > LEAST_ROUND_AIR_HU
                if bony < 2:
                    continue
                inner, share = 2.0 * hu[k, j, i], 2.0
                for d in range(len(middle)):
                    value = _at(hu, k, j + middle[d, 0], i + middle[d, 1])
                    if value <= BRIGHTEST_HU:
                        inner += value
                        share += 1.0
                inner /= share
                seen = 0
                for d in range(len(middle)):
                    top = -2000.0
                    for r in range(len(rings)):
                        top = max(top, _at(hu, k, j + rings[r, d, 0], i + rings[r, d, 1]))
                    around[d] = top
                    seen += top <= BRIGHTEST_HU
                if seen < FEWEST_SEEN:
                    depth[k, j, i] = np.nan
                    continue
                # Directions run from lateral or medial (column + or -) round; those that are not medial.
                for d in range(len(closed)):
                    closed[d] = around[(d + (len(around) - 2 if side > 0 else 2)) % len(around)]
                around.sort()
                closed.sort()
                # Cement sorts last.
                wall, shut = 0.0, 0.0
                for d in range(seen // 2):
                    wall += around[d] / (seen // 2)
                if closed[2] <= BRIGHTEST_HU:
                    shut = (closed[0] + closed[1] + closed[2]) / 3.0
                wall = max(wall, shut)
                walls[k, j, i] = wall
                tunnel[k, j, i] = around[1] >= least
                gas = inner < AIR_HU and around[quarter] > LEAST_ROUND_AIR_HU
                if wall < least and not gas:
                    continue
                if gas:
                    depth[k, j, i] = GAS_DEPTH
                    continue
                if inner < FAT_HU:
                    continue
                value = (wall - inner) / wall
                depth[k, j, i] = min(max(value, -0.5), GAS_DEPTH)
    return depth, walls, tunnel


@njit(cache=True)
def _casts(cement, middle, outer):  # type: ignore[no-untyped-def]
    count, height, width = cement.shape
    spots = np.zeros(cement.shape, np.float32)
    around = np.empty(outer.shape[0])
    for k in range(count):
        if cement[k].max() <= 0.0:
            continue
        for j in range(height):
            for i in range(width):
                inner = 2.0 * cement[k, j, i]
                for d in range(len(middle)):
                    inner += _at(cement, k, j + middle[d, 0], i + middle[d, 1])
                inner /= len(middle) + 2.0
                if inner <= 0.05:
                    continue
                for d in range(len(outer)):
                    around[d] = _at(cement, k, j + outer[d, 0], i + outer[d, 1])
                around.sort()
                # The three fullest of eight directions: a sheet is no rod.
                ring = (around[-1] + around[-2] + around[-3]) / 3.0
                spots[k, j, i] = inner - ring
    return spots
