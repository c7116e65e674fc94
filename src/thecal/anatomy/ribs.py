"""Whether a vertebra bears ribs: bone followed outward from the costovertebral joint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.frames import VertebraFrame
from thecal.volume import BoolArray, FloatArray, Grid, IntArray

STEP_MM = 1.5
LATERAL_MM = (9.0, 75.0)
ANTERIOR_MM = (-60.0, 15.0)
CAUDAL_MM = 60.0  # how far below the body's middle a steep twelfth rib may be followed


@dataclass(frozen=True)
class RibEvidence:
    """What is seen of ribs at one vertebra.

    Attributes
    ----------
    left_mm, right_mm : float or None
        How far from the midline bone can be followed without a break; None where the scan ends first.
    probability : float or None
        That the vertebra bears ribs; None where neither side can be told, or the rib may be a neighbour's.
    """

    left_mm: float | None
    right_mm: float | None
    probability: float | None


def rib_evidence(
    hu: IntArray, grid: Grid, frames: Sequence[VertebraFrame], heights_mm: Sequence[float]
) -> list[RibEvidence]:
    """Evidence that each vertebra bears ribs.

    In the vertebra's own axes bone is followed outward from the posterolateral body, pedicle and transverse
    process, slice by slice of growing distance from the midline, never inward and not above the vertebra. A
    transverse process ends by 45-50 mm from the midline; a rib goes on. Kidney, liver, muscle and contrast
    are no bridge: what is thicker than a rib is removed first, and a gap is crossed only at the joint.

    Parameters
    ----------
    hu : (z, y, x) int16
        A crop that reaches at least 65 mm to both sides of the spine, or as far as the scan does.
    grid : Grid
        Where the crop lies.
    frames : sequence of VertebraFrame
        Caudal to cranial.
    heights_mm : sequence of float
        Height of each body.

    Returns
    -------
    list of RibEvidence
    """
    left, right = (
        [_follow(hu, grid, f, h, side) for f, h in zip(frames, heights_mm, strict=True)]
        for side in (1.0, -1.0)
    )
    borrowed = _borrowed(left) | _borrowed(right)
    row = [
        RibEvidence(a.reach_mm, b.reach_mm, None if i in borrowed else _probability(a.reach_mm, b.reach_mm))
        for i, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    return _with_short_ribs(row)


@dataclass(frozen=True)
class _Trace:
    """Bone followed from one vertebra to one side.

    ``shaft`` holds the places of the bone beyond any transverse process, in cells of CELL_MM; ``root_mm`` is
    how far above the vertebra's middle the bone lies where the neck of a rib would be.
    """

    reach_mm: float | None
    shaft: frozenset[tuple[int, ...]]
    root_mm: float


CELL_MM = 4.0


def _borrowed(traces: list[_Trace]) -> set[int]:
    """Vertebrae at both ends of the row whose only rib is that of the next one inward.

    The first rib passes below the tip of C7's process and the twelfth above that of L1's; in thick slices
    bone seems to join them. Whose rib it is shows by the height of its neck; the other's cannot be told.
    """
    SAME = 0.8
    found: set[int] = set()
    for order in (range(len(traces)), range(len(traces) - 1, -1, -1)):
        for outer, inner in pairwise(order):
            a, b = traces[outer], traces[inner]
            if not a.shaft:
                continue
            if len(a.shaft & b.shaft) <= SAME * len(a.shaft) or abs(a.root_mm) <= abs(b.root_mm):
                break
            found.add(outer)
    return found


def _with_short_ribs(row: list[RibEvidence]) -> list[RibEvidence]:
    """Short twelfth ribs, no longer than a long transverse process, known by their neighbours.

    Transverse processes grow shorter from L3 up to L1. A vertebra just below one with plain ribs, whose
    bone reaches farther out than that of the vertebra below it, bears short ribs.
    """
    PLAIN, LEAST_MM, LONGER_MM = 0.8, 40.0, (5.0, 15.0)
    result = list(row)
    for i in range(1, len(row) - 1):
        above, here, below = row[i + 1], row[i], row[i - 1]
        own, other = _mean_reach(here), _mean_reach(below)
        if here.probability is None or own is None or other is None or own < LEAST_MM:
            continue
        if above.probability is None or above.probability < PLAIN or (below.probability or 0.0) > 1 - PLAIN:
            continue
        short = float(np.clip((own - other - LONGER_MM[0]) / (LONGER_MM[1] - LONGER_MM[0]), 0.0, 0.95))
        result[i] = RibEvidence(here.left_mm, here.right_mm, max(here.probability, short))
    return result


def _mean_reach(one: RibEvidence) -> float | None:
    sides = [s for s in (one.left_mm, one.right_mm) if s is not None]
    return float(np.mean(sides)) if sides else None


def _probability(left: float | None, right: float | None) -> float | None:
    """Both sides together; a pair of short twelfth ribs and a long process are told apart by neither."""
    PROCESS_MM, RIB_MM = 51.0, 63.0  # transverse processes end before the one, ribs reach the other
    sides = [s for s in (left, right) if s is not None]
    if not sides:
        return None
    each = [float(np.clip((s - PROCESS_MM) / (RIB_MM - PROCESS_MM), 0.0, 1.0)) for s in sides]
    if len(each) == 1:
        return 0.05 + 0.9 * each[0]
    # One clear rib of a pair is a rib: the other may be short, broken or out of the field.
    return 0.02 + 0.96 * (0.65 * max(each) + 0.35 * min(each))


def _follow(hu: IntArray, grid: Grid, frame: VertebraFrame, height: float, side: float) -> _Trace:
    """Bone followed to one side; its reach is None where the scan ends first."""
    NECK_AT_MM, SHAFT_MM = (28.0, 38.0), (48.0, 62.0)
    BONE_HU = 150.0
    JOINT_MM = 30.0  # the costovertebral and costotransverse joints lie within this of the midline
    NECK_MM = 22.0  # to here a rib keeps its vertebra's height; lower bone is the next vertebra's
    STEEPEST = 1.5  # mm caudal per mm outward: twelfth ribs descend at up to 60 degrees
    SLOPE = 2  # mm along or across per mm outward within the slice
    FAR_ENOUGH_MM = 60.0  # a rib by its length, wherever the scan ends
    SECTION_MM2 = 250.0  # a rib, 12 x 8 mm, cut at 60 degrees has 190; what is more is the ilium or a vessel
    lateral = np.arange(LATERAL_MM[0], LATERAL_MM[1] + STEP_MM, STEP_MM)
    anterior = np.arange(ANTERIOR_MM[0], ANTERIOR_MM[1] + STEP_MM, STEP_MM)
    top = height / 2 + 4.0
    cranial = np.arange(-CAUDAL_MM, top + STEP_MM, STEP_MM)
    values, inside = _block(hu, grid, frame, side * lateral, anterior, cranial)
    bone = _slender(values > BONE_HU, lateral)
    lowest = -(height / 2 + 2.0) - STEEPEST * np.maximum(0.0, lateral - NECK_MM)
    bone &= inside & (cranial[None, None, :] >= lowest[:, None, None])
    seed = (
        bone[0]
        & (np.abs(cranial)[None, :] <= height / 2 + 2.0)
        & ((anterior >= -22.0) & (anterior <= 8.0))[:, None]
    )
    if not seed.any():
        return _Trace(None if not inside[0].all() else 0.0, frozenset(), 0.0)
    touching, across_joint = 3, 5
    steep = 2 * SLOPE + 1
    reached = [seed]
    farthest = lateral[0]
    for k in range(1, len(lateral)):
        start = ndimage.maximum_filter(reached[-1], touching)
        if lateral[k] < JOINT_MM and k >= 3:
            start |= ndimage.maximum_filter(reached[-1] | reached[-2] | reached[-3], across_joint)
        # A rib may run along the slice for a little, as far as its slope allows.
        near = bone[k] & ndimage.maximum_filter(reached[-1], steep)
        now = ndimage.binary_propagation(start & bone[k], mask=near | (start & bone[k]))
        if lateral[k] > 45.0 and now.sum() * STEP_MM**2 > SECTION_MM2:
            now[:] = False
        reached.append(now)
        if now.any():
            farthest = float(lateral[k])
        elif lateral[k] > JOINT_MM:
            break
    slices = np.zeros(bone.shape, bool)
    slices[: len(reached)] = np.stack(reached)
    neck = np.argwhere(slices[(lateral >= NECK_AT_MM[0]) & (lateral <= NECK_AT_MM[1])])
    root = float(np.median(cranial[neck[:, 2]])) if len(neck) else 0.0
    beyond = (lateral >= SHAFT_MM[0]) & (lateral <= SHAFT_MM[1])
    at = np.argwhere(slices & beyond[:, None, None])
    local = np.stack([side * lateral[at[:, 0]], anterior[at[:, 1]], cranial[at[:, 2]]], axis=-1)
    cells = np.rint(frame.to_lps(local) / CELL_MM).astype(int)
    shaft = frozenset(tuple(int(v) for v in cell) for cell in np.unique(cells, axis=0))
    unseen = _leaves_scan(reached, inside, lateral, farthest) or not _root_in_scan(
        inside, lateral, anterior, cranial, height
    )
    return _Trace(None if unseen and farthest < FAR_ENOUGH_MM else farthest, shaft, root)


def _block(
    hu: IntArray,
    grid: Grid,
    frame: VertebraFrame,
    lateral: FloatArray,
    anterior: FloatArray,
    cranial: FloatArray,
) -> tuple[npt.NDArray[np.float32], BoolArray]:
    """HU in the vertebra's axes, (lateral, anterior, cranial), and whether each point lies in the scan."""
    origin = grid.to_index(frame.to_lps([lateral[0], anterior[0], cranial[0]]))
    turn = np.linalg.inv(grid.affine)[:3, :3] @ np.stack([frame.left, frame.anterior, frame.cranial], axis=1)
    steps = turn * [lateral[1] - lateral[0], STEP_MM, STEP_MM]
    shape = (len(lateral), len(anterior), len(cranial))
    values = ndimage.affine_transform(
        hu, steps, origin, output_shape=shape, order=1, mode="nearest", output=np.float32, prefilter=False
    )
    along = [np.arange(n) for n in shape]
    inside = np.ones(shape, bool)
    for axis in range(3):
        place = (
            origin[axis]
            + (steps[axis, 0] * along[0])[:, None, None]
            + (steps[axis, 1] * along[1])[None, :, None]
            + (steps[axis, 2] * along[2])[None, None, :]
        )
        inside &= (place >= -0.5) & (place <= hu.shape[axis] - 0.5)
    smooth: npt.NDArray[np.float32] = ndimage.gaussian_filter(values, 0.6)
    return smooth, inside


def _slender(bone: BoolArray, lateral: FloatArray) -> BoolArray:
    """Bone without what is thicker than a rib, beyond the vertebra itself: kidney, contrast, a full bowel."""
    RADIUS_MM = 9.0
    VERTEBRA_MM = 32.0
    first = int(np.searchsorted(lateral, VERTEBRA_MM - RADIUS_MM))
    part = bone[first:]
    deep = ndimage.distance_transform_edt(part) * STEP_MM > RADIUS_MM
    if not deep.any():
        return bone
    thick = np.zeros(bone.shape, bool)
    thick[first:] = ndimage.distance_transform_edt(~deep) * STEP_MM <= RADIUS_MM + STEP_MM
    thick[lateral < VERTEBRA_MM] = False
    slender: BoolArray = bone & ~thick
    return slender


def _root_in_scan(
    inside: BoolArray, lateral: FloatArray, anterior: FloatArray, cranial: FloatArray, height: float
) -> bool:
    """Whether the scan holds the whole place where this vertebra's rib would arise."""
    HALF_MM = 10.0  # of a body cut by the scan's edge: the height that is seen is not its own
    high = np.abs(cranial) <= max(height / 2, HALF_MM)
    beside = (lateral >= 15.0) & (lateral <= 45.0)
    behind = (anterior >= -35.0) & (anterior <= 8.0)
    return bool(inside[np.ix_(beside, behind, high)].mean() > 0.9)


def _leaves_scan(reached: list[BoolArray], inside: BoolArray, lateral: FloatArray, farthest: float) -> bool:
    """Whether the bone followed ends where the scan does."""
    k = int(np.searchsorted(lateral, farthest))
    tip = reached[min(k, len(reached) - 1)]
    if not tip.any():
        return True
    around = ndimage.maximum_filter(tip, 7)
    ahead = inside[min(k + 1, len(lateral) - 1)]
    return bool((around & ~ahead).any())
