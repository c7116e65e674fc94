"""Colours of the plan's pictures: one meaning each, for any colour vision (Okabe and Ito 2008)."""

from __future__ import annotations

from typing import Final

from thecal.needle.outputs.needles import NeedleKey
from thecal.terms import Grade

NEEDLE_COLOURS: Final[dict[NeedleKey, str]] = {"one": "#D55E00", "left": "#0072B2", "right": "#009E73"}
MEDIAL_LINE: Final = "#F0E442"
"""Medial border of the pedicle: what the tip must not cross before the posterior wall."""
POSTERIOR_WALL: Final = "#56B4E9"
"""Posterior wall of the body, and the third before it."""
EXECUTED: Final = "#CC79A7"
"""What was done already: a needle as it was put, beside the plan of it; cement and metal that lie there."""
GRADE_COLOURS: Final[dict[Grade, str]] = {
    "A": "#0072B2",
    "B": "#56B4E9",
    "C": "#E69F00",
    "D": "#D55E00",
    "E": "#7a1f00",
}


def rgb(colour: str) -> tuple[float, float, float]:
    """A colour "#rrggbb" as shares of red, green and blue."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
    return (round(red, 4), round(green, 4), round(blue, 4))
