"""What becomes of a plan when the hand is a little off: Monte-Carlo over entry and direction."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.leakage.tracks.grading import gertzbein_robbins
from thecal.needle.plan_value import AimShare, Approach
from thecal.needle.search.judge import WALK_MM
from thecal.needle.search.keep_away import AORTA, GAS, LUNG, MEDIAL, ROOT, KeepAway
from thecal.needle.search.rules import PEDICLE_BACK_MM
from thecal.terms import Grade
from thecal.volume import FloatArray

ERRORS: Final = ((1.0, 2.0), (2.0, 3.0), (3.0, 5.0))
"""Standard deviations of the entry on the bone (mm, along each of two axes) and of the direction (degrees,
about each of two axes): the range in which hand-held, guided and robotic placement is reported."""
TRIALS: Final = 400
SEED: Final = 20260111
UNSAFE: Final = (MEDIAL, ROOT, LUNG, GAS, AORTA)
"""Touching one of these is not safe."""
OUT_OF_BODY_MM: Final = 0.0
"""Nor is a tip outside the bone."""


def aim_shares(
    keep: KeepAway, approach: Approach, entry: FloatArray, tip: FloatArray, outer_mm: float
) -> tuple[AimShare, ...]:
    """Share of safe outcomes and of grades for each pair of ``ERRORS``.

    Parameters
    ----------
    keep : KeepAway
    approach : Approach
        Beside the pedicle only its medial wall is graded.
    entry, tip : (3,) float64
        As planned, in the vertebra's frame.
    outer_mm : float
        The needle's diameter.
    """
    return tuple(_one(keep, approach, entry, tip, outer_mm, *error) for error in ERRORS)


def breach_mm(
    keep: KeepAway, approach: Approach, entry: FloatArray, tip: FloatArray, outer_mm: float
) -> FloatArray:
    """How far needles leave their pedicle, mm, 0 where they do not; ways (n, 3) to (n, 3).

    Transpedicular: the largest part of the radius that lies outside the bone between the pedicle's back and
    the posterior wall. Beside the pedicle: that in the canal.
    """
    points, depth = _along(entry, tip)
    radius = outer_mm / 2.0
    in_pedicle = (depth >= PEDICLE_BACK_MM) & (depth <= 0.0)
    over = radius - keep.distance(MEDIAL, points)
    if approach == "transpedicular":
        over = np.maximum(over, np.minimum(radius - keep.depth_in_bone(points), _most(points, radius)))
    worst: FloatArray = np.where(in_pedicle, over, 0.0).max(axis=1)
    return np.clip(worst, 0.0, None)


def _most(points: FloatArray, radius: float) -> FloatArray:
    """No cap on a breach but what the block can show."""
    return np.full(points.shape[:-1], 20.0 + radius)


def _along(entry: FloatArray, tip: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Points of ways (n, k, 3), and how far each lies before the posterior wall."""
    length = float(np.linalg.norm(tip - entry, axis=-1).max())
    share = np.linspace(0.0, 1.0, max(2, int(np.ceil(length / WALK_MM)) + 1))
    points: FloatArray = entry[:, None] + share[None, :, None] * (tip - entry)[:, None]
    return points, points[..., 1]


def _one(
    keep: KeepAway,
    approach: Approach,
    entry: FloatArray,
    tip: FloatArray,
    outer_mm: float,
    entry_sd_mm: float,
    angle_sd_deg: float,
) -> AimShare:
    rng = np.random.default_rng(SEED)
    way = tip - entry
    length = float(np.linalg.norm(way))
    ahead = way / length
    first = np.cross(ahead, [0.0, 0.0, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(first, ahead)
    draw = rng.standard_normal((TRIALS, 4))
    entries = entry + entry_sd_mm * (draw[:, :1] * first + draw[:, 1:2] * second)
    turns = np.tan(np.radians(angle_sd_deg) * draw[:, 2:])
    directions = ahead + turns[:, :1] * first + turns[:, 1:] * second
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    tips = entries + length * directions
    points, _ = _along(entries, tips)
    radius = outer_mm / 2.0
    safe = keep.depth_in_bone(tips) > OUT_OF_BODY_MM
    for name in UNSAFE:
        if name in keep.seen:
            safe &= (keep.distance(name, points) - radius).min(axis=1) > 0.0
    grades: dict[Grade, float] = {"A": 0.0, "B": 0.0, "C": 0.0, "D": 0.0, "E": 0.0}
    for value in breach_mm(keep, approach, entries, tips, outer_mm):
        grades[gertzbein_robbins(float(value))] += 1.0 / TRIALS
    return AimShare(
        entry_sd_mm,
        angle_sd_deg,
        TRIALS,
        float(safe.mean()),
        {grade: round(share, 6) for grade, share in grades.items()},
    )
