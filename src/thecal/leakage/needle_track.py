"""Cement left along a needle's way: behind the bone, on a line that leads into a body."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Part, Spine
from thecal.leakage.regions import BONE
from thecal.leakage.route import Origin
from thecal.terms import is_vertebra
from thecal.volume import FloatArray

BEHIND_WALL_MM: Final = 8.0
"""How far behind the posterior wall of its vertebra a track's cement lies at least."""
SLENDER: Final = 2.0
"""Length over width of a free piece that may be a track."""
REACH_MM: Final = 70.0
"""From the skin side of a track to the body along its line."""
NEAR_ENTRY_MM: Final = 25.0
"""A tail of cement at the entry point joins the arch; one farther out must be slender."""


def is_needle_track(points: FloatArray, weight: FloatArray, origin: Origin | None, spine: Spine) -> bool:
    """Whether cement outside all regions lies on a needle's way.

    It must lie behind the posterior wall, and either join cement in the arch or pedicle (the tail at the
    entry point), or be slender with a line that leads forward through the arch into a body.

    Parameters
    ----------
    points : (n, 3) float64
        LPS mm.
    weight : (n,) float64
    origin : Origin or None
        Where the piece comes from, where that is known.
    """
    if not spine.vertebrae or len(points) < 2:
        return False
    centre = np.average(points, axis=0, weights=weight)
    nearest = min(spine.vertebrae, key=lambda v: float(np.linalg.norm(v.frame.origin - centre)))
    if nearest.frame.to_local(centre)[1] > -BEHIND_WALL_MM:
        return False
    spread = np.cov((points - centre).T, aweights=weight)
    values, vectors = np.linalg.eigh(spread)
    slender = np.sqrt(values[2]) >= SLENDER * np.sqrt(max(values[1], 0.25))
    if origin is not None and origin.part == Part.ARCH and origin.neck_mm2 is not None:
        near = float(np.linalg.norm(centre - origin.breach_mm)) <= NEAR_ENTRY_MM
        if near and not origin.via:
            return True
        if near and all(code < BONE for code in origin.via[:-1]):
            return True
    if not slender:
        return False
    axis = vectors[:, 2] * np.sign(vectors[:, 2] @ nearest.frame.anterior)
    return _leads_into_body(centre, axis, spine)


def _leads_into_body(centre: FloatArray, axis: FloatArray, spine: Spine) -> bool:
    """Whether the line passes through an arch, or close by, into a body."""
    side = np.cross(axis, [0.0, 0.0, 1.0])
    side /= max(float(np.linalg.norm(side)), 1e-6)
    up = np.cross(side, axis)
    hits = 0
    for shift in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2)):
        line = centre + shift[0] * side + shift[1] * up + np.arange(0.0, REACH_MM, 1.0)[:, None] * axis
        index = np.rint(spine.grid.to_index(line)).astype(int)
        inside = ((index >= 0) & (index < np.array(spine.grid.shape))).all(1)
        at = tuple(index[inside].T)
        part, label = spine.parts[at], spine.labels[at]
        body = np.flatnonzero(part == Part.BODY)
        if len(body) < 8 or not is_vertebra(int(label[body[0]])):
            continue
        before = part[: body[0]]
        hits += int((before == Part.ARCH).sum() >= 3 and not np.isin(label[: body[0]], (60, 61)).any())
    return hits >= 2
