"""Straight tubes through a stack of planes: the line along which spots follow one another best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.leakage.tracks.block import STEP_MM, FloatImage
from thecal.volume import FloatArray

GATE_MM: Final = -6.0
"""Anterior of the posterior wall's middle: the isthmus of the pedicle, which every way passes."""
MEDIAL_REACH_MM: Final = 9.0
LATERAL_REACH_MM: Final = 7.0
HEIGHT_REACH_MM: Final = 9.0
"""About the pedicle's middle, from a way through the canal's edge to one beside the pedicle."""
GATE_STEP_MM: Final = 1.0
INWARD_DEG: Final = 45.0
OUTWARD_DEG: Final = 21.0
STEEP_DEG: Final = 30.0
"""A needle runs at most so far off the vertebra's own front: towards the midline (40 degrees by a transverse
process of the upper thorax), away from it (10 along the pedicles of T12: Kaur 2016), and up or down, where a
pedicle 15 mm high and 20 mm long leaves no more room."""
ANGLE_STEP_DEG: Final = 3.0
LEAST_GAIN: Final = 0.3
"""Behind the isthmus, and in the body, a way with two ends outweighs the threshold by so much."""
NEAR: Final = 3
"""Planes on either side of the isthmus on which a line must already look somewhat like a tube."""
SLACK: Final = 0.7
FOLLOW_MM: Final = 1.9
"""A tube's middle is drawn from what lies so near to its line."""
ROUNDS: Final = 4
CLEARED_MM: Final = 2.4
"""A tube that is found is taken out with what lies so near to its line."""


@dataclass(frozen=True, eq=False)
class Tube:
    """A straight run of spots: index (j, i) at plane 0, its change by plane, first and last plane."""

    at: FloatArray
    slope: FloatArray
    first: int
    last: int
    score: float

    def points(self, planes: npt.NDArray[np.float64]) -> FloatArray:
        """Indices (n, 3) on planes (n,)."""
        across = self.at + planes[:, None] * self.slope
        return np.concatenate([planes[:, None], across], axis=1)


def best_tube(
    spots: FloatImage, gate: FloatArray, side: int, threshold: float, ends: tuple[int, int, int] | None = None
) -> Tube | None:
    """The line through the gate with the best run of spots.

    Parameters
    ----------
    spots : (k, j, i) float32
        How much each sample looks like the middle of a tube.
    gate : (3,) float64
        Index (k, j, i) of the pedicle's middle.
    side : int
        1 left, -1 right: where medial lies.
    threshold : float
        Spots below it count against the run.
    ends : (int, int, int), optional
        Planes before or on which a run must begin, the body's back, and on or behind which a run must end.
    """
    inner, outer = MEDIAL_REACH_MM / STEP_MM, LATERAL_REACH_MM / STEP_MM
    left, right = (inner, outer) if side > 0 else (outer, inner)
    step = GATE_STEP_MM / STEP_MM
    columns = gate[2] + np.arange(-left, right + 1e-6, step)
    rows = gate[1] + np.arange(-HEIGHT_REACH_MM / STEP_MM, HEIGHT_REACH_MM / STEP_MM + 1e-6, step)
    low, high = (-INWARD_DEG, OUTWARD_DEG) if side > 0 else (-OUTWARD_DEG, INWARD_DEG)
    sideways = np.tan(np.radians(np.arange(low, high + 1e-6, ANGLE_STEP_DEG)))
    steep = np.tan(np.radians(np.arange(-STEEP_DEG, STEEP_DEG + 1e-6, ANGLE_STEP_DEG)))
    plane = round(float(gate[0]))
    begins, body, ends_at = ends if ends is not None else (plane, plane, plane)
    least = np.float32(LEAST_GAIN if ends is not None else -np.inf)
    score, row, column, up, across, first, last = _search(
        spots, plane, rows, columns, steep, sideways, np.float32(threshold), begins, body, ends_at, least
    )
    if score <= 0.0:
        return None
    slope = np.array([steep[up], sideways[across]])
    at = np.array([rows[row], columns[column]]) - plane * slope
    return Tube(at, slope, int(first), int(last), float(score) * STEP_MM)


@njit(cache=True)
def _search(spots, plane, rows, columns, up, across, threshold, begins, body, ends_at, least):  # type: ignore[no-untyped-def]
    """Best run (largest sum of spots above the threshold) of all lines, by the nearest samples."""
    count, height, width = spots.shape
    best = np.float32(0.0)
    found = (0, 0, 0, 0, 0, 0)
    for a in range(len(rows)):
        for b in range(len(columns)):
            for c in range(len(up)):
                for d in range(len(across)):
                    # Most lines are no tube at the isthmus itself.
                    local = np.float32(0.0)
                    for k in range(max(0, plane - NEAR), min(count, plane + NEAR + 1)):
                        j = int(np.floor(rows[a] + (k - plane) * up[c] + 0.5))
                        i = int(np.floor(columns[b] + (k - plane) * across[d] + 0.5))
                        if 0 <= j < height and 0 <= i < width:
                            local += spots[k, j, i] - threshold
                        else:
                            local -= threshold
                    if local < -SLACK:
                        continue
                    total = np.float32(0.0)
                    behind = np.float32(0.0)
                    begin = 0
                    row = rows[a] - plane * up[c] + 0.5
                    column = columns[b] - plane * across[d] + 0.5
                    for k in range(count):
                        j = int(np.floor(row))
                        i = int(np.floor(column))
                        row += up[c]
                        column += across[d]
                        value = -threshold
                        if 0 <= j < height and 0 <= i < width:
                            value += spots[k, j, i]
                        if total <= 0.0:
                            # A run must have begun in the arch when it passes the isthmus.
                            if k > begins:
                                break
                            total = np.float32(0.0)
                            begin = k
                        total += value
                        if k == plane and total < least:
                            break
                        if k == body:
                            behind = total
                        # What lies open on the way may bring nothing, what is walled must on either side.
                        if total > best and k >= ends_at and total - behind >= least:
                            best = total
                            found = (a, b, c, d, begin, k)
    return best, found[0], found[1], found[2], found[3], found[4], found[5]


def centred(tube: Tube, weight: FloatImage) -> Tube:
    """The same run on the line through the middles of what is seen on its planes.

    Parameters
    ----------
    tube : Tube
    weight : (k, j, i) float32
        How much of each sample is tube, >= 0.
    """
    at, slope = tube.at, tube.slope
    reach = FOLLOW_MM / STEP_MM
    for _ in range(ROUNDS):
        planes = np.arange(tube.first, tube.last + 1)
        middles, mass = _middles(weight, at, slope, tube.first, tube.last, reach)
        seen = mass > 0.0
        if seen.sum() < 4:
            break
        design = np.stack([np.ones(int(seen.sum())), planes[seen]], axis=1)
        root = np.sqrt(np.minimum(mass[seen], np.median(mass[seen])))[:, None]
        fit, *_ = np.linalg.lstsq(design * root, middles[seen] * root, rcond=None)
        at, slope = fit[0], fit[1]
    return Tube(at, slope, tube.first, tube.last, tube.score)


@njit(cache=True)
def _middles(weight, at, slope, first, last, reach):  # type: ignore[no-untyped-def]
    """Weighted middle (row, column) and weight within ``reach`` of the line on each plane."""
    middles = np.zeros((last - first + 1, 2))
    mass = np.zeros(last - first + 1)
    for k in range(first, last + 1):
        row, column = at[0] + k * slope[0], at[1] + k * slope[1]
        total, sum_j, sum_i = 0.0, 0.0, 0.0
        for j in range(max(0, int(row - reach)), min(weight.shape[1], int(row + reach) + 2)):
            for i in range(max(0, int(column - reach)), min(weight.shape[2], int(column + reach) + 2)):
                off = np.sqrt((j - row) ** 2 + (i - column) ** 2)
                if off > reach:
                    continue
                # A soft edge, so that the middle does not jump from sample to sample.
                share = min(1.0, reach - off + 0.5) * weight[k, j, i]
                total += share
                sum_j += share * j
                sum_i += share * i
        if total > 0.0:
            middles[k - first, 0] = sum_j / total
            middles[k - first, 1] = sum_i / total
            mass[k - first] = total
    return middles, mass


def along(tube: Tube, image: FloatImage) -> npt.NDArray[np.float32]:
    """Samples of an image on every plane of the stack along the tube's line."""
    from scipy import ndimage

    index = tube.points(np.arange(image.shape[0], dtype=np.float64))
    values: npt.NDArray[np.float32] = ndimage.map_coordinates(
        image, index.T, order=1, mode="nearest", output=np.float32
    )
    return values


def fitted(tube: Tube, spots: npt.NDArray[np.float32], plane: int, threshold: float) -> Tube:
    """The best run through a plane on a line, from what is seen along it.

    Parameters
    ----------
    tube : Tube
    spots : (k,) float32
        On every plane of the stack.
    plane : int
    threshold : float
        As in :func:`best_tube`.
    """
    gains = spots.astype(float) - threshold
    back, ahead = np.cumsum(gains[: plane + 1][::-1]), np.cumsum(gains[plane:])
    return Tube(tube.at, tube.slope, plane - int(np.argmax(back)), plane + int(np.argmax(ahead)), tube.score)


def cleared(spots: FloatImage, tube: Tube) -> FloatImage:
    """The spots without those of a tube, so that the next one can be looked for."""
    rest = spots.copy()
    reach = CLEARED_MM / STEP_MM
    rows, columns = np.mgrid[: spots.shape[1], : spots.shape[2]]
    for k in range(max(0, tube.first - 4), min(spots.shape[0], tube.last + 5)):
        row, column = tube.at + k * tube.slope
        rest[k][np.hypot(rows - row, columns - column) <= reach] = 0.0
    return rest
