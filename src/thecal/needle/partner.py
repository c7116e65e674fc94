"""Which planned needle an executed one is held against."""

from __future__ import annotations

from typing import Literal

import numpy as np

from thecal.needle.plan_value import Against, ChosenBy, LevelPlan, Trajectory
from thecal.needle.search.keep_away import KeepAway
from thecal.terms import Side
from thecal.volume import FloatArray

Meant = Literal["one", "left", "right"]
"""A planned needle as the plan's page and files call it."""


def partner(
    plan: LevelPlan | None,
    side: Side,
    entry: FloatArray,
    tip: FloatArray,
    keep: KeepAway,
    meant: Meant | None = None,
) -> tuple[Against | None, Trajectory | None, ChosenBy | None]:
    """The planned needle, and how it was chosen.

    It is the one that was meant, where one was named and is planned on that side; else the only one of that
    side; else the nearest of that side, which makes errors look smaller than they may be.

    Parameters
    ----------
    plan : LevelPlan or None
    side : "left" or "right"
        Of the executed needle.
    entry, tip : (3,) float64
        Of the executed needle, in the vertebra's frame.
    keep : KeepAway
    meant : "one", "left" or "right", optional
    """
    if plan is None:
        return None, None, None
    choices: list[tuple[Against, Trajectory]] = []
    if plan.single is not None and plan.single.side == side:
        choices.append(("single", plan.single))
    for answer in plan.sides:
        if answer.side == side and answer.best is not None:
            choices.append(("left" if side == "left" else "right", answer.best))
    if not choices:
        return None, None, None
    for name, way in choices:
        if meant is not None and name == ("single" if meant == "one" else meant):
            return name, way, "meant"

    def away(way: Trajectory) -> float:
        ends = keep.vertebra.frame.to_local(np.array([way.entry_mm, way.tip_mm]))
        return float(np.linalg.norm(ends[0] - entry) + np.linalg.norm(ends[1] - tip))

    name, way = min(choices, key=lambda choice: away(choice[1]))
    return name, way, "only" if len(choices) == 1 else "nearest"
