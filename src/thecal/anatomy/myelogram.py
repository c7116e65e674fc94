"""The canal's course where contrast medium fills the sac: as on plain CT once the contrast is taken out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.anatomy.contrast.along import CORE_MM, RANGE_HU, UNEVEN, centred_in_contrast, contrast_along
from thecal.anatomy.contrast.border import LIKE
from thecal.anatomy.contrast.find import find_contrast
from thecal.anatomy.ringed_path import (
    BONE_HU,
    COARSE_MM,
    RAY_REACH_MM,
    RAYS,
    SHORTEST_MEAN_RAY_MM,
    SOFT_HU,
    best_path,
    column_in_front,
)
from thecal.anatomy.working_grid import sample_volume
from thecal.errors import SpineNotFound
from thecal.frames import CanalFrame
from thecal.volume import Grid, IntArray, Volume

CONTRAST: Final = (
    "What fills the spinal canal is as bright as bone, contrast medium in the sac (a myelogram) perhaps, and "
    "its wall is not seen. --anatomy FILE takes a given label map instead."
)
# Less bright than this in front of the canal lies no vertebral column.
LEAST_COLUMN_HU: Final = 40.0
LEAST_POINTS: Final = 8
ROUNDS: Final = 3
# Where so much more of a canal is found with contrast let through, but none is recognised, nothing is said.
SUSPECT: Final = 1.2

Ring = npt.NDArray[np.float32]
Trail = npt.NDArray[np.intp]


def without_canal_contrast(
    volume: Volume,
    hu: IntArray,
    ring: Ring,
    worth: float,
    grid: Grid,
    frame_of: Callable[[Trail], CanalFrame],
    ring_of: Callable[[IntArray], Ring],
) -> IntArray | None:
    """The coarse scan without the contrast medium in its canal, or None where there is none.

    Contrast is looked for along the best path through what is soft or what contrast may fill: there rays go
    through their first bright stretch, and end at what is bright beyond a dark one, or brighter. It is taken
    out and looked for again, for the path is the better the less of it is left.

    Parameters
    ----------
    volume : Volume
    hu : (z, y, x) int16
        The same on an even grid of ``COARSE_MM``.
    ring : (z, y // 2, x // 2) float32
        How well bone rings each soft voxel, as ``ring_score`` gives it.
    worth : float
        Of the best path through soft tissue.
    grid : Grid
        Of ``hu``.
    frame_of : callable
        A course through a path.
    ring_of : callable
        How ``ring`` was made.

    Raises
    ------
    SpineNotFound
        Where much more of a canal is found if what is bright counts as contrast, but it is not known as such.
    """
    plain: IntArray | None = None
    for _ in range(ROUNDS):
        now = hu if plain is None else plain
        path, filled_worth = _filled_path(now, ring if plain is None else ring_of(plain))
        if len(path) < LEAST_POINTS:
            break
        frame = frame_of(path)
        if plain is None and not np.isfinite(contrast_along(volume.hu, volume.grid, frame)).any():
            if filled_worth > SUSPECT * worth:
                raise SpineNotFound(CONTRAST)
            break
        found = find_contrast(volume, centred_in_contrast(volume.hu, volume.grid, frame))
        if found is None:
            break
        freed = replace(volume, hu=volume.hu.copy())
        freed.hu[found.box] = found.plain_hu
        plain = sample_volume(freed, grid)
    return plain


@njit(cache=True, parallel=True)
def _filled_score(hu, candidate, spacing, core, reach, rays, shortest, bone, least, uneven, like, score):  # type: ignore[no-untyped-def]
    """As the ring score, for a voxel with contrast around it: rays pass their first bright stretch."""
    nz, ny, nx = hu.shape
    steps = int(reach / spacing)
    inner = int(core / spacing)
    for z in prange(nz):
        plateau = np.empty(rays)
        lengths = np.empty(rays)
        for y in range(0, ny, 2):
            for x in range(0, nx, 2):
                if not candidate[z, y // 2, x // 2]:
                    continue
                for a in range(rays):
                    dy = np.sin(2 * np.pi * a / rays)
                    dx = np.cos(2 * np.pi * a / rays)
                    plateau[a] = -1000.0
                    for k in range(1, inner + 1):
                        yy = int(np.rint(y + dy * k))
                        xx = int(np.rint(x + dx * k))
                        if yy < 0 or xx < 0 or yy >= ny or xx >= nx:
                            break
                        plateau[a] = max(plateau[a], hu[z, yy, xx])
                ranked = np.sort(plateau)
                middle = ranked[rays // 2]
                differ = (ranked[3 * rays // 4] - ranked[rays // 4]) / max(middle, 1.0)
                if middle < least or differ > uneven:
                    continue
                hits = 0
                total = 0.0
                for a in range(rays):
                    dy = np.sin(2 * np.pi * a / rays)
                    dx = np.cos(2 * np.pi * a / rays)
                    lengths[a] = -1.0
                    bright = False
                    left = False
                    for k in range(1, steps + 1):
                        yy = int(np.rint(y + dy * k))
                        xx = int(np.rint(x + dx * k))
                        if yy < 0 or xx < 0 or yy >= ny or xx >= nx:
                            break
                        here = hu[z, yy, xx]
                        if (left and here > bone) or here > like * middle + 100.0:
                            lengths[a] = k * spacing
                            total += k * spacing
                            hits += 1
                            break
                        if here > 0.6 * middle:
                            bright = True
                        elif bright and here < 0.5 * middle:
                            left = True
                if hits * 3 < rays:
                    continue
                mean = total / hits
                if mean < shortest:
                    continue
                spread = 0.0
                for a in range(rays):
                    if lengths[a] > 0:
                        spread += (lengths[a] - mean) ** 2
                # In the middle of the sac all directions are alike.
                score[z, y // 2, x // 2] = hits / rays - 0.5 * np.sqrt(spread / hits) / mean - 0.5 * differ


def _filled_path(hu: IntArray, ring: Ring) -> tuple[Trail, float]:
    """The best path where what contrast may fill counts as well as soft tissue."""
    filled = np.full_like(ring, -0.3)
    candidate = (hu[:, ::2, ::2] > SOFT_HU[0]) & (column_in_front(hu) > LEAST_COLUMN_HU)
    _filled_score(
        hu, candidate, COARSE_MM, CORE_MM, RAY_REACH_MM, RAYS, SHORTEST_MEAN_RAY_MM, BONE_HU, RANGE_HU[0],
        2.0 * UNEVEN, LIKE[1], filled,
    )  # fmt: skip
    trail, _, worth = best_path(hu, np.maximum(ring, filled))
    return trail, worth
