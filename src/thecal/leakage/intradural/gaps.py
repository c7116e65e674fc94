"""Gaps in cement along straight lines: cement, then hardly any, then cement again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

PEAK: Final = 0.3
"""Cement on either side of a gap fills at least this share of the line somewhere."""
DIP: Final = 0.65
"""In a gap the share of cement falls to less than this part of the lower of its two sides."""
FAT_HU: Final = -30.0
"""Darker than this a gap holds fat: it lies outside the dura."""

Lines = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Gaps:
    """Gaps on many lines, one row each.

    Attributes
    ----------
    line : (g,) int
        Index of the line.
    middle, before, after : (g,) int
        Samples: the gap's lowest, and the peaks of cement on either side.
    width_mm : (g,) float64
        The way between the two peaks less the cement on it, which blur does not change.
    """

    line: npt.NDArray[np.int64]
    middle: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    width_mm: npt.NDArray[np.float64]


def gaps_on(lines: Lines, step_mm: float) -> Gaps:
    """Every gap on each line.

    Parameters
    ----------
    lines : (n, m) float32
        Shares of cement, 0..1, sampled every ``step_mm``.
    """
    table = _find(np.ascontiguousarray(lines, np.float32), PEAK, DIP)
    where = table.astype(np.int64)
    return Gaps(where[:, 0], where[:, 1], where[:, 2], where[:, 3], table[:, 4] * step_mm)


@njit(cache=True)
def _find(lines, least, dip):  # type: ignore[no-untyped-def]
    """Rows of line, valley, peak before, peak after, width in samples."""
    rows = []
    for i in range(lines.shape[0]):
        line = lines[i]
        # The highest so far on this side of the last gap, then the lowest since.
        peak, valley = -1, -1
        for j in range(line.shape[0]):
            if peak < 0:
                if line[j] >= least:
                    peak = j
                continue
            if valley < 0:
                if line[j] >= line[peak]:
                    peak = j
                elif line[j] < dip * line[peak]:
                    valley = j
                continue
            if line[j] <= line[valley]:
                valley = j
            elif line[j] >= least and line[valley] < dip * line[j]:
                # Up to the top of this side: the nearer peak bounds the gap.
                top = j
                while top + 1 < line.shape[0] and line[top + 1] >= line[top]:
                    top += 1
                # The last sample before the valley that is as high as the peak's own neighbourhood.
                edge = peak
                for k in range(peak, valley):
                    if line[k] >= 0.9 * line[peak]:
                        edge = k
                held = 0.5 * (line[edge] + line[top])
                for k in range(edge + 1, top):
                    held += line[k]
                rows.append((float(i), float(valley), float(edge), float(top), float(top - edge) - held))
                peak, valley = top, -1
    result = np.zeros((len(rows), 5))
    for i in range(len(rows)):
        for c in range(5):
            result[i, c] = rows[i][c]
    return result
