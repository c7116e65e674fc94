"""How much cement the literature supports for a body: a range, never a number."""

from __future__ import annotations

from typing import Final

from thecal.needle.plan_value import CementRange

LOW_SHARE: Final = 0.15
HIGH_SHARE: Final = 0.30
"""Shares of the body's volume: some 15 % restored stiffness in Liebschner 2001 (from memory), 16 % strength
and 30 % stiffness in Molloy 2003 (from memory), 30 % restored stiffness in Kim 2012 (T11-L1); more made the
bone stiffer than before."""
SOURCES: Final = (
    "15 % of the body restores stiffness (Liebschner 2001, L1; quoted from memory)",
    "16 % restores strength and 30 % stiffness, weakly linked (Molloy 2003; quoted from memory)",
    "30 % restores stiffness, more makes it stiffer than normal (Kim 2012, T11-L1)",
    "2 mL restored strength at every level in cadavers (Belkoff 2001)",
    "embolism of cement that needed oxygen: none below 3.5 mL, 0.11 % to 7 mL, 0.9 % above",
    "leaks go with more cement: 4.5 mL with against 3.7 mL without (Venmans 2011)",
)


def cement_range(body_ml: float) -> CementRange:
    """The range for a body of that volume, mL."""
    return CementRange(
        body_ml=body_ml,
        low_share=LOW_SHARE,
        high_share=HIGH_SHARE,
        low_ml=LOW_SHARE * body_ml,
        high_ml=HIGH_SHARE * body_ml,
        sources=SOURCES,
    )
