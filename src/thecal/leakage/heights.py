"""Heights of a vertebral body, its wedge, and what it lost against its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.leakage.body import Body
from thecal.volume import FloatArray

RIM_FROM: Final = 0.08
RIM_TO: Final = 0.34
RIM_AT: Final = 0.04
"""Shares of the depth: the endplates are fitted between the first two and read at the third, because
labels round the rim off."""
RIM_REACH: Final = 0.2
"""Within this share of the depth from a wall the rim may stand above that line, as in a biconcave body."""
STAIR_MM: Final = 1.0
"""So much of the rim's highest place may be a stair of the label's voxels and is not counted."""
GENANT_MILD: Final = 0.80
"""Less of a neighbour's or of its own posterior height is at least a mild fracture (Genant 1993,
doi 10.1002/jbmr.5650080915)."""


@dataclass(frozen=True)
class Heights:
    """Anterior, middle and posterior height in mm, and the wedge in degrees (positive: lower in front)."""

    anterior: float
    middle: float
    posterior: float
    wedge_degrees: float

    @property
    def all(self) -> FloatArray:
        """The three heights, (3,) mm."""
        return np.array([self.anterior, self.middle, self.posterior])


def heights_of(body: Body) -> Heights | None:
    """The heights along the vertebra's own cranial axis, across the middle half of its width.

    Each endplate is the median over that half, as a profile from back to front. Anterior and posterior
    height are those of the rims, where the points of six-point morphometry lie (Genant 1993): straight lines
    through the profile between 8 and 34 % of the depth from either wall, read at 4 %, or where the rim stands
    above that line, as it does in a biconcave body, the highest place in the outer 20 %, less a stair of 1 mm
    and carried to the 4 % along the whole body's slope. The middle one is the median over the central 16 %.

    Returns
    -------
    Heights or None
        None where too little of the endplates is there.
    """
    columns = body.middle_columns()
    inside = (body.anterior >= body.posterior_mm) & (body.anterior <= body.anterior_mm)
    enough = inside & (np.isfinite(body.top[columns]).mean(0) > 0.4)
    if enough.sum() < 12:
        return None
    share = (body.anterior[enough] - body.posterior_mm) / body.depth_mm
    top = np.nanmedian(body.top[columns][:, enough], axis=0)
    bottom = np.nanmedian(body.bottom[columns][:, enough], axis=0)
    height = top - bottom
    back = (share >= RIM_FROM) & (share <= RIM_TO)
    front = (share <= 1 - RIM_FROM) & (share >= 1 - RIM_TO)
    centre = np.abs(share - 0.5) <= 0.08
    if min(back.sum(), front.sum()) < 3 or not centre.any():
        return None
    posterior = float(np.polyval(np.polyfit(share[back], height[back], 1), RIM_AT))
    anterior = float(np.polyval(np.polyfit(share[front], height[front], 1), 1 - RIM_AT))
    middle = float(np.median(height[centre]))
    posterior = max(posterior, _rim(share, height, RIM_AT))
    anterior = max(anterior, _rim(share, height, 1 - RIM_AT))
    flat = (share >= RIM_FROM) & (share <= 1 - RIM_FROM)
    slopes = [np.polyfit(share[flat] * body.depth_mm, plate[flat], 1)[0] for plate in (top, bottom)]
    wedge = float(np.degrees(np.arctan(slopes[1]) - np.arctan(slopes[0])))
    if min(posterior, anterior, middle) <= 0:
        return None
    return Heights(anterior, middle, posterior, wedge)


def _rim(share: FloatArray, height: FloatArray, at: float) -> float:
    """The highest place near a wall, mm, less a stair and the body's wedge from there to ``at``."""
    wedge = np.polyfit(share, height, 1)[0]
    smooth = np.convolve(np.pad(height, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    near = np.abs(share - at) <= RIM_REACH - RIM_AT
    return float((smooth + wedge * (at - share))[near].max()) - STAIR_MM


def height_losses(heights: list[Heights | None], treated: list[bool]) -> list[float | None]:
    """The largest share of height lost at front, middle or back, against sound neighbours.

    The reference is the mean of the nearest sound vertebra above and the nearest below, weighted by how near
    each is; at the end of the scan it is the nearest one. Sound is a vertebra measured whole, without cement,
    whose anterior and middle height are at least 80 % of its posterior one; among those, one whose mean
    height is below 80 % of the median of its neighbours is not sound either. Where no untreated one is sound,
    treated ones serve.

    Parameters
    ----------
    heights : list, caudal to cranial
        None where not measured.
    treated : list of bool
        Whether the vertebra holds cement.

    Returns
    -------
    list of float or None
        Between 0 and 1; None where the vertebra or every neighbour could not be measured.
    """
    sound = [
        h is not None and not t and _own_shape_is_sound(h) for h, t in zip(heights, treated, strict=True)
    ]
    if not any(sound):
        sound = [h is not None and _own_shape_is_sound(h) for h in heights]
    means = [float(h.all.mean()) if h is not None else np.nan for h in heights]
    for i, ok in enumerate(list(sound)):
        others = [means[j] for j in range(max(0, i - 2), min(len(means), i + 3)) if j != i and sound[j]]
        if ok and others and means[i] < GENANT_MILD * float(np.median(others)):
            sound[i] = False
    losses: list[float | None] = []
    for i, own in enumerate(heights):
        below = next((j for j in range(i - 1, -1, -1) if sound[j]), None)
        above = next((j for j in range(i + 1, len(heights)) if sound[j]), None)
        near = [(abs(j - i), heights[j]) for j in (below, above) if j is not None]
        pairs = [(1.0 / step, h.all) for step, h in near if h is not None]
        if own is None or not pairs:
            losses.append(None)
            continue
        reference = np.average([h for _, h in pairs], axis=0, weights=[w for w, _ in pairs])
        losses.append(float(np.clip(1.0 - (own.all / reference).min(), 0.0, 1.0)))
    return losses


def _own_shape_is_sound(heights: Heights) -> bool:
    return min(heights.anterior, heights.middle) >= GENANT_MILD * heights.posterior
