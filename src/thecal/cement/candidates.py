"""Which bright groups are cement: by where they lie, what they touch and whom they are near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from scipy.spatial import cKDTree

from thecal.anatomy.spine import Spine
from thecal.cement.metal import metal_in
from thecal.cement.nearness import Nearness
from thecal.volume import BoolArray, Box, FloatArray, IntArray, box_of, wider

ROOTED_MM = 2.0
ALONE_MM = 5.0
CHAIN_MM = 10.0
# A stretch of vein too thin to be seen is seldom longer; calcified nodes and vessels lie beside any spine.
UNSEEN_VEIN_MM = 25.0
LEAST_APART_MM3 = 30.0
# No calcified node or vessel outshines the patient's bone by this much.
UNMISTAKABLE = 1.5
BESIDE_MM = 15.0
BEHIND_MM = 60.0
POOL_REACH_MM = 3.0
POOL_SHARE = 0.25
MOST_CEMENT_ML = 40.0


@dataclass(eq=False)
class Sorted:
    """Bright voxels by what they are, each (z, y, x) bool in the spine's crop."""

    cement: BoolArray
    metal: BoolArray
    other: BoolArray
    reasons: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Group:
    box: Box
    mask: BoolArray
    points: FloatArray
    gap_mm: float
    behind: bool
    in_pool: bool
    volume_ml: float
    peak_hu: float


def sort_candidates(
    hu: IntArray,
    groups: npt.NDArray[np.int32],
    spine: Spine,
    near: Nearness,
    pool: Callable[[], BoolArray],
    threshold_hu: float,
) -> Sorted:
    """Tell cement from metal, contrast, calcified vessels and whatever lies apart from the spine.

    Cement comes out of a vertebra. A group that touches bone, disc or canal is rooted there; one that does
    not must follow another that is, within ``CHAIN_MM`` (a vein seen in parts), or lie in the needle's way
    through the muscles.

    Parameters
    ----------
    hu, groups : (z, y, x)
        HU; bright groups numbered from 1.
    spine, near
    pool : callable
        Gives the pools of contrast medium, which matter only to groups apart from bone.
    threshold_hu : float
        HU above which a voxel is brighter than this patient's bone.
    """
    spacing = spine.grid.spacing_mm
    result = Sorted(np.zeros(hu.shape, bool), np.zeros(hu.shape, bool), np.zeros(hu.shape, bool))
    whole = box_of(groups > 0)
    if whole is None:
        return result
    pending: list[_Group] = []
    for number, inner in enumerate(ndimage.find_objects(groups[whole]), start=1):
        if inner is None:
            continue
        z, y, x = (slice(w.start + i.start, w.start + i.stop) for w, i in zip(whole, inner, strict=True))
        box = wider((z, y, x), np.ceil(POOL_REACH_MM / spacing).astype(int), hu.shape)
        mask: BoolArray = groups[box] == number
        metal = metal_in(mask, box, hu, spine, near, spacing)
        if metal.any():
            result.metal[box] |= metal
            result.reasons["metal"] = result.reasons.get("metal", 0) + 1
            mask = mask & ~metal
            if not mask.any():
                continue
        pending.append(_describe(mask, box, hu, near, pool, spacing))
    accepted: list[_Group] = []
    for group in pending:
        if group.volume_ml > MOST_CEMENT_ML:
            result.reasons["too_large"] = result.reasons.get("too_large", 0) + 1
        elif group.gap_mm <= ROOTED_MM and not (group.in_pool and group.gap_mm > 0):
            accepted.append(group)
    rooted = cKDTree(np.concatenate([g.points for g in accepted])) if accepted else None
    rest = [g for g in pending if g not in accepted and g.volume_ml <= MOST_CEMENT_ML and not g.in_pool]
    near_enough = [g for g in rest if _belongs(g, rooted, threshold_hu)]
    accepted += near_enough
    rest = [g for g in rest if g not in near_enough]
    grew = rooted is not None
    while grew and rest:
        tree = cKDTree(np.concatenate([g.points for g in accepted]))
        joined = [g for g in rest if float(tree.query(g.points)[0].min()) <= CHAIN_MM]
        accepted += joined
        rest = [g for g in rest if g not in joined]
        grew = bool(joined)
    for group in pending:
        target = result.cement if group in accepted else result.other
        target[group.box] |= group.mask
    return result


def _belongs(group: _Group, rooted: cKDTree | None, threshold_hu: float) -> bool:
    """Whether a group apart from the bone is near enough to have come out of it."""
    if rooted is None:
        return group.gap_mm <= ALONE_MM
    if group.behind:
        return group.gap_mm <= BEHIND_MM
    if group.gap_mm > BESIDE_MM:
        return False
    if group.gap_mm <= ALONE_MM:
        if group.peak_hu >= UNMISTAKABLE * threshold_hu:
            return True
    elif group.volume_ml < LEAST_APART_MM3 / 1000:
        return False
    return float(rooted.query(group.points)[0].min()) <= UNSEEN_VEIN_MM


def _describe(
    mask: BoolArray,
    box: Box,
    hu: IntArray,
    near: Nearness,
    pool: Callable[[], BoolArray],
    spacing: FloatArray,
) -> _Group:
    where = np.argwhere(mask)
    gap = float(near.bone_mm[box][mask].min())
    in_pool = False
    if gap > 0:
        shell = ndimage.distance_transform_edt(~mask, sampling=spacing)
        rim = (shell > 0) & (shell <= POOL_REACH_MM)
        in_pool = bool(rim.any()) and float(pool()[box][rim].mean()) > POOL_SHARE
    return _Group(
        box=box,
        mask=mask,
        points=(where + [s.start for s in box]) * spacing,
        gap_mm=gap,
        behind=float(near.behind[box][mask].mean()) > 0.8,
        in_pool=in_pool,
        volume_ml=float(len(where) * np.prod(spacing)) / 1000,
        peak_hu=float(hu[box][mask].max()),
    )
