"""The rule of the AP view: the tip stays lateral of the medial pedicle line until it is in the body."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

import numpy as np

from thecal.anatomy.spine import Part
from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.fluoro.front.needle_on_picture import NeedleSeen
from thecal.fluoro.target import Target
from thecal.volume import FloatArray

BEHIND_MM: Final = (-9.0, -2.0)
"""Where along the depth a pedicle's section is taken: behind the posterior wall."""
LEAST_VOXELS: Final = 10
NOT_JUDGED: Final = (
    "The needle is not found on this picture: whether its tip is medial of the pedicle is not judged."
)


@dataclass(frozen=True)
class NeedleMedial:
    """A tip that is medial of the pedicle's medial border, or may be.

    Attributes
    ----------
    level : "near", "stop" or "lost"
        ``stop`` where the tip is known to lie behind the posterior wall; ``near`` where that is not known;
        ``lost`` where the rule cannot be judged.
    why : str
    """

    level: Literal["near", "stop", "lost"]
    why: str


# Every picture asks for it, and it does not change.
@lru_cache(maxsize=4)
def medial_line(target: Target, side: str) -> tuple[float, FloatArray] | None:
    """The pedicle's medial border on one side: the plan's own where it is known.

    Returns
    -------
    left_mm : float
        In the vertebra's frame.
    ends : (2, 3) float64
        LPS mm, along the border from below to above; None (for both) where no pedicle is in the anatomy.
    """
    k = 1.0 if side == "left" else -1.0
    arch = (target.labels == target.vertebra_id) & (target.parts == Part.ARCH)
    local = target.frame.to_local(target.grid.to_lps(np.argwhere(arch)))
    near = local[(local[:, 1] > BEHIND_MM[0]) & (local[:, 1] < BEHIND_MM[1]) & (k * local[:, 0] > 3.0)]
    if len(near) < LEAST_VOXELS:
        return None
    planned = dict(target.medial_mm).get(side)
    at = k * (float(np.percentile(k * near[:, 0], 5.0)) if planned is None else planned)
    low, high = np.percentile(near[:, 2], (5.0, 95.0))
    middle = sum(BEHIND_MM) / 2.0
    return at, target.frame.to_lps([(at, middle, low), (at, middle, high)])


def needle_rule(
    target: Target,
    regions: Regions,
    needles: list[NeedleSeen],
    tip_behind_wall: bool | None,
    *,
    all_in: bool = False,
) -> NeedleMedial | None:
    """Whether a needle's tip, or its surface there, is medial of its pedicle on an AP view.

    None where it is not, where the tip is known to have passed the posterior wall, and on other views.
    With ``all_in`` every needle of the target is known to be put in, and each must be found.
    """
    if regions.toward != "ap" or tip_behind_wall is False or not target.needles:
        return None
    judged = 0
    for needle, planned in zip(needles, target.needles, strict=True):
        line = medial_line(target, planned.side)
        if line is None or not needle.sure:
            continue
        judged += 1
        if _lateral_mm(target, regions, needle, line[1]) >= planned.outer_mm / 2.0:
            continue
        if tip_behind_wall:
            return NeedleMedial(
                "stop",
                f"The {planned.side} needle's tip is medial of the pedicle and behind the posterior wall.",
            )
        return NeedleMedial(
            "near",
            f"The {planned.side} needle's tip is medial of the pedicle: see on a lateral view that it has "
            "passed the posterior wall.",
        )
    if judged == len(needles) or (judged and not all_in):
        return None
    return NeedleMedial("lost", NOT_JUDGED)


def _lateral_mm(target: Target, regions: Regions, needle: NeedleSeen, ends: FloatArray) -> float:
    """How far the middle of the tip is lateral of the medial line, mm at the vertebra."""
    low, high = regions.view.project(ends)
    way = (high - low) / max(float(np.linalg.norm(high - low)), 1e-6)
    centre = regions.view.project(target.frame.to_lps([0.0, sum(BEHIND_MM) / 2.0, 0.0]))

    def across(point: FloatArray) -> float:
        return float(way[0] * (point[1] - low[1]) - way[1] * (point[0] - low[0]))

    return -across(needle.tip_px) * float(np.sign(across(centre))) * regions.pixel_mm
