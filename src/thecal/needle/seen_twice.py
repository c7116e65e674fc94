"""Tracks of a later CT that are the needle of metal itself, seen a second time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from thecal.needle.plan_value import SeenNeedle
from thecal.volume import FloatArray

NEAR_MM: Final = 5.0
"""Glare of a needle of 3.4 mm, and the error of a track's ends: both ends of a track that is the needle lie
so near to the needle's line. Two needles through one pedicle would lie so near too; that is not done."""
PARALLEL_DEG: Final = 15.0
"""A track of 20 mm whose ends lie in glare to either side of the needle is turned by so much at most."""


def told_apart(
    metal: Sequence[SeenNeedle], tracks: Sequence[SeenNeedle]
) -> tuple[tuple[SeenNeedle, ...], tuple[SeenNeedle, ...]]:
    """The tracks that are of other needles, and those that are taken for a needle of metal itself.

    A needle in place is often found a second time, as a track in its own glare. A track elsewhere in the
    same vertebra is that of another needle, and is kept.
    """
    own = tuple(track for track in tracks if any(_same(needle, track) for needle in metal))
    return tuple(track for track in tracks if track not in own), own


def _same(needle: SeenNeedle, track: SeenNeedle) -> bool:
    if needle.vertebra_id != track.vertebra_id:
        return False
    ends = np.array([track.entry_mm, track.tip_mm])
    ahead = _ahead(np.array([needle.entry_mm, needle.tip_mm]))
    off = ends - np.array(needle.entry_mm)
    beside = np.linalg.norm(off - (off @ ahead)[:, None] * ahead, axis=1)
    turned = float(np.degrees(np.arccos(np.clip(_ahead(ends) @ ahead, -1.0, 1.0))))
    return float(beside.max()) <= NEAR_MM and turned <= PARALLEL_DEG


def _ahead(ends: FloatArray) -> FloatArray:
    direction: FloatArray = ends[1] - ends[0]
    return direction / np.linalg.norm(direction)
