"""What an operator steers by on a picture: the walls of the body and the medial borders of the pedicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.needles import at_depth
from thecal.needle.plan_value import Corridor, LevelPlan, Trajectory
from thecal.volume import FloatArray

MIDDLE_MM: Final = 6.0
"""Half width of the slab of the body whose outline is drawn on the lateral picture."""
ROW_MM: Final = 1.0
SMOOTH_MM: Final = 1.5
FEWEST_IN_ROW: Final = 3
POSTERIOR_SHARE: Final = 1.0 / 3.0
"""Of the body's depth: where cement on the lateral picture means stop."""
WHOLE_ROW: Final = 0.85
"""A row this much as deep as the usual one reaches from wall to wall."""
WALL_PERCENTILES: Final = (2.0, 98.0)


@dataclass(frozen=True, eq=False)
class BodyProfile:
    """The body's outline in its middle, LPS mm, each from its upper to its lower end, (n, 3).

    Attributes
    ----------
    posterior, third, anterior : (n, 3) float64
        Its posterior wall, the border of the posterior third, its anterior wall.
    depth_mm : float
        From wall to wall, the mean over the height.
    """

    posterior: FloatArray
    third: FloatArray
    anterior: FloatArray
    depth_mm: float


def body_profile(spine: Spine, vertebra: Vertebra) -> BodyProfile | None:
    """The body's outline in its middle; None where the map has no body there."""
    frame = vertebra.frame
    local = frame.to_local(spine.grid.to_lps(np.argwhere(spine.body_mask(vertebra))))
    middle = local[np.abs(local[:, 0]) < max(MIDDLE_MM, float(spine.grid.spacing_mm.max()))]
    if len(middle) < FEWEST_IN_ROW:
        return None
    thick = max(ROW_MM, float(spine.grid.spacing_mm[0]) / 2)
    rows = np.arange(middle[:, 2].min(), middle[:, 2].max() + ROW_MM / 2, ROW_MM)
    found = []
    for height in rows:
        here = middle[np.abs(middle[:, 2] - height) <= thick, 1]
        if len(here) >= FEWEST_IN_ROW:
            found.append((height, *np.percentile(here, WALL_PERCENTILES)))
    if len(found) < FEWEST_IN_ROW:
        return None
    heights, back, front = np.array(found)[::-1].T
    # Near a tilted or hollow endplate a row holds one rim alone, which is no wall.
    whole = front - back > WHOLE_ROW * float(np.median(front - back))
    first, last = int(whole.argmax()), len(whole) - int(whole[::-1].argmax())
    heights, back, front = heights[first:last], back[first:last], front[first:last]
    back, front = (
        ndimage.gaussian_filter1d(wall, SMOOTH_MM / ROW_MM, mode="nearest") for wall in (back, front)
    )
    third = back + POSTERIOR_SHARE * (front - back)
    zero = np.zeros_like(heights)
    lines = [frame.to_lps(np.stack([zero, wall, heights], axis=1)) for wall in (back, third, front)]
    return BodyProfile(lines[0], lines[1], lines[2], float(np.mean(front - back)))


def medial_border_mm(vertebra: Vertebra, corridor: Corridor) -> float:
    """How far from the midline the medial border of the pedicle stands on a true AP picture, mm.

    Where the canal is widest between the pedicle's back and the posterior wall: the most lateral place of the
    medial wall, so that a needle lateral of it is lateral of all of the wall.
    """
    sign = _sign(corridor.side)
    wall = vertebra.frame.to_local(corridor.medial_wall)
    along = wall[(wall[:, 1] > ALONG_MM[0]) & (wall[:, 1] < ALONG_MM[1])]
    if len(along):
        return float((along[:, 0] * sign).max())
    # Without a wall, the inner border of the isthmus at its height.
    isthmus = float(vertebra.frame.to_local(corridor.isthmus_mm)[0]) * sign
    return isthmus - corridor.width_mm / 2


ALONG_MM: Final = (-9.0, 0.5)
"""The pedicle lies between these depths before the middle of the posterior wall."""


def pedicle_outline(vertebra: Vertebra, corridor: Corridor) -> FloatArray:
    """The pedicle's outline as an operator knows it, LPS mm (n, 3), closed.

    The section of the isthmus without what thick slices join to it: nothing medial of the medial border, nor
    farther from its middle than a pedicle reaches; smoothed.
    """
    sign = _sign(corridor.side)
    local = vertebra.frame.to_local(corridor.outline)
    middle = vertebra.frame.to_local(corridor.isthmus_mm)
    inner = medial_border_mm(vertebra, corridor)
    aside = np.clip(local[:, 0] * sign, inner, float(middle[0]) * sign + WIDEST_SHARE * corridor.width_mm)
    high = np.clip(local[:, 2], float(middle[2]) - HIGHEST_MM, float(middle[2]) + HIGHEST_MM)
    walked = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(aside), np.diff(high)))])
    even = np.linspace(0.0, walked[-1], OUTLINE_POINTS, endpoint=False)
    sigma = OUTLINE_SMOOTH_MM / max(float(even[1]), 1e-6)
    smooth = [
        ndimage.gaussian_filter1d(np.interp(even, walked, line), sigma, mode="wrap")
        for line in (aside * sign, high)
    ]
    return vertebra.frame.to_lps(
        np.stack([smooth[0], np.full(OUTLINE_POINTS, float(middle[1])), smooth[1]], axis=1)
    )


WIDEST_SHARE: Final = 0.8
HIGHEST_MM: Final = 9.5
"""From the pedicle's middle outward as a share of its width, and up and down (8 to 17 mm in all)."""
OUTLINE_POINTS: Final = 96
OUTLINE_SMOOTH_MM: Final = 1.2


def medial_line(vertebra: Vertebra, corridor: Corridor) -> FloatArray:
    """The upright line through the medial border over the pedicle's height, LPS mm (2, 3)."""
    middle = vertebra.frame.to_local(corridor.isthmus_mm)
    x = medial_border_mm(vertebra, corridor) * _sign(corridor.side)
    z = vertebra.frame.to_local(pedicle_outline(vertebra, corridor))[:, 2]
    low, high = float(z.min()), float(z.max())
    reach = LINE_BEYOND * (high - low)
    return vertebra.frame.to_lps([(x, float(middle[1]), high + reach), (x, float(middle[1]), low - reach)])


LINE_BEYOND: Final = 0.3
"""How far the medial line is drawn past the pedicle, as a share of its height."""


def lateral_of_medial_line_mm(vertebra: Vertebra, corridor: Corridor, way: Trajectory) -> float:
    """How far the needle's surface still is lateral of the medial line when its tip meets the posterior wall.

    As on a true AP picture without magnification, mm; negative where it has crossed the line.
    """
    tip = vertebra.frame.to_local(at_depth(way, way.wall_depth_mm))
    lateral = float(tip[0]) * _sign(corridor.side)
    return lateral - way.gauge.outer_mm / 2 - medial_border_mm(vertebra, corridor)


def corridor_of(plan: LevelPlan, way: Trajectory) -> Corridor | None:
    """The pedicle that a needle passes, or passes by."""
    return next((answer.corridor for answer in plan.sides if answer.side == way.side), None)


def _sign(side: str) -> float:
    return -1.0 if side == "right" else 1.0
