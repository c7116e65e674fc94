"""One value of a case as text in a cell, and back."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Final

from thecal.errors import InputError
from thecal.registry.exchange.fields import PartField
from thecal.terms import SIGNS, VERSE_IDS

STATES: Final = ("present", "absent", "not_assessable")
MISSING: Final = ("", "NA", "N/A", "n/a")
"""Cells that say nothing, unless a mapping says otherwise."""
FACTORS: Final[dict[str, dict[str, float]]] = {
    "years": {"years": 1.0, "months": 1.0 / 12.0, "days": 1.0 / 365.25},
    "days": {"days": 1.0, "hours": 1.0 / 24.0, "weeks": 7.0, "months": 365.25 / 12.0, "years": 365.25},
    "h": {"h": 1.0, "min": 1.0 / 60.0, "days": 24.0, "weeks": 168.0},
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0},
    "mL": {"mL": 1.0, "ml": 1.0, "cc": 1.0, "cm3": 1.0, "mm3": 0.001, "uL": 0.001},
    "": {"1": 1.0, "%": 0.01},
    "HU": {"HU": 1.0},
    "SD": {"SD": 1.0},
    "gauge": {"gauge": 1.0, "G": 1.0},
}
"""Units that a column may have, by the registry's own unit, and what one of them is in it."""
_NUMBER: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_TIME: Final = re.compile(r"(?<=\d)[T ]\d{2}:\d{2}(:\d{2})?$")
"""The time of day after a date; a case keeps the day."""
_SEVERAL: Final = re.compile(r"[\s,;/+|]+")


def to_text(value: Any) -> str:
    """A value of a case as it stands in a cell; ``None`` and what is empty become nothing."""
    if value is None or value == ():
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return " ".join(f"{v.name}={v.state}" if hasattr(v, "state") else str(v) for v in value)
    return str(value)


def from_text(
    field: PartField, text: str, *, decimal: str = ".", date_format: str = "", factor: float = 1.0
) -> Any:
    """The value that a cell's text says for a field.

    Parameters
    ----------
    field : PartField
    text : str
        Not empty.
    decimal : str
        What stands before the decimals.
    date_format : str
        Of ``strptime``; empty for ISO (2024-05-31).
    factor : float
        What one of the column's units is in the field's.

    Raises
    ------
    InputError
        Where it is nothing of that kind; the sentence repeats nothing of the text.
    """
    kind = field.kind
    if kind == "text":
        return text
    if kind == "choice":
        if text in field.choices:
            return text
        word = text.casefold()
        found = [choice for choice in field.choices if choice.casefold() == word]
        if len(found) != 1:
            raise InputError(f"must be {field.takes}")
        return found[0]
    if kind == "number":
        return _number(field, text, decimal, factor)
    if kind == "date":
        return _date(text, date_format)
    words = [word for word in _SEVERAL.split(text) if word]
    if kind == "levels":
        if any(word not in VERSE_IDS for word in words):
            raise InputError(f"must be {field.takes}")
        return tuple(words)
    pairs = [word.partition("=") for word in words]
    if any(name not in SIGNS or state not in STATES for name, _, state in pairs):
        raise InputError(f"must be {field.takes}")
    return tuple({"name": name, "state": state} for name, _, state in pairs)


def kind_of(text: str) -> str:
    """What sort of thing stands in a cell, and nothing of it: a sentence may not repeat a name."""
    plain = text.strip()
    if not plain:
        return "nothing"
    if _NUMBER.fullmatch(plain.replace(",", ".")):
        return "a number"
    if re.fullmatch(r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}([T ].*)?", plain):
        return "a date"
    return f"text of {len(plain)} characters"


def _number(field: PartField, text: str, decimal: str, factor: float) -> float:
    plain = text.replace(decimal, ".") if decimal != "." else text
    plain = plain.strip()
    if not _NUMBER.fullmatch(plain):
        raise InputError(f"must be {field.takes}")
    value = float(plain) if factor == 1.0 else float(plain) * factor
    if (field.low is not None and value < field.low) or (field.high is not None and value > field.high):
        raise InputError(f"must be {field.takes}")
    return value


def _date(text: str, date_format: str) -> date:
    try:
        if date_format:
            return datetime.strptime(text.strip(), date_format).date()
        return date.fromisoformat(_TIME.sub("", text.strip()))
    except ValueError as error:
        shape = f"written {date_format}" if date_format else "written year-month-day, like 2024-05-31"
        raise InputError(f"must be a date {shape}") from error
