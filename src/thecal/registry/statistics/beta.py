"""The incomplete beta function and its inverse: what exact intervals of shares are made of.

SciPy has both; importing it takes longer than all of a registry's statistics.
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p, sqrt
from typing import Final

TINY: Final = 1e-300
CLOSE: Final = 1e-14
"""Relative, at which a continued fraction has ended."""
MOST_TERMS: Final = 100_000
HALVINGS: Final = 200
"""Of the interval in which an inverse is sought, at most."""


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, the share of a beta distribution below ``x``.

    By the continued fraction, evaluated by Lentz' method, on the side of the mean where it ends soon (Press
    et al., Numerical Recipes, 3rd ed., ch. 6.4; from memory, and held against SciPy in the tests).

    Parameters
    ----------
    a, b : float
        Above 0.
    x : float
        0 to 1.
    """
    if x <= 0.0 or x >= 1.0:
        return 0.0 if x <= 0.0 else 1.0
    if x > (a + 1.0) / (a + b + 2.0):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    c, d = 1.0, 1.0 / _away(1.0 - (a + b) * x / (a + 1.0))
    fraction = d
    for m in range(1, MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1.0 / _away(1.0 + even * d), _away(1.0 + even / c)
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1.0 / _away(1.0 + odd * d), _away(1.0 + odd / c)
        fraction *= d * c
        if abs(d * c - 1.0) < CLOSE:
            break
    return front * fraction


def beta_quantile(a: float, b: float, share: float) -> float:
    """Below which such a share of a beta distribution lies: Newton's steps within a shrinking interval."""
    low, high = 0.0, 1.0
    middle = a / (a + b)
    x = middle + (share - 0.5) * 2.0 * sqrt(middle * (1.0 - middle) / (a + b + 1.0))
    x = min(max(x, middle * 1e-3), 1.0 - (1.0 - middle) * 1e-3)
    scale = lgamma(a + b) - lgamma(a) - lgamma(b)
    for _ in range(HALVINGS):
        off = incomplete_beta(a, b, x) - share
        low, high = (low, x) if off > 0.0 else (x, high)
        density = exp(scale + (a - 1.0) * log(x) + (b - 1.0) * log1p(-x))
        step = x - off / density if density > TINY else -1.0
        after = step if low < step < high else (low + high) / 2.0
        if abs(after - x) <= CLOSE * x:
            return after
        x = after
    return x


def _away(value: float) -> float:
    """Not nought."""
    return value if abs(value) > TINY else TINY
