"""Any case that the contract allows, for property tests."""

from __future__ import annotations

import string
from datetime import date
from functools import cache

from hypothesis import strategies as st

from thecal.registry.case import CHOICES, Case
from thecal.registry.exchange.fields import LISTS, PartField, fields_of
from thecal.registry.exchange.texts import STATES
from thecal.registry.readings import read_finding
from thecal.terms import SIGNS, VERSE_IDS

# What doctors write, and what breaks careless tables: quotes, marks, lines, other scripts.
LETTERS = string.ascii_letters + string.digits + " +-/,;|\"'\n\t=äß肌力.%()"
words = st.text(LETTERS, min_size=1, max_size=12).map(str.strip).filter(bool)
days = st.dates(date(1990, 1, 1), date(2030, 12, 31))


def _value(field: PartField) -> st.SearchStrategy[object]:
    if field.name == "report_sha256":
        return st.sampled_from(["0" * 64, "0123456789abcdef" * 4])
    if field.kind == "choice":
        return st.sampled_from(field.choices)
    if field.kind == "date":
        return days
    if field.kind == "levels":
        return st.lists(st.sampled_from(list(VERSE_IDS)), max_size=3).map(tuple)
    if field.kind == "signs":
        one = st.fixed_dictionaries({"name": st.sampled_from(SIGNS), "state": st.sampled_from(STATES)})
        return st.lists(one, max_size=3).map(tuple)
    if field.kind == "number":
        low = -1e6 if field.low is None else field.low
        high = 1e6 if field.high is None else field.high
        open_ended = field.name == "needle_gauge"
        return st.floats(low, high, exclude_min=open_ended, exclude_max=open_ended)
    return words


WRITTEN = {
    "mrc": ("4+", "4 -", "IV", "2⁺", "3/5", "0"),
    "bladder": ("Urinary retention", "no control", "normal"),
    "ais": ("AIS D", "a"),
    "vas": ("7,5", "3/10", "0"),
    "odi": ("40 %", "62"),
    "reflex": ("++", "2+", "0"),
    "anal_pressure": ("not felt", "yes"),
}
KEPT = ("posterior_wall", "cleft", "durotomy", "corpectomy", "fixation")
"""They have a default, and so may not be None."""


@cache
def parts(part: str) -> st.SearchStrategy[dict[str, object]]:
    """Any part of that name, as the contract takes it."""
    fields = fields_of(part).values()
    values = {field.name: _value(field) for field in fields}
    needed = [f.name for f in fields if f.required or f.name in KEPT]
    made = st.fixed_dictionaries(
        {name: values[name] for name in needed},
        optional={name: value for name, value in values.items() if name not in needed},
    )
    return made.map(_within_its_scale) if part == "outcomes" else made


def _within_its_scale(content: dict[str, object]) -> dict[str, object]:
    """What was written is something on its scale, and the number or the word is that of it."""
    scale = content["scale"]
    known = WRITTEN.get(scale, CHOICES.get(scale, ("0", "3", "4")))
    written = known[len(str(content["as_written"])) % len(known)]
    value, choice = read_finding(scale, written)
    return {**content, "as_written": written, "value": value, "choice": choice}


def cases() -> st.SearchStrategy[Case]:
    """Any case."""
    lists = {part: st.lists(parts(part), max_size=2) for part in LISTS}
    content = st.fixed_dictionaries(
        {"patient": parts("patient"), **lists}, optional={"deficit": parts("deficit")}
    )
    return content.map(Case.model_validate)


def registries() -> st.SearchStrategy[list[Case]]:
    """A few cases of different pseudonyms."""
    return st.lists(cases(), max_size=2, unique_by=lambda case: case.patient.pseudonym)
