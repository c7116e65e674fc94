"""Shortest ways along bone from the middles of several bones at once."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.volume import BoolArray, FloatArray


@njit(cache=True)
def two_nearest(
    price: npt.NDArray[np.float32],
    inside: BoolArray,
    seeds: npt.NDArray[np.int64],
    spacing_mm: FloatArray,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The nearest bone of each voxel, what the way to it costs and measures, and what the next bone's costs.

    Dijkstra over the 26 neighbours; a step costs its length times the mean price of its ends.

    Parameters
    ----------
    price : (z, y, x) float32
        At least 1.
    inside : (z, y, x) bool
        Where ways may lead.
    seeds : (z, y, x) int64
        Number of the bone from 1 in its middle, 0 elsewhere.
    spacing_mm : (3,) float64

    Returns
    -------
    bone : (z, y, x) int64
        0 where no way leads.
    cost, length_mm, next_cost : (z, y, x) float32
        Infinite where there is none.
    """
    nz, ny, nx = price.shape
    bone = np.zeros(price.shape, np.int64)
    second = np.zeros(price.shape, np.int64)
    cost = np.full(price.shape, np.inf, np.float32)
    length = np.full(price.shape, np.inf, np.float32)
    next_cost = np.full(price.shape, np.inf, np.float32)
    heap = [(0.0, 0.0, 0, 0)]
    heap.pop()
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                if seeds[z, y, x] > 0:
                    heappush(heap, (0.0, 0.0, (z * ny + y) * nx + x, int(seeds[z, y, x])))
    while len(heap) > 0:
        so_far, way, where, number = heappop(heap)
        x = where % nx
        y = (where // nx) % ny
        z = where // (nx * ny)
        if bone[z, y, x] == 0:
            bone[z, y, x] = number
            cost[z, y, x] = so_far
            length[z, y, x] = way
        elif bone[z, y, x] != number and second[z, y, x] == 0:
            second[z, y, x] = number
            next_cost[z, y, x] = so_far
        else:
            continue
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    a, b, c = z + dz, y + dy, x + dx
                    if a < 0 or b < 0 or c < 0 or a >= nz or b >= ny or c >= nx or not inside[a, b, c]:
                        continue
                    if bone[a, b, c] == number or second[a, b, c] != 0:
                        continue
                    step = np.sqrt(
                        (dz * spacing_mm[0]) ** 2 + (dy * spacing_mm[1]) ** 2 + (dx * spacing_mm[2]) ** 2
                    )
                    if step == 0.0:
                        continue
                    dear = so_far + step * 0.5 * (price[z, y, x] + price[a, b, c])
                    heappush(heap, (dear, way + step, (a * ny + b) * nx + c, number))
    return bone, cost, length, next_cost
