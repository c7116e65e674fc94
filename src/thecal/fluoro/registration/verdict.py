"""From what was seen to an error in mm, a confidence, and whether the vertebra is lost."""

from __future__ import annotations

from typing import Final

import numpy as np

WRONG_MM: Final = 2.0
"""A pose that draws the vertebra farther off than this is wrong."""
SURE_FROM: Final = 0.5
"""Below this confidence the vertebra is lost."""
WEIGHTS: Final[dict[str, float]] = {
    "score": 6.0,
    "spread_mm": -3.0,
    "level_lead": 6.0,
    "gone": -0.2,
}
"""Of a logistic sum, fitted by ``python -m benchmarks.fit_registration`` on views that no table uses."""
CONSTANT: Final = -1.0
SCALE: Final = 1.3
"""Mean true error over the spread's own, of those of the same views that were not wrong."""
FLOOR_MM: Final = 0.15


def judged(evidence: dict[str, float]) -> tuple[float, float, str]:
    """Error in mm, confidence, and why it is lost (empty where it is not)."""
    total = CONSTANT
    for name, weight in WEIGHTS.items():
        total += weight * min(evidence.get(name, UNASKED.get(name, 0.0)), MOST.get(name, np.inf))
    confidence = float(1.0 / (1.0 + np.exp(-np.clip(total, -30.0, 30.0))))
    error = float(np.hypot(FLOOR_MM, SCALE * evidence["spread_mm"]))
    if confidence >= SURE_FROM:
        return error, confidence, ""
    if evidence.get("level_lead", 1.0) < 0.0:
        return error, confidence, "The vertebra above or below fits the plan's as well as this one."
    return error, confidence, "The picture does not look like the plan's vertebra near where it should be."


UNASKED: Final[dict[str, float]] = {"level_lead": 0.2}
"""Taken where it was not looked at, as while a vertebra is followed."""
MOST: Final[dict[str, float]] = {"spread_mm": 2.0, "level_lead": 0.4}
"""More says no more."""
