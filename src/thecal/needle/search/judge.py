"""One straight way against the distance fields: whether it keeps the rules, and what it comes near to.

The needle is a cylinder; a point of its axis whose distance from a thing is d has its surface d - r from it,
exactly, for the nearest point of the thing. Fields are sampled every ``WALK_MM`` of the axis; between samples
a distance changes by less than half of that.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numba import njit

from thecal.needle.search.fields import FloatField, trilinear
from thecal.volume import FloatArray

WALK_MM: Final = 0.5
OK: Final = -1
BONE_LEFT: Final = 100
"""The way leaves the pedicle or the body."""
NO_ENTRY: Final = 101
"""No bone of the vertebra where a way beside the pedicle must meet it."""
TOO_STEEP: Final = 102
TIP_OUT: Final = 103
MARGIN_RUN_MM: Final = 3.5
"""A way through the body's side wall at right angles is near that wall for so long at most."""
BORES: Final = 104
"""Behind its entry into the body's side wall the way bores through the vertebra's own transverse process."""
IN_BODY_MM: Final = 8.0
"""Only so far in front of the posterior wall must a way keep the body's margin: nearer to it the side wall of
the body carries on that of the pedicle, to which a needle may lie close."""


class Ground(NamedTuple):
    """What stays the same for every way that is judged.

    Attributes
    ----------
    near, near_low, near_step
        Distances on the fine block, its corner and step.
    far_spare, far_free, far_low, far_step
        On the wide block: the least of distance less need, and the least distance from what is no bone.
    solid
        Depth in the vertebra's bone, on the fine block.
    radius, need_near
        Of the needle, mm; least free distance from each of ``near``.
    through : bool
        Transpedicular: in bone from ``back_mm`` on; else through the body's side wall.
    back_mm, body_margin, tip_margin : float
    beside : (5,) float64
        For ways beside the pedicle: side (1 left), least lateral, least cranial, most anterior mm of the
        entry, least mm in the body.
    aim : (6,) float64
        Best place of the tip (aside mm, share of depth, height mm), wall, depth of the body, side.
    limits : (7,) float64
        Least and most transverse angle, most sagittal one, least and most share of depth, least and most of
        the tip to its side.
    weights : (6,) float64
    """

    near: FloatField
    near_low: FloatArray
    near_step: float
    far_spare: FloatField
    far_free: FloatField
    far_low: FloatArray
    far_step: float
    solid: FloatField
    radius: float
    need_near: FloatArray
    through: bool
    back_mm: float
    body_margin: float
    tip_margin: float
    beside: FloatArray
    aim: FloatArray
    limits: FloatArray
    weights: FloatArray


@njit(cache=True)
def judge(ground: Ground, tip: FloatArray, ahead: FloatArray, out: FloatArray) -> int:
    """Walk a way from its tip back; ``OK``, the number of what it comes too near to, or a reason.

    Numbers below ``BONE_LEFT`` are those of ``Ground.near``, the next one stands for all far things.

    Parameters
    ----------
    tip, ahead : (3,) float64
        Tip, and unit direction from back to front, in the vertebra's frame.
    out : (5,) float64
        Filled with: least free distance from things that are no bone, least free distance from the first
        of ``near``, least bone around the needle where it must be in bone, mm from the tip to where it meets
        bone, and to the plane of the posterior wall.
    """
    code = int(_in_bone(ground, tip, ahead, out))
    if code != OK:
        return code
    radius = ground.radius
    least, medial = 1e9, 1e9
    kinds = ground.near.shape[0]
    d = 0.0
    count = 0
    while d <= 200.0:
        x, y, z = tip[0] - d * ahead[0], tip[1] - d * ahead[1], tip[2] - d * ahead[2]
        if y < ground.far_low[1] or abs(x) > -ground.far_low[0] or abs(z) > -ground.far_low[2]:
            break
        for k in range(kinds):
            free = trilinear(ground.near[k], ground.near_low, ground.near_step, x, y, z, 60.0) - radius
            if free < ground.need_near[k]:
                return k
            if k == 0 and free < medial:
                medial = free
            if free < least:
                least = free
        if count % 2 == 0:
            spare = trilinear(ground.far_spare, ground.far_low, ground.far_step, x, y, z, 60.0)
            if spare < radius:
                return int(kinds)
            free = trilinear(ground.far_free, ground.far_low, ground.far_step, x, y, z, 60.0) - radius
            if free < least:
                least = free
        count += 1
        d += WALK_MM
    out[0] = least
    out[1] = medial
    out[4] = tip[1] / ahead[1]
    return OK


@njit(cache=True)
def _in_bone(ground: Ground, tip: FloatArray, ahead: FloatArray, out: FloatArray) -> int:
    """The part of ``judge`` that asks for the vertebra's own bone; fills ``out[2]`` and ``out[3]``."""
    cover, bone_at, thinning, wall_at = 1e9, 0.0, -1.0, -1.0
    d = 0.0
    while d <= 120.0:
        x, y, z = tip[0] - d * ahead[0], tip[1] - d * ahead[1], tip[2] - d * ahead[2]
        if y < ground.near_low[1] or abs(x) > -ground.near_low[0] or abs(z) > -ground.near_low[2]:
            break
        depth = trilinear(ground.solid, ground.near_low, ground.near_step, x, y, z, -60.0)
        if d == 0.0 and depth < ground.tip_margin:
            return TIP_OUT
        if ground.through:
            if y >= ground.back_mm:
                spare = depth - ground.radius
                if spare < (ground.body_margin if y > IN_BODY_MM else 0.0):
                    return BONE_LEFT
                cover = min(cover, spare)
                bone_at = d
            elif depth >= 0.0:
                # Walked on to the block's edge: the first bone from the skin may lie behind a gap.
                bone_at = d
        elif wall_at >= 0.0:
            if depth > 0.0:
                return BORES
        else:
            if depth >= ground.radius + ground.body_margin:
                if thinning >= 0.0:
                    return BONE_LEFT
            elif thinning < 0.0:
                thinning = d
            elif d - thinning > MARGIN_RUN_MM / max(0.3, abs(ahead[0])):
                return BONE_LEFT
            if depth <= 0.0:
                wrong = ground.beside[0] * x < ground.beside[1] or z < ground.beside[2]
                if wrong or y > ground.beside[3] or y < ground.back_mm or d < ground.beside[4]:
                    return NO_ENTRY
                wall_at = d
        d += WALK_MM
    if not ground.through:
        if wall_at < 0.0:
            return NO_ENTRY
        out[2], out[3] = 0.0, wall_at
        return OK
    out[2], out[3] = cover, bone_at
    return OK


@njit(cache=True)
def judged(ground: Ground, row: FloatArray, out: FloatArray, terms: FloatArray) -> int:
    """Judge the way through ``row`` (crossing, tip) and fill the ranking's terms; a code as of ``judge``."""
    ahead = row[3:] - row[:3]
    ahead = ahead / np.sqrt((ahead * ahead).sum())
    if ahead[1] <= 0.2:
        return TOO_STEEP
    aim, limits = ground.aim, ground.limits
    transverse = np.degrees(np.arctan2(-aim[5] * ahead[0], ahead[1]))
    sagittal = np.degrees(np.arctan2(ahead[2], ahead[1]))
    if transverse < limits[0] or transverse > limits[1] or abs(sagittal) > limits[2]:
        return TOO_STEEP
    share = (row[4] - aim[3]) / aim[4]
    aside = aim[5] * row[3]
    if share < limits[3] or share > limits[4] or aside < limits[5] or aside > limits[6]:
        return TIP_OUT
    code = int(judge(ground, row[3:], ahead, out))
    if code != OK:
        return code
    weights = ground.weights
    terms[0] = weights[0] * min(out[0], ENOUGH_MM)
    terms[1] = weights[1] * min(out[2], ENOUGH_BONE_MM) if ground.through else 0.0
    terms[2] = -weights[2] * 10.0 * abs(share - aim[1])
    terms[3] = -weights[3] * (abs(row[3] - aim[0]) + abs(row[5] - aim[2]))
    terms[4] = -weights[4] * abs(sagittal)
    terms[5] = -weights[5] * max(0.0, abs(transverse) - EASY_TURN_DEG)
    return OK


ENOUGH_MM: Final = 2.5
ENOUGH_BONE_MM: Final = 1.5
EASY_TURN_DEG: Final = 15.0
