"""The needles of a plan, by name, and the places along them."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from thecal.needle.plan_value import LevelPlan, Trajectory
from thecal.terms import vertebra_name
from thecal.volume import FloatArray

NeedleKey = Literal["one", "left", "right"]


class PlannedNeedle(NamedTuple):
    """One needle of a plan: its short name in files, its name in words, and its way."""

    key: NeedleKey
    words: str
    way: Trajectory


class Mark(NamedTuple):
    """A depth that the operator reads on the needle: its name, mm from the needle's start, and the place."""

    words: str
    depth_mm: float
    at_mm: FloatArray


def needles_of(plan: LevelPlan) -> tuple[PlannedNeedle, ...]:
    """One needle to the middle first, then one a side for two; those that the plan has."""
    found = []
    if plan.single is not None:
        found.append(PlannedNeedle("one", f"one needle, from the {plan.single.side}", plan.single))
    for answer in plan.sides:
        if answer.best is not None:
            side: NeedleKey = "left" if answer.side == "left" else "right"
            found.append(PlannedNeedle(side, f"{answer.side} of two needles", answer.best))
    return tuple(found)


def level_key(plan: LevelPlan) -> str:
    """A level in the name of a file: "T12", or "v201" where its number is not known."""
    return plan.level or f"v{plan.vertebra_id}"


def level_words(plan: LevelPlan) -> str:
    """A level in words."""
    return vertebra_name(plan.level, plan.vertebra_id)


def start_mm(way: Trajectory) -> FloatArray:
    """Where depth is counted from: the skin, or the bone where no skin is in the scan; LPS mm."""
    return np.asarray(way.entry_mm if way.skin_mm is None else way.skin_mm, float)


def direction(way: Trajectory) -> FloatArray:
    """Unit direction from the start to the tip, LPS."""
    along = np.asarray(way.tip_mm, float) - start_mm(way)
    unit: FloatArray = along / np.linalg.norm(along)
    return unit


def at_depth(way: Trajectory, depth_mm: float) -> FloatArray:
    """The point of the needle's axis at a depth, LPS mm."""
    point: FloatArray = start_mm(way) + depth_mm * direction(way)
    return point


def depth_marks(way: Trajectory) -> tuple[Mark, ...]:
    """Skin, bone, posterior wall and tip, in the order of their depth; without skin they count from the bone.

    A needle beside the pedicle may pass the plane of the posterior wall before it meets bone; where its depth
    counts from the bone, that mark is left out.
    """
    bone = way.skin_depth_mm if way.skin_mm is not None and way.skin_depth_mm is not None else 0.0
    marks = [("bone", bone), ("posterior wall", way.wall_depth_mm), ("tip", way.tip_depth_mm)]
    if way.skin_mm is not None:
        marks.insert(0, ("skin", 0.0))
    shown = sorted((m for m in marks if m[1] >= 0.0), key=lambda mark: mark[1])
    return tuple(Mark(words, depth, at_depth(way, depth)) for words, depth in shown)
