"""Ways that hold cement: slender casts through the pedicle."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.leakage.tracks.block import STEP_MM, Block
from thecal.leakage.tracks.spots import cement_spots
from thecal.leakage.tracks.tubes import Tube, along, best_tube, centred, cleared
from thecal.volume import FloatArray

THRESHOLD: Final = 0.3
"""A cast of 2.4 mm is blurred to about half its cement; in a filled pedicle or body the share is near 0."""
LEAST_LENGTH_MM: Final = 8.0
"""Shorter rods of cement are not told from a pedicle's own fill."""
LEAST_THROUGH_MM: Final = 5.0
LEAST_IN_ARCH_MM: Final = 2.0
"""Unless they point across the canal from the arch: no fill comes there but by a needle. The rest may lie in
the body; the arch's border beside the canal is known no better than a millimetre or two."""
THROUGH_CANAL_MM: Final = 2.25
"""So far within the canal's wall (from back to front) the line runs."""
HALF: Final = 0.5
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
    # Cement may have run off from a way that lies open in the canal, or never have filled it there.
    spots[block.canal] = np.maximum(spots[block.canal], np.float32(THRESHOLD))
    ways: list[Tube] = []
    while len(ways) < MOST_A_SIDE:
        tube = best_tube(spots, gate, block.side, THRESHOLD)
        if tube is None:
            break
        tube = centred(tube, np.where(block.canal, np.float32(0.0), block.cement))
        if not _is_way(tube, block, along(tube, spots)):
            break
        ways.append(tube)
        spots = cleared(spots, tube)
    return ways


def _is_way(tube: Tube, block: Block, shares: npt.NDArray[np.float32]) -> bool:
    """Whether a run is long enough outside the canal, and slender and full enough there."""
    run = np.arange(tube.first, tube.last + 1)
    in_canal = along(tube, block.canal.astype(np.float32))[run] >= HALF
    seen = run[~in_canal]
    if not len(seen) or float(shares[seen].mean()) < LEAST_MEAN:
        return False
    oblique = STEP_MM * float(np.sqrt(1.0 + tube.slope @ tube.slope))
    if float(in_canal.sum()) * STEP_MM < THROUGH_CANAL_MM:
        return len(seen) * oblique >= LEAST_LENGTH_MM
    in_arch = seen[seen < run[in_canal][0]]
    return len(in_arch) * oblique >= LEAST_IN_ARCH_MM and len(seen) * oblique >= LEAST_THROUGH_MM
