"""How much room there is for a needle beside a pedicle: in the thorax, between it and rib and lung."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.needle.plan_value import RoomBeside
from thecal.needle.search.keep_away import FAR, MEDIAL, NEAR_STEP_MM, RIB, ROOT, KeepAway
from thecal.needle.search.rules import LOW_MM, RIB_TOUCH_MM
from thecal.terms import Side

PLANES_MM: Final = (-8.0, -4.0, 0.0, 4.0)
"""Behind and before the middle of the posterior wall: from the pedicle's back to where a way beside it enters
the body."""
ASIDE_MM: Final = 14.0
"""Lateral of the pedicle's middle; a way farther out does not reach the middle of the body."""
UP_MM: Final = 10.0
MOST_MM: Final = 12.0
"""More room than this is not told apart."""
OWN_BONE: Final = "the vertebra's own bone"


def room_beside(keep: KeepAway, side: Side, pedicle_mm: tuple[float, float]) -> RoomBeside:
    """The widest rod that passes beside a pedicle, at its narrowest plane, and what bounds it there.

    In each of four planes across the way the largest circle is looked for whose middle lies lateral of the
    pedicle's, no more than 2 mm below it, and outside the vertebra's bone. Nothing that a needle must not
    touch lies in it, and a rib by no more than the planner lets a needle rub on it. The plane with the
    smallest of these circles counts. No margin is taken off.

    Parameters
    ----------
    keep : KeepAway
    side : "left" or "right"
    pedicle_mm : (float, float)
        Its middle: lateral (positive), and cranial.
    """
    sign = 1.0 if side == "left" else -1.0
    lateral = sign * np.arange(pedicle_mm[0], pedicle_mm[0] + ASIDE_MM, NEAR_STEP_MM)
    up = pedicle_mm[1] + np.arange(-LOW_MM, UP_MM, NEAR_STEP_MM)
    narrowest: tuple[float, str] = (MOST_MM, "")
    for plane in PLANES_MM:
        points = np.stack(np.meshgrid(lateral, [plane], up, indexing="ij"), -1).reshape(-1, 3)
        free = {OWN_BONE: -keep.depth_in_bone(points)}
        for name in (MEDIAL, ROOT, *FAR):
            free[name] = keep.distance(name, points) + (RIB_TOUCH_MM if name == RIB else 0.0)
        names = list(free)
        all_free = np.array([free[name] for name in names])
        least = all_free.min(axis=0)
        best = int(least.argmax())
        other = [k for k, name in enumerate(names) if name != OWN_BONE]
        room = max(0.0, 2.0 * float(least[best]))
        if room < narrowest[0]:
            narrowest = room, names[other[int(all_free[other, best].argmin())]]
    return RoomBeside(*narrowest)
