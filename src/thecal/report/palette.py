"""Colours and patterns of the compartments: one meaning everywhere in the report.

Colours are those of Okabe and Ito (2008, "Color Universal Design"), told apart with any colour vision; each
compartment also has its own pattern and is always named in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from thecal.terms import Compartment


@dataclass(frozen=True)
class Look:
    """How a compartment looks: its colour, and the dashes of its outline."""

    colour: str
    dashes: tuple[float, ...]
    name: str

    @property
    def on_paper(self) -> str:
        """The colour on a white ground, where white itself would not be seen."""
        return "#8d99a5" if self.colour == "#FFFFFF" else self.colour


LOOKS: Final[dict[Compartment, Look]] = {
    "intradural": Look("#CC79A7", (3.0, 1.2), "intradural"),
    "epidural": Look("#D55E00", (), "epidural"),
    "foraminal": Look("#E69F00", (1.0, 1.0), "foraminal"),
    "unassigned": Look("#FFFFFF", (1.0, 2.0), "unassigned"),
    "needle_track": Look("#F0E442", (5.0, 1.5, 1.0, 1.5), "needle track"),
    "intradiscal": Look("#009E73", (2.0, 1.0), "intradiscal"),
    "paravertebral": Look("#56B4E9", (6.0, 1.5), "paravertebral"),
    "intravertebral": Look("#0072B2", (), "intravertebral"),
}
CANAL_WALL: Final = "#FFFFFF"
WALL_AND_SAC: Final = (
    "Solid white: canal wall; dashed white: thecal sac, an estimate, since CT does not show the dura."
)
"""What the two white lines are, in every caption."""
INK: Final = "#1b1f24"
FAINT: Final = "#5a626b"


@cache
def swatches() -> dict[str, str]:
    """A small SVG for each compartment, its colour and dashes, for tables."""
    made = {}
    for compartment, look in LOOKS.items():
        dashes = f' stroke-dasharray="{" ".join(str(2 * d) for d in look.dashes)}"' if look.dashes else ""
        made[str(compartment)] = (
            '<svg class="swatch" viewBox="0 0 26 12" width="26" height="12" aria-hidden="true">'
            '<rect width="26" height="12" rx="2" fill="#3a3f45"/>'
            f'<line x1="3" x2="23" y1="6" y2="6" stroke="{look.colour}" stroke-width="3"{dashes}/></svg>'
        )
    return made
