"""Intervals of shares, and what so many patients could have shown at all."""

from __future__ import annotations

from dataclasses import dataclass
from math import asin, sin, sqrt
from typing import Final

from thecal.registry.incomplete_beta import incomplete_beta, incomplete_beta_inverse
from thecal.registry.proportion import clopper_pearson

FEWEST: Final = 10
"""Below this many patients (or vertebrae) nothing is estimated: they are listed."""
CONFIDENCE: Final = 0.95
POWER: Final = 0.8
Z_CONFIDENCE: Final = 1.959963984540054
Z_POWER: Final = 0.8416212335729143
"""Of the normal distribution, for 95 % on two sides and for a power of 80 %."""


@dataclass(frozen=True)
class Share:
    """So many of so many.

    Attributes
    ----------
    name : str
    events, total : int
    low, high : float or None
        Exact interval, 95 %; None where ``total`` is under ten.
    """

    name: str
    events: int
    total: int
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The share; None where ``total`` is under ten."""
        return None if self.low is None else self.events / self.total


def share(name: str, events: int, total: int) -> Share:
    """A share with its exact interval, or without one where the numbers are small."""
    if total < FEWEST:
        return Share(name, events, total)
    return Share(name, events, total, *clopper_pearson(events, total))


def sign_test(better: int, worse: int) -> float:
    """Two-sided exact p of as many better as worse, those who did not change left out."""
    changed, few = better + worse, min(better, worse)
    # So few or fewer of a fair coin.
    return min(1.0, 2.0 * incomplete_beta(changed - few, few + 1, 0.5)) if changed else 1.0


def detectable_difference(first: int, second: int, base: float) -> float | None:
    """The smallest larger share in the second group that would be noticed four times in five.

    Two-sided, 5 %, by the arcsine of the shares (Cohen 1988, ch. 6; from memory, and held against simulation
    in the tests).

    Parameters
    ----------
    first, second : int
        Patients in either group.
    base : float
        The share in the first.

    Returns
    -------
    float or None
        The difference; None where not even a share of one would do.
    """
    if not first or not second:
        return None
    step = (Z_CONFIDENCE + Z_POWER) * sqrt(1.0 / first + 1.0 / second)
    angle = asin(sqrt(base)) + step / 2.0
    if angle >= asin(1.0):
        return None
    return sin(angle) ** 2 - base


def widest_half(total: int) -> float:
    """Half the width of the exact interval of a half: no share of so many patients is known better."""
    low, high = clopper_pearson(total // 2, total)
    return (high - low) / 2.0


def detectable_by_sign(total: int) -> float | None:
    """The share that must get better, of those who change, for the sign test to say so four times in five.

    Two-sided, 5 %, exact. None where even all of them would not do.
    """
    tail = (1.0 - CONFIDENCE) / 2.0
    # So many or more of a fair coin are rarer than the tail.
    enough = (k for k in range(total // 2 + 1, total + 1) if incomplete_beta(k, total - k + 1, 0.5) <= tail)
    needed = next(enough, None)
    # The share of which so many or more have the probability POWER.
    return None if needed is None else incomplete_beta_inverse(needed, total - needed + 1, POWER)
