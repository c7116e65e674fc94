"""The interval of one proportion, without any approximation."""

from __future__ import annotations

from thecal.errors import InputError
from thecal.registry.incomplete_beta import incomplete_beta_inverse


def clopper_pearson(events: int, n: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval of a proportion (Clopper and Pearson 1934, Biometrika 26:404).

    Parameters
    ----------
    events, n : int
        So many of so many.
    confidence : float

    Returns
    -------
    low, high : float
        Each tail of the binomial distribution holds at most half of what is left.

    Raises
    ------
    InputError
        Where there are more events than trials, or none to count.
    """
    if not 0 <= events <= n or n < 1:
        raise InputError(f"{events} of {n} is no proportion")
    tail = 0.5 * (1.0 - confidence)
    low = 0.0 if events == 0 else incomplete_beta_inverse(events, n - events + 1, tail)
    high = 1.0 if events == n else incomplete_beta_inverse(events + 1, n - events, 1.0 - tail)
    return low, high
