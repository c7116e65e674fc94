"""From what was seen to an error in mm, a confidence, and whether the vertebra is lost."""

from __future__ import annotations

from typing import Final

import numpy as np

WRONG_MM: Final = 2.0
"""A pose that draws the vertebra farther off than this is wrong."""
SURE_FROM: Final = 0.5
"""Below this confidence the vertebra is lost."""
WEIGHTS: Final[dict[str, float]] = {
    "log_spread": -1.36,
    "likeness": 0.15,
    "level_lead": 3.14,
    "lead": 1.21,
    "gone": -0.56,
}
"""Of a logistic sum, fitted by ``benchmarks/fit_registration.py`` on views that no table uses."""
CONSTANT: Final = 0.67
SCALE: Final = 1.6
FLOOR_MM: Final = 0.25
"""The error that is said is ``hypot(FLOOR_MM, SCALE * spread)``: in the mean, what it was in those views that
were not wrong."""


def terms(evidence: dict[str, float]) -> dict[str, float]:
    """What is summed.

    The spread's logarithm against 0.3 mm; how well the vertebra, alone and with all around it, correlates;
    how much better it does here than at its neighbours' places; how much less the next best pose does,
    beyond 0.6 of no more use; and the distance from the start beyond what starts are off.
    """
    return {
        "log_spread": float(np.log(np.clip(evidence["spread_mm"], 0.05, 3.0) / 0.3)),
        "likeness": float(np.clip(likeness(evidence["score"]) + likeness(evidence["whole"]), 0.0, 2.5)),
        "level_lead": float(np.clip(evidence.get("level_lead", LEVEL_LEAD), -0.8, 0.6)),
        "lead": float(np.clip(evidence["lead"], -0.1, 0.6)),
        "gone": float(np.clip(evidence["gone"] - 4.0, 0.0, 4.0)),
    }


def likeness(correlation: float) -> float:
    """The logarithm of how much a correlation takes off the variance: ``-log(1 - r^2)``; 0 for none."""
    return float(-np.log1p(-(np.clip(correlation, 0.0, 0.99) ** 2)))


LEVEL_LEAD: Final = 0.5
"""Taken where the neighbours were not looked at: about what it is where all is well."""


def judged(evidence: dict[str, float]) -> tuple[float, float, str]:
    """Error in mm, confidence, and why it is lost (empty where it is not)."""
    parts = terms(evidence)
    total = CONSTANT + sum(WEIGHTS[name] * value for name, value in parts.items())
    confidence = float(1.0 / (1.0 + np.exp(-np.clip(total, -30.0, 30.0))))
    error = float(np.hypot(FLOOR_MM, SCALE * evidence["spread_mm"]))
    if confidence >= SURE_FROM:
        return error, confidence, ""
    if parts["level_lead"] < 0.0 and evidence["score"] > ALIKE:
        return error, confidence, "The vertebra above or below fits the plan's as well as this one."
    return error, confidence, "The picture does not look like the plan's vertebra near where it should be."


ALIKE: Final = 0.3
"""Correlation from which there is a vertebra at all."""
