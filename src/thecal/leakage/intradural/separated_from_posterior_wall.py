"""Fat or soft tissue between the cement and the posterior wall of the body."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName

PARTED_MM: Final = 1.5
"""A narrower gap than the wall is uncertain by is no gap."""
PARTED_SHARE: Final = 0.8
"""Assumed here: cement that touches the wall on a fifth of its front hangs on it."""
SOLID: Final = 0.5
TISSUE: Final = 0.25
"""Less cement than this is taken for tissue: thin sheets blur."""
LEAST_LINES: Final = 30


def separated_from_posterior_wall(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Share of the cement's front that a gap parts from the canal's front wall.

    On lines from back to front through each plane the gap runs from the cement's front to the wall, or to
    other cement. Looked at is cement given to the sac; where there is none, all cement in the canal.
    """
    name: SignName = "separated_from_posterior_wall"
    suspect, in_sac = scene.suspect()
    solid = suspect >= SOLID
    front = np.argmax(solid, axis=1)
    k, u = np.nonzero(solid.any(axis=1))
    v = front[k, u]
    # The wall's front on the same line: the first pixel from the front that lies in the canal.
    within = canal.r[None] <= canal.wall
    wall = np.argmax(within, axis=1)[k, u]
    lateral = ~np.any(within, axis=1)[k, u]
    k, u, v, wall = k[~lateral], u[~lateral], v[~lateral], wall[~lateral]
    if len(k) < LEAST_LINES:
        return unread(name, "Too little cement lies behind the front wall of the canal.")
    gap = _tissue_ahead(np.moveaxis(canal.any_cement, 1, 2)[k, u], v, wall, TISSUE) * canal.step_mm
    share = float((gap >= PARTED_MM).mean())
    which = "within the outline of the sac" if in_sac else "in the canal"
    words = (
        f"{100 * share:.0f} % of the front of the cement {which} is parted from the posterior wall of the "
        f"body by {PARTED_MM:g} mm or more of fat or soft tissue (median {np.median(gap):.1f} mm)."
    )
    return sign(
        name,
        "present" if share >= PARTED_SHARE else "absent",
        words,
        value=round(share, 3),
        unit="share of the cement's front",
        threshold=PARTED_SHARE,
    )


@njit(cache=True)
def _tissue_ahead(lines, start, wall, least):  # type: ignore[no-untyped-def]
    """Samples of tissue before ``start`` on each line, up to the wall or other cement, past the own edge."""
    count = np.zeros(len(start))
    for i in range(len(start)):
        j = start[i]
        while j > wall[i] and lines[i, j] >= least:
            j -= 1
        while j > wall[i] and lines[i, j] < least:
            count[i] += 1
            j -= 1
    return count
