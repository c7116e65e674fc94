"""How far back the cement stands in the body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.fluoro.front.anatomy_on_picture import Regions
from thecal.volume import BoolArray

HINDMOST_MM2: Final = 1.2
"""The front is where so much of the cement's shadow lies behind: less is a ragged edge."""
THIN_MM: Final = 0.5
"""The hindmost cement is too thin to be seen and lies so much farther back than what is (0 to 1.5 mm in most
simulated injections of other seeds than the benchmark's; more would say stop too soon)."""
THROUGH_NEEDLE_MM: Final = 1.0
"""Cement that is only seen through the needle's shadow is counted so much less far back."""


@dataclass(frozen=True)
class Front:
    """The hindmost cement in the body.

    Attributes
    ----------
    share : float
        Depth in the body: 1 at the anterior wall, 0 at the posterior.
    to_posterior_wall_mm : float
        Negative beyond the wall.
    """

    share: float
    to_posterior_wall_mm: float


def find_front(
    cement: BoolArray, regions: Regions, depth_mm: float, over_needle: BoolArray | None = None
) -> Front | None:
    """The front of cement whose rays meet the body; None where there is none, or the view shows no depth.

    Parameters
    ----------
    cement : (rows, columns) bool
        Seen clear of the needle.
    regions : Regions
    depth_mm : float
    over_needle : (rows, columns) bool, optional
        What is seen of it through the needle's shadow too.

    Notes
    -----
    A pixel's depth is where its ray meets the vertebra's mid-sagittal plane; cement to the side of it is
    seen about 0.2 mm off for each degree and cm by which the view is not square to that plane. Where a ray
    runs farther in a disc than in the body, what it meets lies in the disc.
    """
    body = regions.body & (regions.body_mm > regions.above_mm + regions.below_mm)
    inside = cement & body
    if regions.toward != "lateral" or not inside.any():
        return None
    depth = np.sort(regions.depth_mm[inside])
    behind = int(HINDMOST_MM2 / regions.pixel_mm**2)
    if len(depth) <= behind:
        return None
    at = float(depth[behind])
    if over_needle is not None:
        depth = np.sort(regions.depth_mm[(cement | over_needle) & body])
        at = min(at, float(depth[behind]) + THROUGH_NEEDLE_MM)
    at -= THIN_MM
    return Front(at / depth_mm, at)
