"""What an operator steers by on a picture: the walls of the body and the medial borders of the pedicles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.needles import at_depth
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
    """How far from the midline the medial border of the pedicle stands on a true AP picture, mm."""
    lateral = vertebra.frame.to_local(corridor.outline)[:, 0] * _sign(corridor.side)
    return float(lateral.min())


def medial_line(vertebra: Vertebra, corridor: Corridor) -> FloatArray:
    """The upright line through the medial border over the pedicle's height, LPS mm (2, 3)."""
    local = vertebra.frame.to_local(corridor.outline)
    x = medial_border_mm(vertebra, corridor) * _sign(corridor.side)
    y = float(local[:, 1].mean())
    low, high = float(local[:, 2].min()), float(local[:, 2].max())
    reach = LINE_BEYOND * (high - low)
    return vertebra.frame.to_lps([(x, y, high + reach), (x, y, low - reach)])


LINE_BEYOND: Final = 0.35
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
