"""Ways that hold no cement: straight holes of soft tissue or air from behind through bone into the body."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.leakage.tracks.block import Block
from thecal.leakage.tracks.spots import AIR_HU, hole_spots
from thecal.leakage.tracks.tubes import Tube, along, best_tube, centred, cleared
from thecal.volume import FloatArray

THRESHOLD: Final = 0.45
"""A way of 2.4 mm through trabecular bone is blurred to 0.6 of its depth; texture and noise reach 0.3."""
BRIGHTEST_HU: Final = 600.0
"""Cortex and cement count no more than this, or their rims would outweigh the way's own length."""
MOST_BEHIND_MM: Final = -8.0
LEAST_AHEAD_MM: Final = 2.5
"""A way must be seen from the base of the arch through the pedicle into the body (mm before the posterior
wall): the marrow of a pedicle, dark within its cortex, looks like the middle of one."""
LEAST_MEAN: Final = 0.55
LEAST_TENTH: Final = 0.3
"""Of the depths along a way, the mean and the one that nine in ten exceed."""
BRIGHTEST_MIDDLE_HU: Final = 110.0
"""Soft tissue (0 to 60 HU) with what its wall blurs into it."""
TRIED_A_SIDE: Final = 4
"""Lines that are looked at on each side, so that four tracks at most are found there."""


def bores(block: Block, gate: FloatArray) -> list[tuple[Tube, bool]]:
    """Holes on one side of a vertebra, the clearest first, up to four, and whether each holds air.

    Parameters
    ----------
    block : Block
    gate : (3,) float64
        Index of the pedicle's middle.
    """
    hu = np.minimum(block.hu, np.float32(BRIGHTEST_HU))
    spots, wall = hole_spots(hu, block.side)
    found: list[tuple[Tube, bool]] = []
    for _ in range(TRIED_A_SIDE):
        tube = best_tube(spots, gate, block.side, THRESHOLD)
        if tube is None:
            break
        middle, rim = (float(np.median(along(tube, x)[tube.first : tube.last + 1])) for x in (hu, wall))
        tube = centred(tube, np.clip(0.75 * rim + 0.25 * middle - hu, 0.0, max(rim - middle, 1.0)))
        run = slice(tube.first, tube.last + 1)
        depths = along(tube, spots)[run]
        middle = float(np.median(along(tube, hu)[run]))
        if (
            tube.first <= block.plane_of(MOST_BEHIND_MM)
            and tube.last >= block.plane_of(LEAST_AHEAD_MM)
            and float(depths.mean()) >= LEAST_MEAN
            and float(np.percentile(depths, 10)) >= LEAST_TENTH
            and middle <= BRIGHTEST_MIDDLE_HU
        ):
            found.append((tube, middle < AIR_HU))
        # A groove beside the pedicle may be the better line: it is taken out, and the next one looked at.
        spots = cleared(spots, tube)
    return found
