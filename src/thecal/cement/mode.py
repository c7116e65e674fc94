"""The commonest value of a sample that leans to one side."""

from __future__ import annotations

import numpy as np

from thecal.volume import FloatArray

LEAST_KEPT = 12
KEPT_SHARE = 8


def mode(sample: FloatArray) -> float:
    """The mode by repeated halving (Bickel & Fruehwirth 2006, doi 10.1016/j.csda.2005.07.011).

    Halving stops at an eighth of the sample, whose mean is steadier than the last pair's.

    Parameters
    ----------
    sample : (n,) float64
        n >= 1.
    """
    values = np.sort(sample)
    while len(values) > max(LEAST_KEPT, len(sample) // KEPT_SHARE):
        half = (len(values) + 1) // 2
        start = int(np.argmin(values[half - 1 :] - values[: len(values) - half + 1]))
        values = values[start : start + half]
    return float(values.mean())
