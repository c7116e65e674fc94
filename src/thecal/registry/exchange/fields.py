"""The fields of a case, read from the contract itself: a new field is exchanged the day it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from thecal.registry.case import Case, Sign
from thecal.terms import VERSE_IDS

Kind = Literal["text", "number", "date", "choice", "levels", "signs"]
SINGLE: Final = ("patient", "deficit")
"""Parts of which a case has one at most."""
LISTS: Final = ("fractures", "procedures", "imaging", "leaks", "revisions", "outcomes", "events")
PARTS: Final = SINGLE + LISTS
IDENTIFYING: Final = (("patient", "name"), ("patient", "born"))
"""What says who she is: it leaves only by `--identified`."""
UNITS: Final = {
    "_years": "years",
    "_days": "days",
    "days": "days",
    "_hu": "HU",
    "_s": "s",
    "_h": "h",
    "_ml": "mL",
    "_gauge": "gauge",
    "_score": "SD",
}


@dataclass(frozen=True)
class PartField:
    """One field of one part.

    Attributes
    ----------
    part, name : str
        "procedures", "volume_ml".
    kind : str
        ``levels`` is several levels in one place, ``signs`` a sign's name and state, several in one place.
    choices : tuple of str
        The words it takes; empty where it is free.
    low, high : float or None
        Of numbers.
    required : bool
        Whether the part cannot be without it.
    longest : int or None
        Characters, of text.
    """

    part: str
    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    required: bool = False
    longest: int | None = None

    @property
    def unit(self) -> str:
        """The unit of a number, or nothing."""
        if self.kind != "number":
            return ""
        return next((unit for end, unit in UNITS.items() if self.name.endswith(end)), "")

    @property
    def takes(self) -> str:
        """What it takes, in words that repeat nothing of what was found."""
        if self.kind == "choice":
            few = self.choices if len(self.choices) < 12 else (*self.choices[:3], "…", self.choices[-1])
            return f"one of {', '.join(few)}"
        if self.kind == "date":
            return "a date, YYYY-MM-DD"
        if self.kind == "levels":
            return "levels such as T12 L1"
        if self.kind == "signs":
            return "signs such as layering=present"
        if self.kind == "text":
            return f"text of at most {self.longest} characters" if self.longest else "text"
        ends = [f"from {self.low:g}" if self.low is not None else ""]
        ends.append(f"to {self.high:g}" if self.high is not None else "")
        return " ".join(["a number", *(end for end in ends if end), *([self.unit] if self.unit else [])])


@cache
def fields_of(part: str) -> dict[str, PartField]:
    """The fields of a part by name, in the order of the contract."""
    model = _model(part)
    return {
        name: _field(part, name, info.annotation, (info,), info.is_required())
        for name, info in model.model_fields.items()
    }


@cache
def all_fields() -> tuple[PartField, ...]:
    """Every field of every part."""
    return tuple(field for part in PARTS for field in fields_of(part).values())


def field_at(path: str) -> tuple[str, int, PartField]:
    """The part, the number in its list from 1, and the field of "procedures.2.volume_ml".

    Raises
    ------
    KeyError
        Where there is no such field.
    """
    words = path.split(".")
    part = words[0]
    number = 1
    if len(words) == 3 and words[1].isdecimal() and part in LISTS:
        number = int(words[1])
        words = [part, words[2]]
    if len(words) != 2 or part not in PARTS or number < 1:
        raise KeyError(path)
    return part, number, fields_of(part)[words[1]]


def _model(part: str) -> type[BaseModel]:
    return next(
        kind
        for kind in _leaves(Case.model_fields[part].annotation)
        if isinstance(kind, type) and issubclass(kind, BaseModel)
    )


def _leaves(annotation: Any) -> list[Any]:
    """What an annotation is made of, unions, tuples and notes taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _leaves(get_args(annotation)[0])
    if origin in (Union, UnionType, tuple):
        return [leaf for each in get_args(annotation) for leaf in _leaves(each)]
    return [annotation]


def _metadata(annotation: Any) -> list[Any]:
    """Every note that pydantic keeps within an annotation."""
    if get_origin(annotation) is Annotated:
        kind, *notes = get_args(annotation)
        return [*_metadata(kind), *notes]
    return [note for each in get_args(annotation) for note in _metadata(each)]


def _field(part: str, name: str, annotation: Any, outer: tuple[Any, ...], required: bool) -> PartField:
    leaves = [leaf for leaf in _leaves(annotation) if leaf is not NoneType and leaf is not Ellipsis]
    notes: dict[str, Any] = {}
    for note in [*_metadata(annotation), *outer]:
        for each in [note, *getattr(note, "metadata", [])]:
            for key in ("ge", "gt", "le", "lt", "max_length", "json_schema_extra"):
                if getattr(each, key, None) is not None:
                    notes[key] = getattr(each, key)
    several = any(get_origin(each) is tuple for each in (annotation, *get_args(annotation)))
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    if Sign in leaves:
        kind = "signs"
    elif all(get_origin(leaf) is Literal for leaf in leaves):
        kind, choices = "choice", tuple(str(word) for leaf in leaves for word in get_args(leaf))
    elif float in leaves or int in leaves:
        kind = "number"
    elif date in leaves:
        kind = "date"
    elif "enum" in (notes.get("json_schema_extra") or {}):
        kind, choices = ("levels" if several else "choice"), tuple(VERSE_IDS)
    return PartField(
        part=part,
        name=name,
        kind=kind,
        choices=choices,
        low=notes.get("ge", notes.get("gt")),
        high=notes.get("le", notes.get("lt")),
        required=required,
        longest=notes.get("max_length") if kind == "text" else None,
    )
