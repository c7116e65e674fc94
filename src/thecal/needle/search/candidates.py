"""Where entries and tips are tried."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from thecal.leakage.body import Body
from thecal.needle.search.rules import TIP_SHARES
from thecal.volume import FloatArray

CROSSING_MM: Final = -5.0
"""The plane that ways are led through, behind the posterior wall's middle: across the pedicle."""
CROSSING_STEP_MM: Final = 1.2
FINE_STEP_MM: Final = 0.6
FINE_PLACES: Final = 7
FINE_HEIGHTS: Final = (-0.42, -0.28, -0.14, 0.0, 0.14, 0.28, 0.42)
ACROSS_MM: Final = (2.0, 39.0)
UP_MM: Final = (-11.0, 13.0)
"""From the pedicle's middle."""
DEPTHS: Final = 4
OFF_MIDDLE: Final = {"one": (-0.12, -0.06, 0.0, 0.06, 0.12), "two": (0.14, 0.25, 0.36, 0.47, 0.58)}
"""Places of the tip as shares of the body's half width: about the middle for one needle, in its own half
for one of two."""
OFF_LIMITS: Final = {"one": (-0.16, 0.16), "two": (0.1, 0.65)}
"""A refined tip stays between these."""
AIM_OFF_MIDDLE: Final = {"one": 0.0, "two": 0.33}
HEIGHTS: Final = (-0.25, -0.12, 0.0, 0.12, 0.25)
"""Places of the tip above and below the middle between the endplates, as shares of the height."""
AIM_SHARE: Final = 0.78
"""Depth that is aimed at, within the anterior third."""

Needles = Literal["one", "two"]


@dataclass(frozen=True, eq=False)
class Room:
    """Entries and tips for one side, in the vertebra's frame.

    Attributes
    ----------
    side : float
        1 left, -1 right.
    crossings : (n, 3) float64
        Points of the plane across the pedicle.
    tips : (m, 3) float64
    aim_mm : (float, float, float)
        Where the tip is best: to the side mm, depth as a share, height mm.
    pedicle_mm : (float, float)
        Middle of the pedicle: lateral of the midline (positive on either side), and cranial.
    wall_mm, depth_mm : float
        Posterior wall, and depth of the body.
    aside_mm : (float, float)
        Least and most of the tip to this side of the frame's middle.
    """

    side: float
    crossings: FloatArray
    tips: FloatArray
    aim_mm: tuple[float, float, float]
    pedicle_mm: tuple[float, float]
    wall_mm: float
    depth_mm: float
    aside_mm: tuple[float, float]


def room_of(
    body: Body, side: float, pedicle_mm: tuple[float, float], needles: Needles, *, fine: bool = False
) -> Room:
    """Entries and tips to try.

    Parameters
    ----------
    body : Body
    side : float
        1 left, -1 right.
    pedicle_mm : (float, float)
        Middle of the pedicle: lateral (positive) and cranial.
    needles : "one" or "two"
    fine : bool
        Entries and tips closer to each other, for where the first look found nothing.
    """
    step = FINE_STEP_MM if fine else CROSSING_STEP_MM
    lateral = side * np.arange(ACROSS_MM[0], ACROSS_MM[1], step)
    up = pedicle_mm[1] + np.arange(UP_MM[0], UP_MM[1], step)
    x, z = np.meshgrid(lateral, up, indexing="ij")
    crossings = np.stack([x, np.full_like(x, CROSSING_MM), z], -1).reshape(-1, 3)
    middle = (body.left_mm + body.right_mm) / 2.0
    half = (body.left_mm - body.right_mm) / 2.0
    tips = []
    shares = np.linspace(TIP_SHARES[0] + 0.02, TIP_SHARES[1] - 0.02, DEPTHS)
    for share in shares:
        depth = body.posterior_mm + share * body.depth_mm
        for off in np.linspace(*OFF_LIMITS[needles], FINE_PLACES) if fine else OFF_MIDDLE[needles]:
            aside = middle + side * off * half
            low, high = _height_at(body, aside, depth)
            for up_share in FINE_HEIGHTS if fine else HEIGHTS:
                tips.append((aside, depth, (low + high) / 2.0 + up_share * (high - low)))
    aim_aside = middle + side * AIM_OFF_MIDDLE[needles] * half
    low, high = _height_at(body, aim_aside, body.posterior_mm + AIM_SHARE * body.depth_mm)
    return Room(
        side,
        np.ascontiguousarray(crossings),
        np.array(tips),
        (float(aim_aside), AIM_SHARE, (low + high) / 2.0),
        pedicle_mm,
        body.posterior_mm,
        body.depth_mm,
        (side * middle + OFF_LIMITS[needles][0] * half, side * middle + OFF_LIMITS[needles][1] * half),
    )


def _height_at(body: Body, aside: float, depth: float) -> tuple[float, float]:
    """Lower and upper endplate about a column."""
    columns = np.abs(body.left - aside) <= 3.0
    rows = np.abs(body.anterior - depth) <= 3.0
    low = body.bottom[np.ix_(columns, rows)]
    high = body.top[np.ix_(columns, rows)]
    if not np.isfinite(low).any():
        low, high = body.bottom, body.top
    return float(np.nanmedian(low)), float(np.nanmedian(high))
