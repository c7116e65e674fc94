"""What lies in the sac at a height, by the published place of the conus: plain CT does not show it."""

from __future__ import annotations

from typing import Final

from thecal.leakage.levels import Levels
from thecal.leakage.revision.plan_value import Neural

CONUS_SAID: Final = (
    "Plain CT does not show the conus. By published MRI of 504 adults (Spine 1998, ovid "
    "00007632-199807010-00005) its tip lies on average at the lower third of L1, between the middle of "
    "T12 and the upper third of L3."
)
HIGHEST: Final = ("T12", 0.0)
LOWEST: Final = ("L3", 1 / 3)
"""Ends of that range: the level, and how far above the middle of its body in shares of the body's height."""
BODY_HEIGHT_MM: Final = 24.0
"""Posterior height of a lumbar body (Panjabi 1992: 22.7 to 24.3 mm from T12 to L4)."""
CRANIAL_OF_RANGE: Final = frozenset([f"C{n}" for n in range(1, 8)] + [f"T{n}" for n in range(1, 12)])
CAUDAL_OF_RANGE: Final = frozenset(["L4", "L5", "L6"])


def neural_at(levels: Levels, from_mm: float, to_mm: float) -> Neural:
    """What a stretch of the sac holds: cord above the range of the conus, cauda below it, either within.

    Parameters
    ----------
    levels : Levels
    from_mm, to_mm : float
        Along the canal.

    Returns
    -------
    "cord", "conus_or_cauda", "cauda" or "unknown"
        "unknown" where no level is known.
    """
    at = {v.level: float(s) for v, s in zip(levels.vertebrae, levels.s_mm, strict=True) if v.level}
    if not at:
        return "unknown"
    highest = at.get(HIGHEST[0])
    lowest = at.get(LOWEST[0])
    if lowest is not None:
        lowest += LOWEST[1] * BODY_HEIGHT_MM / 2
    # Beyond the scan, the range ends where levels that lie wholly beyond it begin.
    if highest is None:
        above = [s for level, s in at.items() if level in CRANIAL_OF_RANGE]
        highest = min(above) if above else float("inf")
    if lowest is None:
        below = [s for level, s in at.items() if level in CAUDAL_OF_RANGE]
        lowest = max(below) if below else float("-inf")
    if from_mm > highest:
        return "cord"
    if to_mm < lowest:
        return "cauda"
    return "conus_or_cauda"
