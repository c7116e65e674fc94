"""The questions of the wizard, one part of a case after another, with units and choices from the schema.

What to ask next follows from the answers so far alone: who breaks off goes on where she was. Nothing is asked
here; the command line does.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError

from thecal.errors import InputError
from thecal.registry.case import (
    Case,
    Deficit,
    Event,
    Fracture,
    Imaging,
    Leak,
    Outcome,
    Part,
    Patient,
    Procedure,
    Revision,
    Scale,
    Sign,
)
from thecal.registry.readings import read_finding, scale_words
from thecal.terms import SIGNS

Answers = Mapping[str, str]
PARTS: Final[dict[str, tuple[type[Part], str]]] = {
    "fractures": (Fracture, "a fractured vertebra"),
    "procedures": (Procedure, "a procedure (vertebroplasty VP, kyphoplasty KP, or conservative)"),
    "imaging": (Imaging, "an imaging series (thecal registry attach adds assessed ones)"),
    "leaks": (Leak, "a leak that a person saw (thecal registry attach adds those of a report)"),
    "deficit": (Deficit, "whether there was a neurological deficit"),
    "revisions": (Revision, "an operation that took cement out or made room"),
    "outcomes": (Outcome, "a finding (strength of a muscle, bladder, anal contraction, walking, pain)"),
    "events": (Event, "a later event"),
}
"""The parts in the order in which they are asked for."""
YES: Final = ("y", "yes")
NO: Final = ("", "n", "no")
LATER: Final = {
    Leak: ("report_sha256", "signs", "probability"),
    Imaging: ("report_sha256",),
    Outcome: ("value", "choice"),
}
"""What is not asked for: it is read from a report, asked for in another way, or follows from an answer."""
SCALES: Final[tuple[str, ...]] = get_args(Scale)
OF_MUSCLES: Final = ("mrc", "reflex")
OF_ONE_MUSCLE: Final = ("side", "muscle")
"""What is asked of an outcome on those scales alone."""
NAMED: Final = ("name", "born")
"""What of the patient is asked for only where there is a key."""
UNITS: Final = {
    "_years": "years",
    "_days": "days",
    "_ml": "mL",
    "_h": "hours",
    "_s": "seconds",
    "_hu": "HU",
    "_gauge": "G",
    "_score": "standard deviations",
    "days": "days after the procedure",
    "on": "date, YYYY-MM-DD",
    "born": "date, YYYY-MM-DD",
    "level": "T12, L1 and the like",
    "laminectomy_levels": "T12 or several, T11 T12",
    "fixation_levels": "T11 L1",
    "occlusion": "share of the canal, 0 to 1",
}
WORDS: Final = {
    "on": "When",
    "days": "Time",
    "patient.pseudonym": "Pseudonym, which must not tell who she is",
    "patient.age_years": "Age",
    "patient.bone_t_score": "Bone density, T-score",
    "patient.bone_hu": "Trabecular bone on CT",
    "fractures.age_days": "Age of the fracture",
    "procedures.since_mixing_s": "Time since mixing when it was injected",
    "procedures.volume_ml": "Cement injected",
    "procedures.needle_gauge": "Needle",
    "procedures.notes": "Notes, which must not identify her",
    "leaks.yeom": "Type after Yeom",
    "leaks.intradural": "Verdict: inside the dura?",
    "deficit.present": "Deficit",
    "deficit.delay_h": "From the cement to the first sign",
    "deficit.description": "What was lost; must not identify her",
    "revisions.delay_h": "From the cement to this operation",
    "revisions.residual_ml": "Cement left in the canal",
    "revisions.notes": "Notes, which must not identify her",
    "outcomes.as_written": "The finding, as it was written",
    "events.notes": "Notes, which must not identify her",
}
"""Where a field's name says too little."""


@dataclass(frozen=True)
class Question:
    """One question; ``path`` names the answer, ``choices`` are all that it may be, if it is one of some."""

    path: str
    text: str
    unit: str | None = None
    choices: tuple[str, ...] = ()
    needed: bool = False
    opens: bool = False
    part: type[Part] | None = None
    field: str = ""
    scale: str | None = None

    def prompt(self) -> str:
        """The question with its unit and choices."""
        told = self.scale and scale_words(self.scale)  # type: ignore[arg-type]
        more = told or self.unit or ("/".join(self.choices) if len(self.choices) <= MANY else "")
        return f"{self.text} [{more}]" if more else self.text

    def read(self, answer: str) -> Any:
        """The answer as a value; None where it is not known.

        Raises
        ------
        InputError
            Where it is none of the choices, no number, or out of range; the sentence says what is.
        """
        plain = answer.strip()
        if self.opens:
            if plain.lower() in YES or plain.lower() in NO:
                return plain.lower() in YES
            raise InputError("Answer y or n")
        if not plain:
            if self.needed:
                raise InputError("This one is needed")
            return None
        if self.scale is not None:
            read_finding(self.scale, plain)  # type: ignore[arg-type]
            return plain
        if self.choices:
            plain = self._chosen(plain)
        return self._typed(plain)

    def _chosen(self, plain: str) -> str:
        if self._is_list():
            return " ".join(self._one(word) for word in re.split(r"[\s,;]+", plain) if word)
        return self._one(plain)

    def _one(self, word: str) -> str:
        same = [each for each in self.choices if each.lower() == word.lower()]
        begins = same or [each for each in self.choices if each.lower().startswith(word.lower())]
        if len(begins) != 1:
            raise InputError(f"One of: {', '.join(self.choices)}")
        return begins[0]

    def _typed(self, plain: str) -> Any:
        value: Any = plain.split() if self._is_list() else plain
        if re.fullmatch(r"[+-]?\d+,\d+", plain):
            value = plain.replace(",", ".")
        try:
            assert self.part is not None
            return _adapter(self.part, self.field).validate_python(value)
        except ValidationError as error:
            # Lines for each member of a union: the last alternative is None, the first says what is meant.
            said: str = error.errors(include_input=False)[0]["msg"]
            raise InputError(said.removeprefix("Value error, ")) from error

    def _is_list(self) -> bool:
        return self.part is not None and get_origin(self.part.model_fields[self.field].annotation) is tuple


MANY: Final = 14
"""Choices that are put behind a question; of more the first answer that is none of them tells."""


def next_question(answers: Answers, *, with_name: bool = False) -> Question | None:
    """The first question that is not answered; None where all are."""
    return next((each for each in _questions(answers, with_name) if each.path not in answers), None)


def case_of_answers(answers: Answers, *, with_name: bool = False) -> Case:
    """The case of all answers.

    Raises
    ------
    InputError
        Where an answer is none, or they make no case together.
    """
    values: dict[str, dict[str, Any]] = {}
    for question in _questions(answers, with_name):
        value = question.read(answers[question.path])
        if question.opens or value is None:
            continue
        part, _, name = question.path.rpartition(".")
        values.setdefault(part, {})[name] = value
    try:
        fields: dict[str, Any] = {"patient": values["patient"]}
        for field in PARTS:
            if field == "deficit":
                fields[field] = values.get(field)
                continue
            found = [path for path in values if path.startswith(f"{field}.")]
            fields[field] = [part_values(field, values[path]) for path in found]
        return Case.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise InputError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


def part_values(field: str, values: dict[str, Any]) -> dict[str, Any]:
    """What was answered to the questions of one part, as the part has it."""
    signs = {name: values.pop(f"signs_{name}", None) for name in SIGNS} if field == "leaks" else {}
    if any(signs.values()):
        values["signs"] = [{"name": name, "state": state} for name, state in signs.items() if state]
    if field == "outcomes":
        values["value"], values["choice"] = read_finding(values["scale"], values["as_written"])
    return values


def _questions(answers: Answers, with_name: bool) -> Iterator[Question]:
    yield from entry_questions("patient", "patient", answers, with_name=with_name)
    for field, (_, words) in PARTS.items():
        if field == "deficit":
            if (yield from _opened(answers, f"{field}?", f"Say {words}?")):
                yield from entry_questions(field, field, answers)
            continue
        number = 0
        while (yield from _opened(answers, f"{field}.{number}?", f"Add {words}?")):
            yield from entry_questions(field, f"{field}.{number}", answers)
            number += 1
            words = another(field)


def another(field: str) -> str:
    """A further part of a list, in words: "another fractured vertebra"."""
    return re.sub(r"^an? ", "another ", re.sub(r" \(.*\)$", "", PARTS[field][1]))


def entry_questions(field: str, at: str, answers: Answers, *, with_name: bool = False) -> Iterator[Question]:
    """The questions of one part, whose paths begin with ``at``; which they are follows from the answers."""
    part = Patient if field == "patient" else PARTS[field][0]
    left_out = LATER.get(part, ()) if part is not Patient or with_name else NAMED
    yield from _fields(at, field, part, left_out, answers)
    if part is Leak:
        yield from _signs(at, answers)


def _opened(answers: Answers, path: str, text: str) -> Generator[Question, None, bool]:
    """Ask whether a part is there; whether it is."""
    yield Question(path, text, choices=("y", "N"), opens=True)
    return answers.get(path, "").strip().lower() in YES


def _fields(
    at: str, name: str, part: type[Part], left_out: tuple[str, ...], answers: Answers
) -> Iterator[Question]:
    for field, info in part.model_fields.items():
        if field in left_out:
            continue
        scale = None
        if part is Outcome and field != "scale":
            scale = _whole_word(answers.get(f"{at}.scale", ""), SCALES)
            if field in OF_ONE_MUSCLE and scale not in OF_MUSCLES:
                continue
        yield Question(
            f"{at}.{field}",
            WORDS.get(f"{name}.{field}") or WORDS.get(field) or _plain(field),
            unit=_unit(field),
            choices=choices_of(part, field),
            needed=info.is_required(),
            part=part,
            field=field,
            scale=scale if field == "as_written" else None,
        )


def _whole_word(answer: str, choices: tuple[str, ...]) -> str | None:
    found = [each for each in choices if each.lower() == answer.strip().lower()]
    begins = [each for each in choices if answer.strip() and each.startswith(answer.strip().lower())]
    return next(iter(found or begins), None)


def _signs(at: str, answers: Answers) -> Iterator[Question]:
    if (yield from _opened(answers, f"{at}.signs?", "Say which signs of cement inside the dura were seen?")):
        for sign in SIGNS:
            yield Question(
                f"{at}.signs_{sign}",
                f"Sign: {sign.replace('_', ' ')}",
                choices=choices_of(Sign, "state"),
                part=Sign,
                field="state",
            )


@cache
def choices_of(part: type[Part], field: str) -> tuple[str, ...]:
    """All that a field may be, where it is one of some."""
    schema = part.model_json_schema()["properties"][field]
    found: list[Any] = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    return next((tuple(each["enum"]) for each in found if "enum" in each), ())


@cache
def _adapter(part: type[Part], field: str) -> TypeAdapter[Any]:
    """Made once a field: making one takes milliseconds, and questions are gone through again and again."""
    return TypeAdapter(part.model_fields[field].rebuild_annotation(), config=ConfigDict(allow_inf_nan=False))


def _unit(field: str) -> str | None:
    if field in UNITS:
        return UNITS[field]
    return next((unit for tail, unit in UNITS.items() if tail[0] == "_" and field.endswith(tail)), None)


def _plain(field: str) -> str:
    """A field's name without its unit, in words."""
    tail = next((tail for tail in UNITS if tail[0] == "_" and field.endswith(tail)), "")
    return field.removesuffix(tail).replace("_", " ").capitalize()
