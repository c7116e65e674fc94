"""Numbers of ordered things: nothing here uses a distance between grades."""

from __future__ import annotations

from dataclasses import dataclass
from math import atanh, sqrt, tanh
from typing import Final

import numpy as np

from thecal.registry.statistics.columns import FloatArray
from thecal.registry.statistics.intervals import Z_CONFIDENCE

CHUNK: Final = 512
"""Rows of the comparison of all with all that are held at a time."""


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, 95 %; the interval is None where it cannot be told."""

    value: float
    low: float | None
    high: float | None


def superiority(better: int, worse: int, total: int) -> Estimate:
    """The probability that a patient is later better than before, a half of those unchanged counted as such.

    A half means no change on the whole. The interval is that of the paired difference with half a patient
    added to each of four cells (Agresti & Min 2005; from memory, and its cover is held in the tests).
    """
    value = 0.5 + (better - worse) / (2.0 * total)
    up, down, size = better + 0.5, worse + 0.5, total + 2.0
    difference = (up - down) / size
    spread = sqrt((up + down) / size - difference**2) / sqrt(size)
    low, high = (0.5 + (difference + sign * Z_CONFIDENCE * spread) / 2.0 for sign in (-1.0, 1.0))
    return Estimate(value, max(0.0, low), min(1.0, high))


def kendall_tau(x: FloatArray, y: FloatArray) -> Estimate:
    """Kendall's tau-b, ties and all, with an interval by the jackknife on Fisher's scale.

    Parameters
    ----------
    x, y : (n,) float
        n at least 3.

    Returns
    -------
    Estimate
        NaN where all of x or all of y are the same.
    """
    size = len(x)
    rows = np.zeros((3, size))
    for start in range(0, size, CHUNK):
        part = slice(start, start + CHUNK)
        dx = np.sign(x[part, None] - x[None, :])
        dy = np.sign(y[part, None] - y[None, :])
        rows[:, part] = (dx * dy).sum(1), np.abs(dx).sum(1), np.abs(dy).sum(1)
    both, of_x, of_y = rows.sum(1)
    if not of_x or not of_y:
        return Estimate(float("nan"), None, None)
    tau = float(both / sqrt(of_x * of_y))
    without = rows.sum(1)[:, None] - 2.0 * rows
    if (without[1:] <= 0).any() or abs(tau) >= 1.0:
        return Estimate(tau, None, None)
    each = without[0] / np.sqrt(without[1] * without[2])
    spread = sqrt((size - 1) / size * float(((each - each.mean()) ** 2).sum()))
    z, step = atanh(tau), Z_CONFIDENCE * spread / (1.0 - tau**2)
    return Estimate(tau, tanh(z - step), tanh(z + step))
