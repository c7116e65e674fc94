"""No cement outside the dura: what CT can say of it. What the surgeon saw is told apart in the report."""

from __future__ import annotations

from typing import Final

from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.scene import Scene, sign
from thecal.leakage.intradural.straight_canal import StraightCanal
from thecal.terms import SignName

MOST_OUTSIDE: Final = 0.10
"""Of the canal's cement; the sac's border is uncertain by more than a film of this size. Assumed here."""


def no_extradural_cement(scene: Scene, canal: StraightCanal) -> IntraduralSign:
    """Share of the cement in the canal that lies outside the sac's outline.

    The sign is present where that share is at most a tenth.
    """
    name: SignName = "no_extradural_cement"
    outside, inside = scene.volume_ml("epidural"), scene.volume_ml("intradural")
    share = outside / (outside + inside)
    if outside == 0:
        words = (
            "On CT no deposit is seen in the canal outside the outline of the sac above "
            f"{scene.cement.detection_limit_mm3:.0f} mm³."
        )
    else:
        words = (
            f"On CT {1000 * outside:.0f} of {1000 * (outside + inside):.0f} mm³ of cement in the canal lie "
            "outside the outline of the sac."
        )
    return sign(
        name,
        "present" if share <= MOST_OUTSIDE else "absent",
        words,
        value=round(share, 3),
        unit="share of canal cement outside the sac",
        threshold=MOST_OUTSIDE,
        at_mm=scene.fullest(canal.sac_cement),
    )
