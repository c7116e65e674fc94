"""The heads, codes and names of a REDCap export: raw or labelled, of one event or several."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from thecal.errors import InputError
from thecal.registry.exchange.redcap_dictionary import Variable

INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
EVENT: Final = "redcap_event_name"
SYSTEM: Final = {
    "Event Name": EVENT,
    "Repeat Instrument": INSTRUMENT,
    "Repeat Instance": INSTANCE,
    "Data Access Group": "redcap_data_access_group",
    "Survey Identifier": "redcap_survey_identifier",
}
"""REDCap's own columns: their head in a labelled export, and in a raw one."""
CHECKED: Final = {"Checked": "1", "Unchecked": "0"}
FLAVOURS: Final = (
    *("NI", "INV", "DER", "OTH", "NINF", "PINF", "UNC", "MSK", "NA", "UNK", "ASKU", "NAV", "NASK"),
    *("QS", "TRC"),
)
"""HL7's null flavours, which projects take for codes of missing data. Where anything may be written they stay
what they are; a project's other codes (-99) the mapping names (``missing``)."""
EVENT_LETTERS: Final = 18
"""Of an event's name, its arm not among them: "screening__enrollm_arm_1"."""
_CHECKBOX: Final = re.compile(r"(?P<label>.*) \(choice=(?P<choice>.*)\)")
_ARM: Final = re.compile(r"(?P<label>.*?)(?: \(Arm (?P<arm>\d+): .*\))?")


def variable_names(
    heads: list[str], variables: dict[str, Variable], wanted: set[str], file: str
) -> list[str]:
    """The variable that each head means, whether it is its name or its label.

    A label that several variables have is told apart by the order of the columns, which is the dictionary's.

    Raises
    ------
    InputError
        Where that is not possible, because some of them are not among the columns, and one is ``wanted``.
    """
    many, met = Counter(heads), Counter[str]()
    names = []
    for head in heads:
        found = _meant(head, variables)
        at = met[head]
        met[head] += 1
        if len(found) > 1 and many[head] != len(found):
            if wanted & set(found):
                raise InputError(
                    f"{file} has a column {head!r}, the label of several variables: export it with variable "
                    "names"
                )
            found = []
        names.append(found[min(at, len(found) - 1)] if found else head)
    return names


def _meant(head: str, variables: dict[str, Variable]) -> list[str]:
    """Every name that a head may stand for."""
    if head in SYSTEM:
        return [SYSTEM[head]]
    if head in SYSTEM.values() or head.partition("___")[0] in variables:
        return [head]
    box = _CHECKBOX.fullmatch(head)
    label = box["label"] if box else head
    found = [v for v in variables.values() if v.label == label and (v.kind == "checkbox") == bool(box)]
    if box is None:
        return [variable.name for variable in found]
    return [
        box_name(variable.name, code)
        for variable in found
        for code, word in variable.choices.items()
        if word == box["choice"]
    ]


def box_name(variable: str, code: str) -> str:
    """The column of one box: three underscores, and a minus is one more."""
    return f"{variable}___{code.lower().replace('-', '_')}"


def codes_of(name: str, variables: dict[str, Variable]) -> dict[str, str]:
    """What is written in a column, and what it says raw; a code stays what it is."""
    variable = variables.get(name.partition("___")[0])
    if variable is None:
        return {}
    missing = {} if variable.is_free else {word: "" for word in FLAVOURS if word not in variable.choices}
    if "___" in name:
        labels = {
            label: "1" for code, label in variable.choices.items() if box_name(variable.name, code) == name
        }
        return missing | labels | CHECKED
    labels = {
        label: code
        for code, label in reversed(list(variable.choices.items()))
        if label not in variable.choices
    }
    return missing | labels


def same_form(wanted: str, said: str) -> bool:
    """Whether an instrument is meant, by its name or by its label as far as the name shows in it."""
    return wanted == said or (bool(said) and _letters(wanted) == _letters(said))


def same_event(wanted: str, said: str) -> bool:
    """Whether an event is meant, by its unique name or by its label."""
    if wanted == said:
        return True
    label = _ARM.fullmatch(said)
    if label is None:
        return False
    name = re.sub(r"[^a-z0-9_ ]", "", label["label"].lower()).replace(" ", "_")[:EVENT_LETTERS]
    return wanted == f"{name}_arm_{label['arm'] or 1}"


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
