"""What is published of bone cements in time: each figure with its unit, its source and how certain it is."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from thecal.errors import InputError

Certainty = Literal["read", "computed", "memory"]
"""``read`` in the source's abstract; ``computed`` from such; ``memory``: not checked against anything."""
What = Literal["toothpaste_begins", "toothpaste_ends", "cured", "injected_from", "injected_to"]
General = Literal[
    "cure_time_halves_over",
    "toothpaste_from",
    "toothpaste_to",
    "hand_pressure_mean_peak",
    "hand_pressure_highest",
]
SCHEMA: Final = "thecal.cements/1"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GeneralFigure(_Strict):
    """A figure that holds for all cements."""

    what: General
    value: float
    unit: Literal["degC", "Pa.s", "MPa"]
    source: str
    certainty: Certainty
    note: str = ""


class TimeFigure(_Strict):
    """A moment after mixing, at a room temperature; one standard deviation where it is published."""

    what: What
    value: float
    sd: float | None = None
    unit: Literal["min"]
    at_degc: float | None
    source: str
    certainty: Certainty
    note: str = ""


class ViscosityFigure(_Strict):
    """A viscosity, or the range it lies in, at a moment after mixing."""

    min: float
    at_degc: float
    low: float
    high: float
    unit: Literal["Pa.s"]
    source: str
    certainty: Certainty
    note: str = ""


class Cement(_Strict):
    """One brand."""

    name: str
    figures: tuple[TimeFigure, ...]
    viscosity: tuple[ViscosityFigure, ...]

    def figure(self, what: What) -> TimeFigure | None:
        """The figure of that name, where there is one."""
        return next((figure for figure in self.figures if figure.what == what), None)


class Cements(_Strict):
    """The table."""

    schema_: Literal["thecal.cements/1"]
    sources: dict[str, str]
    general: tuple[GeneralFigure, ...]
    cements: tuple[Cement, ...]

    def value(self, what: General) -> float:
        """A general figure's value."""
        return next(figure.value for figure in self.general if figure.what == what)


@cache
def cements() -> Cements:
    """The table that thecal ships."""
    import json

    text = resources.files("thecal.needle").joinpath("cements.json").read_text(encoding="utf-8")
    table = json.loads(text)
    return Cements.model_validate(table | {"schema_": table.pop("schema")})


def cement(brand: str) -> Cement:
    """The cement of a brand, however it is spelled.

    Raises
    ------
    InputError
        Where nothing is known of it.
    """
    wanted = _plain(brand)
    for known in cements().cements:
        if _plain(known.name) == wanted:
            return known
    names = ", ".join(known.name for known in cements().cements)
    raise InputError(f"Nothing is known of the cement {brand}: there are figures for {names}")


def _plain(name: str) -> str:
    return "".join(sign for sign in name.lower() if sign.isalnum() or sign == "+")
