"""Dark pieces beside the body that are no cement: edges of gas or of the diaphragm that have moved."""

from __future__ import annotations

from itertools import product
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.fluoro.front.log_picture import FloatImage
from thecal.volume import BoolArray

REACH_PX: Final = 8
"""Soft tissue moves so far against the spine: about 4 mm."""
COARSE_PX: Final = 2
ROUND_PX: Final = 6
"""What lies so near round a piece must be explained too: where cement comes, nothing round it changes."""
EXPLAINED: Final = 0.6
"""Share of the squared change in and round a piece that a shift of what was there takes away (0.2 to 0.56 of
true leaks' in simulated injections)."""
FRAME_PX: Final = ROUND_PX + REACH_PX


def without_moved(
    cement: BoolArray, outside: BoolArray, change: FloatImage, picture: FloatImage, seen: BoolArray
) -> BoolArray:
    """Cement without those of its pieces outside the body that a shift of the baseline explains.

    Parameters
    ----------
    cement : (rows, columns) bool
    outside : (rows, columns) bool
        Where pieces are judged: beside the body, not over the canal.
    change : (rows, columns) float32
        Baseline less picture, logarithms.
    picture : (rows, columns) float32
        The baseline.
    seen : (rows, columns) bool
        Pixels that can be read.
    """
    pieces, count = ndimage.label(cement & outside, np.ones((3, 3), bool))
    if count == 0:
        return cement
    kept = cement.copy()
    within = seen & ~(cement & ~outside)
    for number, box in enumerate(ndimage.find_objects(pieces), start=1):
        piece = pieces[box] == number
        if piece.sum() >= LEAST_PX and _moved(piece, box, change, picture, within):
            kept[box] &= ~piece
    return kept


LEAST_PX: Final = 6
"""Smaller pieces are no leaks anyhow."""


def _moved(
    piece: BoolArray, box: tuple[slice, ...], change: FloatImage, picture: FloatImage, within: BoolArray
) -> bool:
    """Whether a shift by ``REACH_PX`` or less explains the change in and round a piece."""
    rows, columns = (
        slice(max(part.start - FRAME_PX, 0), min(part.stop + FRAME_PX, size))
        for part, size in zip(box, change.shape, strict=True)
    )
    here = np.zeros((rows.stop - rows.start, columns.stop - columns.start), bool)
    top, left = box[0].start - rows.start, box[1].start - columns.start
    here[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    near = ndimage.binary_dilation(here, iterations=ROUND_PX) & within[rows, columns]
    # The frame is for the shifts alone.
    inner = np.zeros_like(near)
    inner[REACH_PX:-REACH_PX, REACH_PX:-REACH_PX] = True
    near &= inner
    if not near.any():
        return False
    then = np.nan_to_num(picture[rows, columns]).astype(np.float64)
    now = np.nan_to_num(change[rows, columns])[near].astype(np.float64)
    total = float(now @ now)
    index = np.argwhere(near)

    def left_by(shift: tuple[int, int]) -> float:
        off = then[near] - then[tuple((index - shift).T)] - now
        return float(off @ off)

    coarse = range(-REACH_PX, REACH_PX + 1, COARSE_PX)
    best = min(product(coarse, coarse), key=left_by)
    fine = [
        (best[0] + a, best[1] + b)
        for a, b in product((-1, 0, 1), repeat=2)
        if max(abs(best[0] + a), abs(best[1] + b)) <= REACH_PX
    ]
    return min(left_by(shift) for shift in fine) < (1.0 - EXPLAINED) * total
