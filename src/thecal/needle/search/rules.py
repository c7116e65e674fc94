"""What a needle's way must keep to.

The founding paper's rule in three dimensions: no point of the needle passes the medial pedicle wall before
the posterior wall of the body, with a margin. Here it is kept for the whole cylinder and all of its way:
nowhere does it come nearer to the canal than the margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from thecal.errors import InputError
from thecal.needle.plan_value import Approach
from thecal.needle.search.keep_away import AORTA, BONE, DISC, FAR, FOREIGN, GAS, LUNG, MEDIAL, NEAR, RIB, ROOT
from thecal.volume import FloatArray

MARGIN_MM: Final = 1.0
"""Least free way between needle and medial pedicle wall, unless the user asks for more."""
MOST_MARGIN_MM: Final = 24.0
WIDE_MARGIN_MM: Final = 3.0
"""From lung, gas and great vessels, which move with breath and pulse."""
RIB_TOUCH_MM: Final = 1.5
"""A way beside the pedicle runs between the rib's neck and the transverse process and may rub on either; it
does not bore through the rib."""
FOREIGN_MARGIN_MM: Final = 1.0
"""From cement and metal, whose edges the scan blurs."""
RIB_AXIS_MM: Final = 0.1
"""The needle's axis stays outside the rib by so much, however thin the needle: fields are 0 inside."""
NEVER: Final = -1000.0
"""A structure whose nearness forbids nothing."""
PEDICLE_BACK_MM: Final = -9.0
"""Behind the posterior wall's middle the pedicle ends there: from here on forward a transpedicular needle
runs in bone (see ``leakage.revision.pedicle_size``)."""
BODY_MARGIN_MM: Final = 1.0
"""In the body the needle keeps so far from endplates and walls."""
TIP_MARGIN_MM: Final = 3.0
"""The tip, from the anterior and lateral walls and the endplates: labels err by one or two."""
STEEPEST: Final[dict[Approach, tuple[float, float]]] = {
    "transpedicular": (-15.0, 40.0),
    "extrapedicular": (10.0, 50.0),
}
"""Transverse angle towards the midline, degrees: pedicles point from -10 (T12, Kaur 2016) to 30 (L5, Zindrick
1987); the ways beside them 24 to 41 (100 patients, T1-T12), so that 50 is steep."""
STEEPEST_SAGITTAL: Final = 30.0
TIP_SHARES: Final = (2.0 / 3.0, 0.92)
"""The anterior third; the last twelfth is left to the anterior wall's error."""
LOW_MM: Final = 2.0
"""A way beside the pedicle passes lateral of its middle, and no lower than so much below it, for the root
leaves under the pedicle."""
WALL_SHARE: Final = 0.5
"""It enters the body's wall in the posterior half of the depth."""
LEAST_BODY_MM: Final = 12.0


@dataclass(frozen=True, eq=False)
class Rules:
    """The numbers that ``search`` keeps to for one approach.

    Attributes
    ----------
    approach : Approach
    radius_mm : float
        Of the needle.
    need_near, need_far : (n,) float64
        Least free distance from each of ``keep_away.NEAR`` and ``FAR``, mm.
    transverse_deg : (float, float)
    """

    approach: Approach
    radius_mm: float
    need_near: FloatArray
    need_far: FloatArray
    transverse_deg: tuple[float, float]


def rules(approach: Approach, outer_mm: float, margin_mm: float = MARGIN_MM) -> Rules:
    """The rules for a needle.

    Parameters
    ----------
    approach : Approach
    outer_mm : float
        The needle's outer diameter.
    margin_mm : float
        From the medial pedicle wall and the root in the foramen.

    Raises
    ------
    InputError
        Where the margin is below 1 mm, or no length.
    """
    if margin_mm > MOST_MARGIN_MM:
        raise InputError(f"--margin {margin_mm:g} is wider than any pedicle ({MOST_MARGIN_MM:g} mm)")
    if not margin_mm >= MARGIN_MM:
        raise InputError(f"--margin {margin_mm:g} is below {MARGIN_MM:g} mm, the least that a plan keeps")
    need = {
        MEDIAL: margin_mm,
        ROOT: margin_mm,
        LUNG: WIDE_MARGIN_MM,
        GAS: WIDE_MARGIN_MM,
        AORTA: WIDE_MARGIN_MM,
        BONE: 0.0,
        DISC: 0.0,
        FOREIGN: FOREIGN_MARGIN_MM,
        RIB: max(-RIB_TOUCH_MM, RIB_AXIS_MM - outer_mm / 2.0),
    }
    return Rules(
        approach,
        outer_mm / 2.0,
        np.array([need.get(name, 0.0) for name in NEAR]),
        np.array([need.get(name, NEVER) for name in FAR]),
        STEEPEST[approach],
    )
