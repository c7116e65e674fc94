"""Ways that hold cement: slender casts through the pedicle."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.leakage.tracks.block import STEP_MM, Block
from thecal.leakage.tracks.spots import cement_spots
from thecal.leakage.tracks.tubes import Tube, along, best_tube, centred, cleared
from thecal.volume import FloatArray

THRESHOLD: Final = 0.3
"""A cast of 2.4 mm is blurred to about half its cement; in a filled pedicle or body the share is near 0."""
LEAST_LENGTH_MM: Final = 8.0
"""Shorter rods of cement are not told from a pedicle's own fill."""
LEAST_MEAN: Final = 0.45
MOST_A_SIDE: Final = 4


def filled_ways(block: Block, gate: FloatArray) -> list[Tube]:
    """Casts on one side of a vertebra, the clearest first, up to four.

    Parameters
    ----------
    block : Block
    gate : (3,) float64
        Index of the pedicle's middle.
    """
    if not (block.cement > THRESHOLD).any():
        return []
    spots = cement_spots(block.cement)
    ways: list[Tube] = []
    while len(ways) < MOST_A_SIDE:
        tube = best_tube(spots, gate, block.side, THRESHOLD)
        if tube is None:
            break
        tube = centred(tube, block.cement)
        seen = along(tube, spots)[tube.first : tube.last + 1]
        length = (tube.last - tube.first) * STEP_MM * np.sqrt(1.0 + float(tube.slope @ tube.slope))
        if length < LEAST_LENGTH_MM or float(seen.mean()) < LEAST_MEAN:
            break
        ways.append(tube)
        spots = cleared(spots, tube)
    return ways
