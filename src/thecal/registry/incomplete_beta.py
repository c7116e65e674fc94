"""The incomplete beta function and its inverse, which tails of the binomial distribution are.

SciPy has both, and loading ``scipy.special`` for them takes longer than `thecal registry stats` needs for all
else that it works out; ``benchmarks/results/registry.json`` has the times. The tests hold these against
SciPy's.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from typing import Final

TINY: Final = 1e-300
"""In place of 0 in a denominator (Lentz)."""
PRECISION: Final = 1e-15
SETTLED: Final = 1e-9
"""A step of Newton's so small, as a share of x, leaves an error of about its square."""
MOST_TERMS: Final = 100_000
MOST_STEPS: Final = 200


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function I_x(a, b).

    By its continued fraction, evaluated by Lentz's method (NIST Digital Library of Mathematical Functions,
    8.17.22; from memory).

    Parameters
    ----------
    a, b : float
        Above 0.
    x : float
        0 to 1.
    """
    if x <= 0.0:
        return 0.0
    if x >= 1.0:
        return 1.0
    front = exp(_log_front(a, b, x))
    # On either side of its peak one of the two fractions converges soon.
    if x < (a + 1.0) / (a + b + 2.0):
        return front / a * _fraction(a, b, x)
    return 1.0 - front / b * _fraction(b, a, 1.0 - x)


def incomplete_beta_inverse(a: float, b: float, share: float) -> float:
    """The x of which I_x(a, b) is ``share``, by Newton's steps that are kept within what is known of x.

    Parameters
    ----------
    a, b : float
        Above 0.
    share : float
        Between 0 and 1, both excluded.
    """
    low, high = 0.0, 1.0
    mean = a / (a + b)
    x = mean + _normal_quantile(share) * sqrt(mean * (1.0 - mean) / (a + b + 1.0))
    if not 0.0 < x < 1.0:
        x = mean
    for _ in range(MOST_STEPS):
        miss = incomplete_beta(a, b, x) - share
        if miss > 0.0:
            high = x
        else:
            low = x
        slope = exp(_log_front(a, b, x)) / (x * (1.0 - x))
        moved = x - miss / slope if slope > 0.0 else -1.0
        if not low < moved < high:
            # Halve what is left: by ratio where the ends are far apart in size.
            moved = sqrt(low * high) if low > 0.0 and high > 4.0 * low else 0.5 * (low + high)
        elif abs(moved - x) <= SETTLED * x:
            return moved
        if abs(moved - x) <= PRECISION * x:
            return moved
        x = moved
    return x


def _normal_quantile(share: float) -> float:
    """The normal distribution's quantile to a few thousandths, a place to begin (Hastings; from memory)."""
    t = sqrt(-2.0 * log(min(share, 1.0 - share)))
    size = t - (2.30753 + 0.27061 * t) / (1.0 + t * (0.99229 + 0.04481 * t))
    return size if share > 0.5 else -size


def _log_front(a: float, b: float, x: float) -> float:
    return lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)


def _fraction(a: float, b: float, x: float) -> float:
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > TINY else TINY)
    value = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > TINY else TINY)
            c = 1.0 + term / c
            c = c if abs(c) > TINY else TINY
            step = d * c
            value *= step
        if abs(step - 1.0) < PRECISION:
            break
    return value
