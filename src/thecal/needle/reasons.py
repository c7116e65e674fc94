"""Why a side has no safe way, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from thecal.needle.gauges import gauge
from thecal.needle.plan_value import Corridor
from thecal.needle.search.find_ways import Searched
from thecal.needle.search.judge import BONE_LEFT, BORES, NO_ENTRY, TIP_OUT, TOO_STEEP
from thecal.needle.search.keep_away import NEAR, SAC
from thecal.needle.search.rules import STEEPEST_SAGITTAL, Rules

if TYPE_CHECKING:
    from thecal.needle.plan import Wish


CANAL_NOT_FOUND: Final = "The canal was not found at this vertebra."
"""Then nothing stands for the medial wall."""


def why_none(found: Searched, rule: Rules, corridor: Corridor | None, wish: Wish) -> str:
    """The sentence for one approach that found nothing."""
    outer = gauge(wish.needle).outer_mm
    needed = outer + wish.margin_mm
    if rule.approach == "transpedicular" and corridor is None:
        return "Through the pedicle: it was not found well enough to measure it."
    if rule.approach == "transpedicular" and corridor is not None and corridor.width_mm < needed:
        return (
            f"Through the pedicle: it is {corridor.width_mm:.1f} mm wide at its narrowest; a "
            f"{wish.needle} needle ({outer:.1f} mm) with {wish.margin_mm:g} mm to the "
            f"medial wall needs {needed:.1f} mm."
        )
    words = "Through the pedicle" if rule.approach == "transpedicular" else "Beside the pedicle"
    return f"{words}: no way of {found.tried} keeps the rules; most end because {_most(found)}."


def _most(found: Searched) -> str:
    """What ended most of the ways that began well."""
    telling = {code: n for code, n in found.ended.items() if code not in (TOO_STEEP, NO_ENTRY, TIP_OUT)}
    ended = telling or found.ended
    if not ended:
        return "none was tried"
    code = max(ended, key=lambda key: ended[key])
    near = {k: name for k, name in enumerate(name for name in NEAR if name != SAC)}
    if code in near:
        return f"they come too near to the {near[code]}"
    if code == len(near):
        return "they come too near to lung, gas, aorta, ribs or the neighbouring bones and discs"
    return {
        BONE_LEFT: "they leave the bone of the pedicle or the body",
        BORES: "they would bore through the vertebra's own transverse process",
        NO_ENTRY: "they meet the body's side wall at the wrong place",
        TOO_STEEP: f"they are too steep (over {STEEPEST_SAGITTAL:g} degrees to head or feet, or to the side)",
        TIP_OUT: "the tip lies too near to the body's walls or endplates",
    }.get(code, "no rule was kept")
