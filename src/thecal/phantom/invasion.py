"""The order in which cement takes the voxels of a vertebra: least cost first, from the needle's tip on."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.volume import FloatArray


def invade(
    cost: npt.NDArray[np.float32], seeds: npt.NDArray[np.intp], spacing_mm: FloatArray, most: int
) -> npt.NDArray[np.float32]:
    """Travel cost from the seeds to each voxel, over 26 neighbours (Dijkstra), until ``most`` are taken.

    Parameters
    ----------
    cost : (z, y, x) float32
        Cost of a mm; infinite where cement cannot go.
    seeds : (n, 3) ints
    spacing_mm : (3,) float64
    most : int

    Returns
    -------
    (z, y, x) float32
        Infinite where cement did not come.
    """
    steps = np.array(
        [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1) if (a, b, c) != (0, 0, 0)]
    )
    lengths = np.linalg.norm(steps * spacing_mm, axis=1)
    arrival: npt.NDArray[np.float32] = _invade(
        np.ascontiguousarray(cost, np.float32), np.ascontiguousarray(seeds, np.int64), steps, lengths, most
    )
    return arrival


@njit(cache=True)
def _invade(cost: Any, seeds: Any, steps: Any, lengths: Any, most: int) -> Any:
    nz, ny, nx = cost.shape
    reach = np.full(cost.shape, np.inf, np.float32)
    taken = np.full(cost.shape, np.inf, np.float32)
    heap = [(np.float32(0.0), np.int64(0))]
    heap.pop()
    for n in range(len(seeds)):
        z, y, x = seeds[n]
        if np.isfinite(cost[z, y, x]):
            reach[z, y, x] = 0.0
            heapq.heappush(heap, (np.float32(0.0), np.int64((z * ny + y) * nx + x)))
    count = 0
    while len(heap) > 0 and count < most:
        far, place = heapq.heappop(heap)
        x = place % nx
        y = (place // nx) % ny
        z = place // (nx * ny)
        if np.isfinite(taken[z, y, x]):
            continue
        taken[z, y, x] = far
        count += 1
        for k in range(len(steps)):
            a, b, c = z + steps[k, 0], y + steps[k, 1], x + steps[k, 2]
            if a < 0 or b < 0 or c < 0 or a >= nz or b >= ny or c >= nx or np.isfinite(taken[a, b, c]):
                continue
            way = far + np.float32(lengths[k] * 0.5 * (cost[z, y, x] + cost[a, b, c]))
            if way < reach[a, b, c]:
                reach[a, b, c] = way
                heapq.heappush(heap, (way, np.int64((a * ny + b) * nx + c)))
    return taken
