"""Fat or soft tissue between the cement and the posterior wall of the body."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.leakage.findings import IntraduralSign, Point
from thecal.leakage.intradural.dark_gap import BEYOND_MM, RISE_HU, TISSUE, rise_beyond, smoothed
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName
from thecal.volume import FloatArray

PARTED_MM: Final = 1.5
"""A narrower gap than the wall is uncertain by is no gap."""
PARTED_SHARE: Final = 0.7
"""Assumed here: cement that touches the wall on a third of its front hangs on it."""
RESTING_SHARE: Final = 0.35
"""Cement of whose outer face so much rests on the wall elsewhere hangs on that."""
SPEAKS_FROM: Final = 0.35
"""A smaller share speaks against the dura, wherever else the cement rests."""
SOLID: Final = 0.5
LEAST_LINES: Final = 30


def separated_from_posterior_wall(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Share of the cement's front that a gap parts from the posterior wall.

    On lines from back to front through each plane the gap runs from the cement's front to the canal's front
    wall, or to other cement. It counts where it is also seen: what lies beyond it is brighter than its
    darkest place, for cement hides the wall that it lies on, and a hidden wall may be drawn too far in front.
    Looked at is cement given to the sac; where there is none, all cement in the canal.
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
    cement = np.moveaxis(canal.any_cement, 1, 2)[k, u]
    gap = _tissue_ahead(cement, v, wall, TISSUE) * canal.step_mm
    # Forward is outward.
    last = cement.shape[1] - 1
    ahead = np.maximum(wall - round(BEYOND_MM / canal.step_mm), 0)
    rise = rise_beyond(
        np.moveaxis(smoothed(canal), 1, 2)[k, u][:, ::-1], cement[:, ::-1], last - v, last - ahead
    )
    parted = (gap >= PARTED_MM) & (rise >= RISE_HU)
    share = float(parted.mean())
    if share >= SPEAKS_FROM and scene.resting_share(suspect) >= RESTING_SHARE:
        return unread(
            name,
            "The cement is parted from the posterior wall, but rests on the canal's wall beside or behind "
            "the sac, so that the gap in front of it says nothing.",
        )
    which = "within the outline of the sac" if in_sac else "in the canal"
    words = (
        f"{100 * share:.0f} % of the front of the cement {which} is seen to be parted from the posterior "
        f"wall of the body by {PARTED_MM:g} mm or more of fat or soft tissue (median to the wall's outline "
        f"{np.median(gap):.1f} mm)."
    )
    return sign(
        name,
        "present" if share >= PARTED_SHARE else "absent",
        words,
        value=round(share, 3),
        unit="share of the cement's front",
        threshold=PARTED_SHARE,
        at_mm=_widest(scene, k[parted], v[parted] - 0.5 * gap[parted] / canal.step_mm, u[parted]),
    )


def _widest(scene: Scene, k: npt.NDArray[np.intp], v: FloatArray, u: npt.NDArray[np.intp]) -> Point | None:
    """The middle of the gap on the plane where it is longest."""
    if not len(k):
        return None
    mine = k == np.bincount(k).argmax()
    return scene.place(float(k[mine][0]), float(np.median(v[mine])), float(np.median(u[mine])))


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
