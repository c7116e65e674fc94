"""Ways that hold no cement: straight holes of soft tissue or air from behind through bone into the body."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.leakage.tracks.block import STEP_MM, Block
from thecal.leakage.tracks.spots import AIR_HU, BRIGHTEST_HU, GAS_DEPTH, hole_spots
from thecal.leakage.tracks.tubes import STEEP_DEG, Tube, along, best_tube, centred, cleared, fitted
from thecal.volume import FloatArray

THRESHOLD: Final = 0.45
"""A way of 2.4 mm through trabecular bone is blurred to 0.6 of its depth; texture and noise reach 0.3."""
MOST_BEHIND_MM: Final = -8.0
LEAST_AHEAD_MM: Final = 2.5
"""A way must be seen from the base of the arch through the pedicle into the body (mm before the posterior
wall): the marrow of a pedicle, dark within its cortex, looks like the middle of one."""
LEAST_MEAN: Final = 0.55
LEAST_TENTH: Final = 0.3
"""Of the depths along a way, the mean and the one that nine in ten exceed."""
BRIGHTEST_MIDDLE_HU: Final = 110.0
"""Soft tissue (0 to 60 HU) with what its wall blurs into it."""
ROUND_PX: Final = 7
"""A square of 5 mm round the middle of a way."""
MOST_OUTSIDE: Final = 0.6
"""Of that square, beside the canal: at an arch's back and beside the canal half of it is not bone."""
FIRM_HU: Final = 90.0
LEAST_IN_THIN_MM: Final = 6.0
"""Where a quarter of the way's wall in the body is dimmer, bone is so uneven, and its marrow so like a hole,
that a way must be seen in it so far."""
FEWEST_PLANES: Final = 6
THROUGH_CANAL_MM: Final = 2.25
"""A way that runs so far within the canal's wall (from back to front) is open there."""
LEAST_IN_ARCH_MM: Final = 3.5
LEAST_IN_BODY_MM: Final = 4.5
"""Of a way through the canal so much must be walled by bone in the arch, and so much in the body."""
DEEPEST_MM: Final = 4.5
"""A line that runs farther medial in the canal leads from the gap between the laminae or the spinous process'
base, both dark within bone, to any dark spot of the body."""
MIDLINE_MM: Final = 3.5
"""Nearer to it lie the basivertebral vein in the body and the marrow of the spinous process in the arch."""
STEEPEST_THROUGH_DEG: Final = 25.0
OUTWARD_THROUGH_DEG: Final = 10.0
"""No needle that enters at the pedicle runs through the canal's side steeper or farther outward."""
HALF: Final = 0.5
TRIED_A_SIDE: Final = 6
MOST_A_SIDE: Final = 4
"""Lines that are looked at, and tracks that are found at most, on each side."""


def bores(block: Block, gate: FloatArray) -> list[tuple[Tube, bool]]:
    """Holes on one side of a vertebra, the clearest first, up to four, and whether each holds air.

    In the canal a way has no wall, and in cement none that is seen: neither tells for a way nor against it.

    Parameters
    ----------
    block : Block
    gate : (3,) float64
        Index of the pedicle's middle.
    """
    hu = np.minimum(block.hu, np.float32(BRIGHTEST_HU))
    spots, wall, tunnel = hole_spots(block.hu, block.cement, block.side)
    # The anatomy takes a way's mouth for canal; there it has bone all round all the same.
    walled = (tunnel & (spots > THRESHOLD)) | (spots >= GAS_DEPTH)
    unseen = np.isnan(spots) | (block.canal & ~walled)
    # A groove, a foramen or a disc between its plates has walls too, but not this vertebra round it.
    outside = ndimage.uniform_filter(
        (~(block.bone | block.canal)).astype(np.float32), (1, ROUND_PX, ROUND_PX)
    )
    spots[outside > MOST_OUTSIDE] = np.float32(0.0)
    spots[unseen] = np.float32(THRESHOLD)
    ends = block.plane_of(MOST_BEHIND_MM), block.plane_of(0.0), block.plane_of(LEAST_AHEAD_MM)
    isthmus = round(float(gate[0]))
    found: list[tuple[Tube, bool]] = []
    for _ in range(TRIED_A_SIDE):
        tube = best_tube(spots, gate, block.side, THRESHOLD, ends)
        if tube is None or len(found) == MOST_A_SIDE:
            break
        seen = _seen(tube, unseen)
        if len(seen) >= FEWEST_PLANES:
            middle, rim = (float(np.median(along(tube, x)[seen])) for x in (hu, wall))
            weight = np.clip(0.75 * rim + 0.25 * middle - hu, 0.0, max(rim - middle, 1.0))
            tube = centred(tube, np.where(unseen, np.float32(0.0), weight))
            tube = fitted(tube, along(tube, spots), isthmus, THRESHOLD)
            seen = _seen(tube, unseen)
        middle = float(np.median(along(tube, hu)[seen])) if len(seen) else 0.0
        if middle <= BRIGHTEST_MIDDLE_HU and _is_way(
            tube, block, along(tube, spots), along(tube, wall), seen
        ):
            found.append((tube, middle < AIR_HU))
        else:
            # A groove was the better line. What lies before it may be a way's end all the same.
            tube = replace(tube, last=isthmus)
        spots = cleared(spots, tube)
    return found


def _seen(tube: Tube, unseen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Planes of the run on which bone could be seen round the line."""
    run = np.arange(tube.first, tube.last + 1)
    return run[along(tube, unseen.astype(np.float32))[run] < HALF]


def _is_way(
    tube: Tube,
    block: Block,
    depths: npt.NDArray[np.float32],
    walls: npt.NDArray[np.float32],
    seen: npt.NDArray[np.intp],
) -> bool:
    """Whether a run is deep enough for a hole, and long enough in arch and body to be no natural one."""
    if len(seen) < FEWEST_PLANES or not _deep(depths[seen]):
        return False
    in_body = seen[seen > block.plane_of(0.0)]
    if (
        tube.first > block.plane_of(MOST_BEHIND_MM)
        or tube.last < block.plane_of(LEAST_AHEAD_MM)
        or not len(in_body)
    ):
        return False
    if abs(tube.slope[0]) > np.tan(np.radians(STEEP_DEG)):
        return False
    oblique = STEP_MM * float(np.sqrt(1.0 + tube.slope @ tube.slope))
    thin = (
        float(np.percentile(walls[in_body], 25)) < FIRM_HU and float(np.median(depths[in_body])) < GAS_DEPTH
    )
    if thin and len(in_body) * oblique < LEAST_IN_THIN_MM:
        return False
    run = np.arange(tube.first, tube.last + 1)
    open_planes = np.setdiff1d(run[(along(tube, block.canal.astype(np.float32)) >= HALF)[run]], seen)
    if len(open_planes) * STEP_MM < THROUGH_CANAL_MM:
        return True
    outward = block.side * float(tube.slope[1])
    if abs(tube.slope[0]) > np.tan(np.radians(STEEPEST_THROUGH_DEG)) or outward > np.tan(
        np.radians(OUTWARD_THROUGH_DEG)
    ):
        return False
    in_arch, in_body = seen[seen < open_planes[0]], seen[seen > open_planes[-1]]
    across = block.local_of(tube.points(np.array([tube.first, block.plane_of(0.0)], float)))[:, 0]
    if (block.side * across).min() < MIDLINE_MM or _from_side_wall(tube, block, open_planes) > DEEPEST_MM:
        return False
    return (
        len(in_arch) * oblique >= LEAST_IN_ARCH_MM
        and len(in_body) * oblique >= LEAST_IN_BODY_MM
        and float(depths[in_arch].mean()) >= THRESHOLD
        and float(depths[in_body].mean()) >= THRESHOLD
    )


def _from_side_wall(tube: Tube, block: Block, planes: npt.NDArray[np.intp]) -> float:
    """How far medial of the canal's own side a line runs at most on some planes, mm."""
    deepest = 0
    for plane, row, column in np.rint(tube.points(planes.astype(float))).astype(int):
        across = block.canal[plane, row]
        outward = across[column:] if block.side > 0 else across[: column + 1][::-1]
        deepest = max(deepest, len(outward) if outward.all() else int(np.argmin(outward)))
    return deepest * STEP_MM


def _deep(depths: npt.NDArray[np.float32]) -> bool:
    return float(depths.mean()) >= LEAST_MEAN and float(np.percentile(depths, 10)) >= LEAST_TENTH
