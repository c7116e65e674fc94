"""From what was seen to an error in mm, a confidence, and whether the vertebra is lost."""

from __future__ import annotations

from typing import Final

import numpy as np

WRONG_MM: Final = 2.0
"""A pose that draws the vertebra farther off than this is wrong."""
SURE_FROM: Final = 0.5
"""Below this confidence the vertebra is lost."""
LEAST_SCORE: Final = 0.25
"""Below this correlation there is no vertebra, whatever else speaks for it."""
WEIGHTS: Final[dict[str, float]] = {
    "likeness": 0.43,
    "level_lead": 1.64,
    "lead": 0.78,
    "gone": -1.32,
    "agree": 1.37,
    "log_moved": -1.35,
}
"""Of a logistic sum, fitted by ``benchmarks/fit_registration.py`` on views that no table uses."""
CONSTANT: Final = -1.34
SCALE: Final = 1.58
FLOOR_MM: Final = 0.25
SLICE_SHARE: Final = 0.2
"""The error that is said is ``hypot(FLOOR_MM, SCALE * spread, SLICE_SHARE * slice)``: thick slices blur
endplates, and a blurred edge lies off without wavering."""


def terms(evidence: dict[str, float]) -> dict[str, float]:
    """What is summed.

    How well the vertebra, alone and with all around it, correlates; how much better it does here than at its
    neighbours' places; how much less the next best pose does, beyond 0.6 of no more use; the distance from
    the start beyond what starts are off; how many of the candidates came to this pose; and how far the
    vertebra went from where it lay with all around it.
    """
    return {
        "likeness": float(np.clip(likeness(evidence["score"]) + likeness(evidence["whole"]), 0.0, 2.0)),
        "level_lead": float(np.clip(evidence["level_lead"], -0.8, 0.6)),
        "lead": float(np.clip(evidence["lead"], -0.1, 0.6)),
        "gone": float(np.clip(evidence["gone"] - 4.0, 0.0, 4.0)),
        "agree": evidence["agree"],
        "log_moved": float(np.log(np.clip(evidence["moved_mm"], 0.2, 4.0))),
    }


def likeness(correlation: float) -> float:
    """The logarithm of how much a correlation takes off the variance: ``-log(1 - r^2)``; 0 for none."""
    return float(-np.log1p(-(np.clip(correlation, 0.0, 0.99) ** 2)))


def judged(evidence: dict[str, float]) -> tuple[float, float, str]:
    """Error in mm, confidence, and why it is lost (empty where it is not)."""
    parts = terms(evidence)
    total = CONSTANT + sum(WEIGHTS[name] * value for name, value in parts.items())
    confidence = float(1.0 / (1.0 + np.exp(-np.clip(total, -30.0, 30.0))))
    scatter = np.hypot(FLOOR_MM, SCALE * evidence["spread_mm"])
    error = float(np.hypot(scatter, SLICE_SHARE * evidence["slice_mm"]))
    if evidence["score"] < LEAST_SCORE:
        return error, 0.0, UNLIKE
    if confidence >= SURE_FROM:
        return error, confidence, ""
    if parts["level_lead"] < 0.0:
        return error, confidence, "The vertebra above or below fits the plan's as well as this one."
    return error, confidence, UNLIKE


UNLIKE: Final = "The picture does not look like the plan's vertebra near where it should be."
