"""Turnbull's estimate: the share still waiting, where an event is only known to lie between two visits.

The nonparametric maximum-likelihood estimate for times that lie in ``(left, right]`` (Turnbull 1976, J R Stat
Soc B 38:290, from memory). It puts mass on the innermost intervals only: those that begin at a left end, end
at a right end, and hold no other end. How the mass lies within one of them the data do not tell.

It is found by steps of self-consistency (EM), each followed by one of the iterative convex minorant (Wellner
and Zhan 1997, J Am Stat Assoc 92:945, from memory), and is done when the gradient proves that no other curve
could be more likely by more than ``GAP``. None of the libraries that thecal uses has it; lifelines has, and
brings pandas, formulaic and autograd for these lines. The tests hold it against npsurv in R.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.registry.statistics.columns import BoolArray, FloatArray, IntArray

GAP: Final = 1e-6
"""How much more likely another curve could be at most, in units of the log-likelihood."""
MOST_STEPS: Final = 2_000
SMALL: Final = 1e-12
"""Mass below this is none."""


@dataclass(frozen=True)
class Turnbull:
    """The share still waiting.

    Attributes
    ----------
    left, right : (k,) float
        The innermost intervals ``(left, right]`` that hold mass, in order, days; the last right is infinite
        where some never had the event.
    mass : (k,) float
        Of each; they add up to 1.
    log_likelihood : float
    gap : float
        How much more likely another curve could be at most.
    """

    left: FloatArray
    right: FloatArray
    mass: FloatArray
    log_likelihood: float
    gap: float

    def waiting_at(self, day: float) -> tuple[float, float]:
        """The least and the most of the share still waiting on a day: apart within an innermost interval."""
        return float(self.mass[self.left >= day].sum()), float(self.mass[self.right > day].sum())

    def median(self) -> tuple[float, float] | None:
        """The innermost interval in which half have had it; None where half never have."""
        at = int(np.searchsorted(np.cumsum(self.mass), 0.5 - SMALL))
        if at >= self.mass.size or not np.isfinite(self.right[at]):
            return None
        return float(self.left[at]), float(self.right[at])


def turnbull(left: FloatArray, right: FloatArray) -> Turnbull:
    """The estimate from times that lie in ``(left, right]``.

    Parameters
    ----------
    left, right : (n,) float
        ``left < right``; infinite ``right`` where it never was seen.

    Returns
    -------
    Turnbull
    """
    ends, many = np.unique(np.stack([left, right], axis=1), axis=0, return_counts=True)
    begin, end = _innermost(ends[:, 0], ends[:, 1])
    # Those within (left, right] follow each other: [first, last).
    first = np.searchsorted(begin, ends[:, 0], side="left")
    last = np.searchsorted(end, ends[:, 1], side="right")
    mass = np.full(begin.size, 1.0 / begin.size)
    total = float(many.sum())
    gap = np.inf
    for _ in range(MOST_STEPS):
        pull = _pull(mass, first, last, many)
        gap = float(pull.max() - total)
        if gap <= GAP:
            break
        mass = _convex_minorant(mass * pull / total, first, last, many)
    held = mass > SMALL
    return Turnbull(
        begin[held], end[held], mass[held] / mass[held].sum(), _likelihood(mass, first, last, many), gap
    )


def _innermost(left: FloatArray, right: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The intervals from a left end to the right end that comes next, where no left end lies between.

    At the same time a right end comes first: ``(2, 5]`` and ``(5, 9]`` have nothing in common.
    """
    ends = np.concatenate([np.unique(right), np.unique(left)])
    is_left: BoolArray = np.arange(ends.size) >= np.unique(right).size
    order = np.lexsort((is_left, ends))
    ends, is_left = ends[order], is_left[order]
    at = np.flatnonzero(is_left[:-1] & ~is_left[1:])
    return ends[at], ends[at + 1]


def _pull(mass: FloatArray, first: IntArray, last: IntArray, many: IntArray) -> FloatArray:
    """The gradient of the log-likelihood: of an innermost interval the sum of 1 / P of those it lies in."""
    below = np.concatenate([[0.0], np.cumsum(mass)])
    each = many / np.maximum(below[last] - below[first], np.finfo(float).tiny)
    steps = _summed(first, each, mass.size + 1) - _summed(last, each, mass.size + 1)
    found: FloatArray = np.cumsum(steps)[:-1]
    return found


def _likelihood(mass: FloatArray, first: IntArray, last: IntArray, many: IntArray) -> float:
    below = np.concatenate([[0.0], np.cumsum(mass)])
    with np.errstate(divide="ignore", invalid="ignore"):
        return float((many * np.log(below[last] - below[first])).sum())


def _convex_minorant(mass: FloatArray, first: IntArray, last: IntArray, many: IntArray) -> FloatArray:
    """A step of Newton's kind for each cumulated mass, put in order again, and only as far as it helps."""
    below = np.concatenate([[0.0], np.cumsum(mass)])
    below /= below[-1]
    inverse = 1.0 / np.maximum(below[last] - below[first], np.finfo(float).tiny)
    size = below.size
    slope = _summed(last, many * inverse, size) - _summed(first, many * inverse, size)
    bend = _summed(last, many * inverse**2, size) + _summed(first, many * inverse**2, size)
    aim = below.copy()
    inner = slice(1, size - 1)
    aim[inner] = np.clip(_in_order(below[inner] + slope[inner] / bend[inner], bend[inner]), 0.0, 1.0)
    before = _likelihood(mass, first, last, many)
    part = 1.0
    while part > SMALL:
        moved: FloatArray = np.diff(below + part * (aim - below))
        if _likelihood(moved, first, last, many) > before:
            return moved
        part /= 2.0
    return mass


def _summed(at: IntArray, weights: FloatArray, size: int) -> FloatArray:
    """The weights at each place, added up."""
    return np.asarray(np.bincount(at, weights, size), float)


def _in_order(values: FloatArray, weights: FloatArray) -> FloatArray:
    """The nearest values that never fall (weighted least squares), by joining neighbours that do."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] >= block[0]:
            mean, heavy, many = blocks.pop()
            both = heavy + block[1]
            block = ((mean * heavy + block[0] * block[1]) / both, both, many + block[2])
        blocks.append(block)
    return np.repeat([block[0] for block in blocks], [block[2] for block in blocks])
