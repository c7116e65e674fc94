"""What cement is to be put where, and what is then true of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from thecal.errors import InputError
from thecal.terms import COMPARTMENTS, VERSE_IDS, Compartment, Route, Side, Yeom

Point = tuple[float, float, float]
Form = Literal[
    "fill",
    "above",
    "below",
    "crescent",
    "recess",
    "basivertebral",
    "plexus",
    "mass",
    "dorsal",
    "piece",
    "sheets",
    "lump",
    "cast",
    "foramen",
    "blob",
    "segmental",
    "prevertebral",
    "track",
]
FORMS: Final[dict[Compartment, tuple[Form, ...]]] = {
    "intravertebral": ("fill",),
    "intradiscal": ("above", "below"),
    "epidural": ("crescent", "recess", "basivertebral", "plexus", "mass", "dorsal"),
    "intradural": ("piece", "sheets", "lump", "cast"),
    "foraminal": ("foramen",),
    "paravertebral": ("blob", "segmental", "prevertebral"),
    "needle_track": ("track",),
}
# Route, and Yeom's type: B basivertebral, S segmental vein, C cortical
# (Yeom 2003, doi 10.1302/0301-620x.85b1.13026).
ORIGIN: Final[dict[Form, tuple[Route, Yeom | None]]] = {
    "fill": ("needle", None),
    "above": ("endplate", "C"),
    "below": ("endplate", "C"),
    "crescent": ("cortical", "C"),
    "recess": ("cortical", "C"),
    "basivertebral": ("basivertebral", "B"),
    "plexus": ("basivertebral", "B"),
    "mass": ("cortical", "C"),
    "dorsal": ("needle", None),
    "piece": ("needle", None),
    "sheets": ("needle", None),
    "lump": ("needle", None),
    "cast": ("needle", None),
    "foramen": ("segmental", "S"),
    "blob": ("cortical", "C"),
    "segmental": ("segmental", "S"),
    "prevertebral": ("segmental", "S"),
    "track": ("needle", None),
}


@dataclass(frozen=True)
class DepositSpec:
    """One deposit to make.

    Attributes
    ----------
    compartment, level, volume_ml
    side : Side or None
        None lets the seed choose, or the midline where the form has one.
    form : Form or None
        None takes the compartment's first.
    hu : float or None
        Of the pure cement; None takes the case's cement.
    size_mm : (3,) floats or None
        For an intradural piece or lump: length along the canal, thickness front to back, width. A lump of
        negative thickness lies in front.
    """

    compartment: Compartment
    level: str
    volume_ml: float
    side: Side | None = None
    form: Form | None = None
    hu: float | None = None
    size_mm: Point | None = None

    @property
    def shape(self) -> Form:
        """The form, the compartment's first where none was given."""
        return self.form or FORMS[self.compartment][0]


@dataclass(frozen=True)
class TrueDeposit:
    """What is true of a deposit: the fields of ``report.deposits`` that a phantom can know.

    ``volume_ml`` is the sum over the supersampled shape. Cement inside trabecular bone counts with the
    struts it surrounds. ``pieces`` is the number of separate parts (sheets of a layered deposit).
    """

    id: int
    compartment: Compartment
    level: str
    levels_spanned: tuple[str, ...]
    volume_ml: float
    centroid_mm: Point
    extent_mm: Point
    side: Side
    route: Route
    yeom: Yeom | None
    breach_mm: Point | None
    form: Form
    hu: float
    pieces: int


def parse_deposit(text: str) -> DepositSpec:
    """``"epidural@T12:0.3ml:left:plexus"`` to a spec; side and form may be left out, in either order.

    Raises
    ------
    InputError
        Where a word is not known.
    """
    try:
        place, *words = text.split(":")
        compartment, level = place.split("@")
        volume = float(words[0].lower().removesuffix("ml"))
    except (ValueError, IndexError):
        raise InputError(f"A deposit reads like epidural@T12:0.3ml:left, not {text!r}") from None
    if compartment not in COMPARTMENTS or compartment == "unassigned":
        raise InputError(f"There is no compartment {compartment!r} to put cement in")
    if level not in VERSE_IDS:
        raise InputError(f"There is no level {level!r}")
    if not 0 < volume <= 15:
        raise InputError(f"A deposit of {volume:g} mL is not between 0 and 15 mL")
    side: Side | None = None
    form: Form | None = None
    for word in words[1:]:
        if word in get_args(Side):
            side = cast(Side, word)
        elif word in FORMS[compartment]:
            form = word
        else:
            raise InputError(f"{word!r} is neither a side nor a form of {compartment} cement")
    return DepositSpec(compartment, level, volume, side, form)
