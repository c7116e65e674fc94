"""One part of a case, pointed at and changed: a field corrected, an entry taken away, one added.

An entry is pointed at as ``thecal registry show`` numbers it, ``outcomes.3``, a field as
``outcomes.3.as_written``. Where it is not plain which one is meant nothing is guessed. Values are read as the
wizard reads answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from thecal.errors import InputError
from thecal.registry.case import Case, Imaging, Leak, Part, Patient
from thecal.registry.exchange.texts import to_text
from thecal.registry.questions import LATER, PARTS, YES, Question, entry_questions, part_values

NEW: Final = "new"
"""In the place of a number: an entry that is not there yet."""
SINGLE: Final = ("patient", "deficit")
_POINTER: Final = re.compile(r"([a-z]+)(?:\.(\d{1,6}|new))?(?:\.([a-z0-9_]+))?")
_SIGN: Final = "signs_"
_ANY_SIGN: Final = "signs?"
ELSEWHERE: Final = {
    "pseudonym": "A case keeps its pseudonym",
    "report_sha256": "Reports come by thecal registry attach",
    "value": "The number follows from as_written",
    "choice": "The word follows from as_written",
}
"""Fields that are not given here, and why."""


@dataclass(frozen=True)
class Entry:
    """One part of a case: ``number`` counts from 1; None for patient and deficit, and for one that is new."""

    field: str
    number: int | None = None

    def __str__(self) -> str:
        return self.field if self.number is None else f"{self.field}.{self.number}"


def pointed(case: Case, pointer: str, *, whole: bool = True) -> tuple[Entry, str]:
    """Which entry is meant, and which field of it.

    Parameters
    ----------
    case : Case
    pointer : str
        "outcomes.3", "deficit", "procedures.1.volume_ml", "leaks.new.compartment". The number may be left out
        where there is one entry alone.
    whole : bool
        An entry is wanted, not a field of one.

    Raises
    ------
    InputError
        Where there is no such entry, or more than one may be meant.
    """
    found = _POINTER.fullmatch(pointer)
    if found is None or found[1] not in ("patient", *PARTS):
        raise InputError(
            f"An entry is one of {', '.join(('patient', *PARTS))}, with the number that thecal registry show "
            "gives it: outcomes.3"
        )
    field, number, name = found[1], found[2], found[3] or ""
    if whole and name:
        raise InputError(f"Name the entry alone, {field if number is None else f'{field}.{number}'}")
    if not whole and not name:
        raise InputError(f"Say which field of {pointer}, like {field}.{_example(field)}")
    if field in SINGLE:
        if number is not None:
            raise InputError(f"A case has one {field}: it has no number")
        return Entry(field), name
    count = len(getattr(case, field))
    if number == NEW:
        return Entry(field), name
    if number is None and count != 1:
        raise InputError(
            f"Case {case.patient.pseudonym} has {count or 'no'} {field}"
            + (f": say which, {field}.1 to {field}.{count}" if count else "")
        )
    if number is not None and not 1 <= int(number) <= count:
        raise InputError(
            f"Case {case.patient.pseudonym} has no {field}.{number}: it has {count or 'no'} {field}"
        )
    return Entry(field, int(number or 1)), name


def part_at(case: Case, entry: Entry) -> Part | None:
    """The part that an entry is; None where it is not there yet."""
    if entry.field in SINGLE:
        single: Part | None = getattr(case, entry.field)
        return single
    if entry.number is None:
        return None
    part: Part = getattr(case, entry.field)[entry.number - 1]
    return part


def texts_of(part: Part | None) -> dict[str, str]:
    """What a part says, as answers to the wizard's questions, by field; nothing of what it does not know."""
    if part is None:
        return {}
    texts = {name: to_text(value) for name, value in part if name != "signs" and to_text(value)}
    if isinstance(part, Leak) and part.signs:
        texts |= {_ANY_SIGN: YES[0]} | {f"{_SIGN}{sign.name}": sign.state for sign in part.signs}
    return texts


def questions_of(entry: Entry, answers: Mapping[str, str], *, with_name: bool) -> list[Question]:
    """The questions of one entry, as they follow from the answers so far by field, without the pseudonym."""
    at = {f"{entry.field}.{name}": answer for name, answer in answers.items()}
    asked = entry_questions(entry.field, entry.field, at, with_name=with_name)
    return [each for each in asked if each.path != "patient.pseudonym"]


def name_of(question: Question) -> str:
    """The field that a question of `questions_of` is about."""
    return question.path.partition(".")[2]


def part_of_texts(entry: Entry, before: Part | None, texts: Mapping[str, str], *, with_name: bool) -> Part:
    """The part that answers make; what is not asked for stays as it was before.

    Raises
    ------
    InputError
        Where an answer is none, or they make no such part together.
    """
    values: dict[str, Any] = {}
    for question in questions_of(entry, texts, with_name=with_name):
        name = name_of(question)
        try:
            value = question.read(texts.get(name, ""))
        except InputError as error:
            raise InputError(f"{entry}.{name}: {error}") from error
        if not question.opens and value is not None:
            values[name] = value
    kind = Patient if entry.field == "patient" else PARTS[entry.field][0]
    values = part_values(entry.field, values)
    if before is not None:
        asked_otherwise = ("signs", "value", "choice")
        stay = ("pseudonym", *(name for name in LATER.get(kind, ()) if name not in asked_otherwise))
        values |= {name: getattr(before, name) for name in stay if name in kind.model_fields}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        at = ".".join([str(entry), *map(str, first["loc"])])
        raise InputError(f"{at}: {first['msg'].removeprefix('Value error, ')}") from error


def with_part(case: Case, entry: Entry, part: Part) -> Case:
    """The case with a part in the place of an entry, or after the others of its list.

    Raises
    ------
    InputError
        Where the entry was read from a report and would no longer say what the report says.
    """
    before = part_at(case, entry)
    if before is not None and before != part:
        _is_no_reports(entry, before, part)
    if entry.field in SINGLE:
        return case.model_copy(update={entry.field: part})
    held = list(getattr(case, entry.field))
    if entry.number is None:
        held.append(part)
    else:
        held[entry.number - 1] = part
    return case.model_copy(update={entry.field: tuple(held)})


def with_fields(case: Case, given: Mapping[str, str], *, with_name: bool) -> Case:
    """The case with fields as they are given, "procedures.1.volume_ml" to "4,5"; empty is "not known".

    Fields of one entry are taken together, so that a scale and what was written on it change at once.

    Raises
    ------
    InputError
        Where it is not plain which field is meant, or a value is none.
    """
    entries: dict[Entry, dict[str, str]] = {}
    for pointer, text in given.items():
        entry, name = pointed(case, pointer, whole=False)
        entries.setdefault(entry, {})[name] = text.strip()
    for entry, fields in entries.items():
        before = part_at(case, entry)
        texts = texts_of(before) | fields
        if any(name.startswith(_SIGN) for name in fields):
            texts[_ANY_SIGN] = YES[0]
        known = [name_of(each) for each in questions_of(entry, texts, with_name=with_name) if not each.opens]
        for name in fields:
            if name not in known:
                raise InputError(_unknown(entry, name, known, with_name=with_name))
        case = with_part(case, entry, part_of_texts(entry, before, texts, with_name=with_name))
    return case


def without(case: Case, entries: Iterable[Entry]) -> tuple[Case, tuple[str, ...]]:
    """The case without some entries, and the SHA-256 of the reports that go with them.

    With an imaging series goes the report that was attached to it, and the leaks that were read from it.
    """
    held = {field: list(getattr(case, field)) for field in PARTS if field not in SINGLE}
    taken = {(entry.field, entry.number) for entry in entries}
    for field, parts in held.items():
        held[field] = [each for at, each in enumerate(parts, 1) if (field, at) not in taken]
    shown = {each.report_sha256 for each in held["imaging"]}
    reports = {each.report_sha256 for each in case.imaging if each.report_sha256} - shown
    held["leaks"] = [leak for leak in held["leaks"] if leak.report_sha256 not in reports]
    update: dict[str, Any] = {field: tuple(parts) for field, parts in held.items()}
    if ("deficit", None) in taken:
        update["deficit"] = None
    return case.model_copy(update=update), tuple(sorted(map(str, reports)))


def _is_no_reports(entry: Entry, before: Part, after: Part) -> None:
    """Refuse to make a report's findings say something else than the report."""
    if isinstance(before, Leak) and before.report_sha256 is not None:
        raise InputError(
            f"{entry} was read from an attached report, and is not made to say anything else: remove it "
            "where it is wrong, and enter what you see as leaks.new"
        )
    if isinstance(before, Imaging) and isinstance(after, Imaging):
        attached = before.report_sha256 is not None
        if attached and before.series_uid != after.series_uid:
            raise InputError(f"The series of {entry} is the one that its attached report names")


def _unknown(entry: Entry, name: str, known: list[str], *, with_name: bool) -> str:
    if entry.field == "patient" and name in ("name", "born") and not with_name:
        return "A name and a birth are kept only by a registry with a key"
    why = f"{ELSEWHERE[name]}. " if name in ELSEWHERE else ""
    return f"{why}{entry} has no field {name} to be given: {', '.join(known)}"


def _example(field: str) -> str:
    part = Patient if field == "patient" else PARTS[field][0]
    return "age_years" if part is Patient else next(iter(part.model_fields))
