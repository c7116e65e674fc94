"""What lies nearest along a way, for the plan's profile."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.needle.plan_value import Clearance
from thecal.needle.search.keep_away import SAC, STRUCTURES, KeepAway
from thecal.volume import FloatArray

STEP_MM: Final = 1.0
NOT_LOOKED: Final = "not looked at"
"""Outside the block that is searched, or outside the scan: free distances are NaN there."""
NOTHING: Final = "nothing that was looked for"
FAR_MM: Final = 59.0
ALWAYS_BESIDE: Final = ("neighbouring vertebra", "disc", "rib")
"""Bones and discs that a needle passes by and may touch: they are not what the clearance is to."""


def clearance_along(
    keep: KeepAway,
    entry: FloatArray,
    tip: FloatArray,
    before_mm: float,
    outer_mm: float,
    step_mm: float = STEP_MM,
) -> Clearance:
    """Free distance from the needle's surface every millimetre, from skin (or bone) to tip.

    Where nothing was looked at it is NaN.

    Parameters
    ----------
    keep : KeepAway
    entry, tip : (3,) float64
        On the bone, and the tip, in the vertebra's frame.
    before_mm : float
        From the skin to the entry; 0 where there is no skin.
    outer_mm : float
    """
    length = float(np.linalg.norm(tip - entry))
    ahead = (tip - entry) / length
    depth = np.arange(0.0, before_mm + length + 1e-6, step_mm)
    points = entry + (depth - before_mm)[:, None] * ahead
    names = [name for name in STRUCTURES if name in keep.seen and name != SAC and name not in ALWAYS_BESIDE]
    looked = keep.looked_at(points)
    if not names:
        free = np.where(looked, FAR_MM, np.nan)
        return Clearance(depth, free, tuple(NOTHING if seen else NOT_LOOKED for seen in looked))
    away = np.stack([keep.distance(name, points) for name in names]) - outer_mm / 2.0
    first = away.argmin(axis=0)
    least = away.min(axis=0)
    return Clearance(
        depth,
        np.where(looked, least, np.nan),
        tuple(
            NOT_LOOKED if not seen else names[k] if value < FAR_MM - 5.0 else NOTHING
            for k, value, seen in zip(first, least, looked, strict=True)
        ),
    )


def least_along(
    keep: KeepAway, entry: FloatArray, tip: FloatArray, before_mm: float, outer_mm: float
) -> tuple[float, str]:
    """The least free distance along a way, and what it is to; both of the same point."""
    profile = clearance_along(keep, entry, tip, before_mm, outer_mm, STEP_MM / 4.0)
    at = int(np.nanargmin(profile.free_mm))
    return float(profile.free_mm[at]), profile.nearest[at]
