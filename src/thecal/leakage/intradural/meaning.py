"""What each sign means, and who described it."""

from __future__ import annotations

from typing import Final

from thecal.terms import SignName

LIAO: Final = "Liao 2025, doi 10.2147/IMCRJ.S535207"
SIGN_MEANING: Final[dict[SignName, tuple[str, str]]] = {
    "medial_puncture": ("The needle's way crosses the medial wall of the pedicle.", LIAO),
    "layering": ("Gaps between sheets of cement in the canal.", LIAO),
    "no_extradural_cement": (
        "No cement outside the dura at surgery; CT can only say that no extradural deposit is seen.",
        LIAO,
    ),
    "sac_conforming_shape": ("Blunt cement whose outline is that of the thecal sac.", LIAO),
    "root_outlines": (
        "Nerve roots outlined by cement, as in a myelogram.",
        "Chen 2015, doi 10.1016/j.spinee.2015.03.025",
    ),
    "multilevel_spread": (
        "Cement in the canal over several levels.",
        "Baek 2021, doi 10.1186/s12891-021-04625-7",
    ),
    "separated_from_posterior_wall": (
        "Cement in the canal parted from the posterior wall of the body.",
        "general neuroradiology; no paper on cement found",
    ),
}
"""A sentence and a source. No paper gives a sensitivity or a specificity for any of them: each rests on one
to three patients."""

PRESENT_BELOW: Final[dict[SignName, str]] = {"medial_puncture": "<", "no_extradural_cement": "≤"}
"""Signs that are present below their threshold, or at it; all others from it on upward."""
