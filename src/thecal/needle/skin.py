"""Where a way begins: at the skin, and how far beside the midline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.anatomy.spine import Vertebra
from thecal.needle.search.around import Around
from thecal.volume import FloatArray, Grid

REACH_MM: Final = 260.0
STEP_MM: Final = 0.5
OUTSIDE_MM: Final = 6.0
"""Air so long is no longer a fold of the skin."""


@dataclass(frozen=True)
class Skin:
    """Where a way meets the skin.

    Attributes
    ----------
    point_mm : (float, float, float)
        LPS.
    to_entry_mm : float
        From there to the bone.
    from_midline_mm : float
        Beside the plane through the spinous processes (the vertebra's own middle plane); positive on the
        needle's side.
    """

    point_mm: tuple[float, float, float]
    to_entry_mm: float
    from_midline_mm: float


def skin_of(
    around: Around, scan: Grid, vertebra: Vertebra, entry: FloatArray, ahead: FloatArray, sign: float
) -> Skin | None:
    """Follow a way backwards to the skin.

    Parameters
    ----------
    around : Around
    scan : Grid
        The whole scan: what lies outside it is not air.
    vertebra : Vertebra
    entry, ahead : (3,) float64
        On the bone, and unit direction from back to front, LPS.
    sign : float
        Side of the needle: 1 left, -1 right.

    Returns
    -------
    Skin or None
        None where the scan ends first.
    """
    back = np.arange(0.0, REACH_MM, STEP_MM)
    line = entry - back[:, None] * ahead
    index = scan.to_index(line)
    seen = ((index >= -0.5) & (index <= np.array(scan.shape) - 0.5)).all(1)
    last = int(np.argmin(seen)) if not seen.all() else len(back)
    body = around.at(around.body, line[:last])
    need = round(OUTSIDE_MM / STEP_MM)
    out = 0
    for k in range(last):
        out = out + 1 if not body[k] else 0
        if out >= need:
            at = k - need
            if at < 0:
                return None
            point = line[at]
            aside = float(vertebra.frame.to_local(point)[0])
            return Skin((float(point[0]), float(point[1]), float(point[2])), float(back[at]), sign * aside)
    return None
