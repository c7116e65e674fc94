"""A straight needle through a pedicle, for simulated injections: not a plan."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.anatomy.spine import Part, Spine, Vertebra
from thecal.errors import InputError
from thecal.fluoro.target import Needle, body_depth_mm
from thecal.terms import Side

OUTER_MM: Final = {"11G": 3.0, "13G": 2.4}
"""Outer diameters (from memory)."""
BEHIND_MM: Final = 55.0
"""The shaft is drawn so far behind the posterior wall."""


def straight_needle(spine: Spine, vertebra: Vertebra, side: Side, *, gauge: str = "11G") -> Needle:
    """Through the pedicle's middle to the anterior third near the midline.

    Raises
    ------
    InputError
        Where the anatomy shows no pedicle on that side.
    """
    k = 1.0 if side == "left" else -1.0
    frame = vertebra.frame
    depth = body_depth_mm(spine, vertebra)
    arch = frame.to_local(
        spine.grid.to_lps(np.argwhere((spine.labels == vertebra.id) & (spine.parts == Part.ARCH)))
    )
    near = arch[(arch[:, 1] > -9.0) & (arch[:, 1] < -2.0) & (k * arch[:, 0] > 5.0) & (k * arch[:, 0] < 26.0)]
    if len(near) < 10:
        raise InputError(f"The anatomy shows no pedicle on the {side}")
    at = np.array([float(np.median(near[:, 0])), -5.0, float(np.median(near[:, 2]))])
    tip = np.array([k * max(3.0, 0.35 * abs(at[0])), 0.72 * depth, min(at[2], 4.0) - 2.0])
    way = (tip - at) / np.linalg.norm(tip - at)
    entry = at - way * BEHIND_MM
    ends = frame.to_lps(np.stack([entry, tip]))
    first, last = ends
    return Needle(
        side,
        (float(first[0]), float(first[1]), float(first[2])),
        (float(last[0]), float(last[1]), float(last[2])),
        OUTER_MM[gauge],
    )
