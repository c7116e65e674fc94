"""What was written on any of the outcome's scales, as the number or the word that the registry compares."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from thecal.errors import InputError
from thecal.registry.case import CHOICES, RANGES, Case, Outcome, Scale
from thecal.registry.grades import grade_value
from thecal.registry.sphincters import WORDS, read_sphincter

ROUNDED: Final = 0.005
"""How far a number may be from the one that was written: it may have been rounded to hundredths (4.33)."""
REMEMBERED: Final = 4096
"""Findings whose meaning is kept: the same come again and again."""
_NUMBER: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,3})?)\s*(?:/\s*(\d{1,3})|%|points?)?")
_IMPAIRMENT: Final = re.compile(r"(?:AIS|ASIA|FRANKEL)?\s*(?:GRADE)?\s*([A-E])")
_REFLEX: Final = re.compile(r"([0-4])\+?|(\+{1,4})")


def read_finding(scale: Scale, text: str) -> tuple[float | None, str | None]:
    """The number of what was written, or its word for scales of words.

    Parameters
    ----------
    scale : str
        What it was measured on.
    text : str
        "4+" or "4/5" (mrc), "7" or "7/10" (vas), "40 %" (odi), "D" or "AIS D" (ais), "2+" or "++" (reflex),
        "aided" (walking), "urinary retention" (bladder), "absent" (anal_contraction).

    Returns
    -------
    (float or None, str or None)
        Exactly one of them is given.

    Raises
    ------
    InputError
        Where it is nothing on this scale; the sentence does not repeat what was written.
    """
    return _read(scale, text)


def contradiction(outcome: Outcome) -> tuple[str, str] | None:
    """The field of an outcome that says something else than what was written, and what it must be; else None.

    A number or a word that is missing contradicts nothing: `settled` puts it in.
    """
    try:
        value, choice = read_finding(outcome.scale, outcome.as_written)
    except InputError as error:
        return "as_written", str(error)
    if outcome.value is not None and (value is None or abs(outcome.value - value) > ROUNDED):
        return "value", "is not the number of what was written: correct as_written, or leave the number out"
    if outcome.choice is not None and outcome.choice != choice:
        return "choice", "is not the word for what was written: correct as_written, or leave the word out"
    return None


def is_settled(outcome: Outcome) -> bool:
    """Whether an outcome has the very number or word that follows from what was written."""
    try:
        return (outcome.value, outcome.choice) == _read(outcome.scale, outcome.as_written)
    except InputError:
        return False


def settled(case: Case) -> Case:
    """The case with the number or the word of every outcome as it follows from what was written."""
    read = [(outcome, read_finding(outcome.scale, outcome.as_written)) for outcome in case.outcomes]
    outcomes = tuple(o.model_copy(update={"value": value, "choice": choice}) for o, (value, choice) in read)
    return case.model_copy(update={"outcomes": outcomes})


def scale_words(scale: Scale) -> str:
    """What a scale takes, in one sentence."""
    if scale == "mrc":
        return "a grade of strength is 0 to 5, with + or - where it has one, one grade in a place"
    if scale in ("bladder", "bowel"):
        choices = ", ".join(CHOICES[scale])
        return f"{scale} is one of {choices}, or what there was, like retention or incontinence"
    if scale in CHOICES:
        return f"{scale} is one of {', '.join(CHOICES[scale])}"
    low, high = RANGES[scale]
    return f"{scale} is a number from {low:g} to {high:g}"


@lru_cache(REMEMBERED)
def _read(scale: Scale, text: str) -> tuple[float | None, str | None]:
    plain = text.strip()
    if scale == "mrc":
        try:
            return grade_value(plain), None
        except InputError as error:
            raise InputError(scale_words(scale)) from error
    if scale in CHOICES:
        return None, _word(scale, plain)
    return _number(scale, plain), None


def _word(scale: Scale, plain: str) -> str:
    if scale in ("ais", "frankel"):
        found = _IMPAIRMENT.fullmatch(plain.upper())
        if found:
            return found[1]
    elif scale in WORDS:
        word = read_sphincter(scale, plain)
        if word is not None:
            return word
    elif plain.lower() in CHOICES[scale]:
        return plain.lower()
    raise InputError(scale_words(scale))


def _number(scale: Scale, plain: str) -> float:
    low, high = RANGES[scale]
    reflex = _REFLEX.fullmatch(plain) if scale == "reflex" else None
    if reflex:
        return float(reflex[1] if reflex[1] else len(reflex[2]))
    found = _NUMBER.fullmatch(plain)
    if found is None or (found[2] and float(found[2]) != high):
        raise InputError(scale_words(scale))
    value = float(found[1].replace(",", "."))
    if not low <= value <= high:
        raise InputError(scale_words(scale))
    return value
