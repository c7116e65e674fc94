"""How far a needle's way keeps from the canal, and from the other walls of its pedicle."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Canal, Vertebra
from thecal.leakage.pedicles import HALF_HEIGHT_MM, HALF_WIDTH_MM, SLAB_MM, Pedicle
from thecal.terms import Breach
from thecal.volume import FloatArray

NEEDLE_RADIUS_MM: Final = 1.5
"""Needles of vertebroplasty are 10 to 13 G, 2.4 to 3.4 mm across."""
PLACE_ERROR_MM: Final = 0.5
"""Error of a way's middle, and of the canal's wall beside it: half a voxel of a usual scan."""
BEHIND_MM: Final = 20.0
"""The medial wall of the pedicle and the lamina lie within this distance behind the posterior wall."""
SECTION_ERROR_MM: Final = 1.5
"""A pedicle's section is known no better."""


def canal_clearance(
    canal: Canal,
    vertebra: Vertebra,
    middle: FloatArray,
    axis: FloatArray,
    half_mm: float,
    reach_mm: tuple[float, float] = (-BEHIND_MM, 0.0),
) -> tuple[float, float, float]:
    """The needle's surface from the canal's wall and from the sac, mm, negative within, and their error.

    Parameters
    ----------
    middle, axis : (3,) float64
        A point of the way and its forward direction, patient LPS.
    half_mm : float
        Half the length on which the way is seen: farther off, its place is less sure.
    reach_mm : (float, float)
        Part of the way that is looked at, mm before the posterior wall's middle.

    Returns
    -------
    wall, sac, error : float
        Where wall and error together are least; NaN where the way does not pass there.
    """
    local = vertebra.frame.to_local(middle)
    forward = float(axis @ vertebra.frame.anterior)
    depths = np.arange(max(reach_mm[0], -BEHIND_MM), min(reach_mm[1], 0.0), 0.5)
    if not len(depths):
        return float("nan"), float("nan"), float("nan")
    way = (depths - local[1]) / forward
    line = middle + way[:, None] * axis
    s, theta, r = canal.frame.locate(line)
    row = canal.frame.index(s)
    wall = _signed(canal.theta, canal.wall_mm[row], theta, r) - NEEDLE_RADIUS_MM
    sac = _signed(canal.theta, canal.sac_mm[row], theta, r) - NEEDLE_RADIUS_MM
    error = PLACE_ERROR_MM * np.hypot(1.0, np.hypot(1.0, way / half_mm))
    if not np.isfinite(wall).all():
        return float("nan"), float("nan"), float("nan")
    at = int(np.argmin(wall + error))
    return float(wall[at]), float(sac[at]), float(error[at])


def mirrored(canal: Canal) -> Canal:
    """The canal whose wall and sac are those of the other side: cement beside a wall hides it."""
    m = len(canal.theta)
    # Angle theta is at index i, -theta at the nearest of the evenly spaced others.
    back = np.rint((-canal.theta - canal.theta[0]) / (2 * np.pi) * m).astype(int) % m
    return replace(canal, wall_mm=canal.wall_mm[:, back], sac_mm=canal.sac_mm[:, back])


def other_breach(pedicle: Pedicle, side: int, line: FloatArray) -> tuple[Breach, float]:
    """Where a way leaves its pedicle's section laterally, above or below, and by how much.

    Parameters
    ----------
    pedicle : Pedicle
    side : int
        1 left, -1 right.
    line : (n, 3) float64
        The way in the vertebra's frame; what lies in the pedicle's slab counts.

    Returns
    -------
    breach, mm
        ``none`` and 0 where the surface lies beyond no wall by more than the section's error. A section
        that is wider or higher than its limit is not judged in that direction.
    """
    inside = line[(line[:, 1] >= SLAB_MM[0]) & (line[:, 1] <= SLAB_MM[1])]
    if not len(inside):
        return "none", 0.0
    lateral = side * (inside[:, 0] - pedicle.centre_mm[0])
    above = inside[:, 2] - pedicle.centre_mm[1]
    wide, high = pedicle.half_mm
    beyond: dict[Breach, float] = {}
    if wide < HALF_WIDTH_MM[1]:
        beyond["lateral"] = float(lateral.max()) + NEEDLE_RADIUS_MM - wide
    if high < HALF_HEIGHT_MM[1]:
        beyond["superior"] = float(above.max()) + NEEDLE_RADIUS_MM - high
        beyond["inferior"] = float(-above.min()) + NEEDLE_RADIUS_MM - high
    for name, over in sorted(beyond.items(), key=lambda item: -item[1]):
        if over > SECTION_ERROR_MM:
            return name, over
    return "none", 0.0


def _signed(
    angles: FloatArray, radius_mm: FloatArray, theta: FloatArray, r: FloatArray
) -> npt.NDArray[np.float64]:
    """Distance of points (n,) in their planes from outlines (n, m), negative inside."""
    outline = radius_mm * np.sin(angles), radius_mm * np.cos(angles)
    away = np.hypot(outline[0] - (r * np.sin(theta))[:, None], outline[1] - (r * np.cos(theta))[:, None])
    around = np.concatenate([angles - 2 * np.pi, angles, angles + 2 * np.pi])
    here = np.array([np.interp(t, around, np.tile(row, 3)) for t, row in zip(theta, radius_mm, strict=True)])
    signed: npt.NDArray[np.float64] = np.where(r < here, -1.0, 1.0) * away.min(axis=1)
    return signed
