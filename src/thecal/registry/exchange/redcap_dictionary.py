"""A REDCap data dictionary: this program's own, and one that is read.

The head of the file is REDCap's, as published dictionaries have it; it has been tried on no server. A
choice's raw code is the registry's own word, so that raw data need no translation.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from thecal.errors import InputError
from thecal.registry.exchange.csv_in import read_table
from thecal.registry.exchange.fields import LISTS, PARTS, PartField, fields_of

RECORD: Final = "record_id"
HEAD: Final = (
    "Variable / Field Name",
    "Form Name",
    "Section Header",
    "Field Type",
    "Field Label",
    "Choices, Calculations, OR Slider Labels",
    "Field Note",
    "Text Validation Type OR Show Slider Number",
    "Text Validation Min",
    "Text Validation Max",
    "Identifier?",
    "Branching Logic (Show field only if...)",
    "Required Field?",
    "Custom Alignment",
    "Question Number (surveys only)",
    "Matrix Group Name",
    "Matrix Ranking?",
    "Field Annotation",
)
FORMS: Final = {
    "patient": "Patient",
    "deficit": "Deficit",
    "fractures": "Fractures",
    "procedures": "Procedures",
    "imaging": "Imaging",
    "leaks": "Leaks",
    "revisions": "Revisions",
    "outcomes": "Outcomes",
    "events": "Events",
}
"""What REDCap calls each instrument. The seven lists are to be set as repeating in the project's setup."""
YES_NO: Final = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
LONG_TEXT: Final = 200
"""Fields that may hold more characters are a box of several lines."""
_HTML: Final = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Variable:
    """One variable of a dictionary: its form, type, label, choices by code, and how its text is checked."""

    name: str
    form: str
    kind: str
    label: str
    choices: dict[str, str]
    check: str = ""

    @property
    def is_free(self) -> bool:
        """Whether anything may be written there."""
        return self.kind == "notes" or (self.kind == "text" and not self.check)


def variable_of(field: PartField) -> str:
    """The name of a field as a REDCap variable."""
    return RECORD if (field.part, field.name) == ("patient", "pseudonym") else f"{field.part}_{field.name}"


def write_dictionary(stream: IO[str]) -> None:
    """Write this program's dictionary: an instrument for each part of a case."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(HEAD)
    for part in PARTS:
        for field in fields_of(part).values():
            writer.writerow(_line(field))


def _line(field: PartField) -> list[str]:
    kind, choices, check, low, high = "text", "", "", "", ""
    if field.kind == "choice":
        kind = "radio" if len(field.choices) <= 4 else "dropdown"
        choices = " | ".join(f"{word}, {word.replace('_', ' ')}" for word in field.choices)
    elif field.kind == "number":
        check = "number"
        low = "" if field.low is None else f"{field.low:g}"
        high = "" if field.high is None else f"{field.high:g}"
    elif field.kind == "date":
        check = "date_ymd"
    elif field.kind == "text" and (field.longest or 0) > LONG_TEXT:
        kind = "notes"
    note = field.takes if field.kind in ("levels", "signs") else field.unit
    label = "Pseudonym" if variable_of(field) == RECORD else field.name.replace("_", " ")
    label = label if field.part == "patient" else f"{FORMS[field.part].removesuffix('s')}: {label}"
    secret = "y" if field.name in ("name", "born") or field.kind == "date" else ""
    required = "y" if field.required else ""
    about = [variable_of(field), field.part, "", kind, label, choices, note, check, low, high, secret, ""]
    return [*about, required, "", "", "", "", ""]


def read_dictionary(path: Path) -> dict[str, Variable]:
    """The variables of a dictionary by name.

    Raises
    ------
    InputError
        Where the file is no data dictionary.
    """
    head, rows = read_table(path)
    wanted = [HEAD[0], HEAD[1], HEAD[3], HEAD[4], HEAD[5]]
    if any(name not in head for name in wanted):
        raise InputError(f"{path.name} is no REDCap data dictionary: it has no column {wanted[0]!r}")
    places = [head.index(name) for name in wanted]
    checked = head.index(HEAD[7]) if HEAD[7] in head else None
    found = {}
    for row in rows:
        cells = [row[at].strip() if at < len(row) else "" for at in places]
        if not cells[0]:
            continue
        name, form, kind, label, choices = cells
        codes = dict(YES_NO.get(kind, {}))
        if kind in ("radio", "dropdown", "checkbox"):
            codes = dict(_choice(each) for each in choices.split("|") if each.strip())
        check = row[checked].strip() if checked is not None and checked < len(row) else ""
        found[name] = Variable(name, form, kind, _HTML.sub("", label).strip(), codes, check)
    return found


def repeating_forms() -> tuple[str, ...]:
    """The instruments of this program's dictionary that repeat."""
    return LISTS


def _choice(text: str) -> tuple[str, str]:
    code, _, label = text.partition(",")
    return code.strip(), _HTML.sub("", label).strip()
