"""Spread within the sac over levels that were not treated."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.scene import Scene, sign, unread
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName, vertebra_name

TREATED_ML: Final = 0.5
"""A body that holds this much cement was treated; 2 to 8 mL are injected."""
LONG_MM: Final = 4.0
"""A level counts where cement lies within the sac along this much of it, or two slices."""
AREA_MM2: Final = 1.0
"""Less cement than this on a plane is blur."""
THRESHOLD: Final = 1.0


def multilevel_spread(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Number of levels, beyond those treated, at which cement lies within the sac's outline.

    A level reaches half way to the next. Where no body holds cement, the level with the most cement in the
    sac stands for the treated one.
    """
    name: SignName = "multilevel_spread"
    if not scene.levels.vertebrae:
        return unread(name, "No vertebra was found that could be counted.")
    area = canal.sac_cement.sum((1, 2)) * canal.step_mm**2
    at = scene.levels.index_at(scene.spine.canal.frame.s_mm[canal.rows])
    held = at[(area >= AREA_MM2) & (at >= 0)]
    length = np.bincount(held, minlength=len(scene.levels.vertebrae)) * canal.plane_mm
    reached = {int(i) for i in np.flatnonzero(length >= max(LONG_MM, 2 * scene.slice_mm))}
    treated = {
        i
        for i, v in enumerate(scene.levels.vertebrae)
        if any(
            d.compartment == "intravertebral" and d.vertebra_id == v.id and d.volume_ml >= TREATED_ML
            for d in scene.leakage.deposits
        )
    }
    if not treated and length.any():
        treated = {int(np.argmax(length))}
    beyond = sorted(reached - treated, reverse=True)
    names = [vertebra_name(scene.levels.vertebrae[i].level, scene.levels.vertebrae[i].id) for i in beyond]
    if not length.any():
        words = "No cement of the canal lies within the outline of the sac."
    elif beyond:
        words = f"Cement lies within the outline of the sac beyond the treated level, at {', '.join(names)}."
    else:
        words = "Cement within the outline of the sac keeps to the treated level."
    return sign(
        name,
        "present" if beyond else "absent",
        words,
        value=float(len(beyond)),
        unit="levels beyond the treated",
        threshold=THRESHOLD,
        at_mm=scene.fullest(canal.sac_cement * np.isin(at, beyond)[:, None, None]),
    )
