"""Kaplan and Meier's curve with Greenwood's interval on the log-log scale, and numbers at risk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.registry.statistics.columns import BoolArray, FloatArray
from thecal.registry.statistics.intervals import Z_CONFIDENCE


@dataclass(frozen=True)
class Curve:
    """The share still waiting, after each time at which it falls.

    Attributes
    ----------
    times : (k,) float
        At which the event was seen, days.
    waiting, low, high : (k,) float
        Just after; the interval is NaN where all or none wait.
    at_risk, events : (k,) int
    """

    times: FloatArray
    waiting: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    events: FloatArray

    def median(self) -> float | None:
        """The first time at which half wait no more; None where the curve does not fall so far."""
        below = np.flatnonzero(self.waiting <= 0.5)
        return float(self.times[below[0]]) if below.size else None


def kaplan_meier(times: FloatArray, seen: BoolArray) -> Curve:
    """The curve of times of which some end without the event.

    Parameters
    ----------
    times : (n,) float
        Until the event or the last look.
    seen : (n,) bool
        Whether it was the event; of equal times the event comes first.
    """
    steps = np.unique(times[seen])
    at_risk = np.array([(times >= step).sum() for step in steps], float)
    events = np.array([((times == step) & seen).sum() for step in steps], float)
    waiting = np.cumprod(1.0 - events / at_risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        spread = np.sqrt(greenwood) / np.log(waiting)
        low = waiting ** np.exp(-Z_CONFIDENCE * spread)
        high = waiting ** np.exp(Z_CONFIDENCE * spread)
    unclear = (waiting <= 0.0) | (waiting >= 1.0)
    low[unclear], high[unclear] = np.nan, np.nan
    return Curve(steps, waiting, low, high, at_risk, events)


def at_risk(times: FloatArray, at: float) -> int:
    """How many are still looked at and wait at a time."""
    return int((times >= at).sum())
