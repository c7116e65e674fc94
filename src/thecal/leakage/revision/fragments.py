"""The cement in canal and foramina, one deposit a fragment: its stretch along the canal and its depth."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Canal, Spine
from thecal.leakage.findings import Deposit, Leakage
from thecal.leakage.levels import Levels
from thecal.leakage.revision.conus import neural_at
from thecal.leakage.revision.plan_value import Fragment
from thecal.volume import FloatArray

WHERE: Final = ("intradural", "epidural", "foraminal")
RIM_PERCENTILE: Final = 2.0
"""Ends and depth are read at this percentile of the voxels, so that one voxel does not set them."""


def fragments_of(spine: Spine, leakage: Leakage, levels: Levels) -> tuple[Fragment, ...]:
    """Each deposit in canal or foramen, the largest first within the sac, then outside it, then foramina."""
    held = [d for d in leakage.deposits if d.compartment in WHERE]
    held.sort(key=lambda d: (WHERE.index(d.compartment), -d.volume_ml, d.id))
    return tuple(_fragment(d, spine, leakage, levels) for d in held)


def _fragment(deposit: Deposit, spine: Spine, leakage: Leakage, levels: Levels) -> Fragment:
    points = spine.grid.to_lps(np.argwhere(leakage.deposit_labels == deposit.id))
    s, theta, r = spine.canal.frame.locate(points)
    half = 0.5 * float(spine.grid.spacing_mm[0])
    low, high = np.percentile(s, (RIM_PERCENTILE, 100 - RIM_PERCENTILE))
    from_mm, to_mm = float(low) - half, float(high) + half
    intradural = deposit.compartment == "intradural"
    neural = neural_at(levels, from_mm, to_mm)
    depth = behind_dura(spine.canal, s, theta, r)
    return Fragment(
        deposit_id=deposit.id,
        intradural=intradural,
        foraminal=deposit.compartment == "foraminal",
        level=deposit.level,
        vertebra_id=deposit.vertebra_id,
        side=deposit.side,
        volume_ml=deposit.volume_ml,
        size_mm=deposit.extent_mm,
        from_mm=from_mm,
        to_mm=to_mm,
        depth_mm=float(np.percentile(depth, RIM_PERCENTILE)) if len(depth) else None,
        neural=neural,
        may_have_to_stay=intradural and neural in ("conus_or_cauda", "cauda"),
    )


def behind_dura(canal: Canal, s_mm: FloatArray, theta: FloatArray, r_mm: FloatArray) -> FloatArray:
    """How far before the sac's dorsal outline points lie; those beside the sac are left out.

    Parameters
    ----------
    canal : Canal
    s_mm, theta, r_mm : (m,) float64
        As ``CanalFrame.locate`` gives them.

    Returns
    -------
    (k,) float64
        k <= m; mm, negative behind the outline.
    """
    aside, back = r_mm * np.sin(theta), -r_mm * np.cos(theta)
    at = canal.frame.index(s_mm)
    dorsal = np.cos(canal.theta) <= 0
    angles = canal.theta[dorsal]
    depth = []
    for row in np.unique(at):
        here = at == row
        outline_u = canal.sac_mm[row, dorsal] * np.sin(angles)
        outline_v = -canal.sac_mm[row, dorsal] * np.cos(angles)
        order = np.argsort(outline_u)
        u = aside[here]
        within = (u >= outline_u[order[0]]) & (u <= outline_u[order[-1]])
        rim = np.interp(u[within], outline_u[order], outline_v[order])
        depth.append(rim - back[here][within])
    return np.concatenate(depth) if depth else np.zeros(0)
