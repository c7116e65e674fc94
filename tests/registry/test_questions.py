"""The wizard asks for every part of a case, with units and choices, and can be broken off anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.questions import PARTS, Question, case_of_answers, next_question

FULL = {
    "patient.pseudonym": "A1",
    "patient.age_years": "70",
    "patient.sex": "f",
    "patient.bone_t_score": "-2,5",
    "fractures.0?": "y",
    "fractures.0.level": "t12",
    "fractures.0.cause": "osteo",
    "procedures.0?": "yes",
    "procedures.0.kind": "vp",
    "procedures.0.level": "T12",
    "procedures.0.on": "2023-03-01",
    "procedures.0.volume_ml": "4,5",
    "leaks.0?": "y",
    "leaks.0.compartment": "intradural",
    "leaks.0.signs?": "y",
    "leaks.0.signs_layering": "present",
    "leaks.1?": "y",
    "leaks.1.compartment": "epi",
    "deficit?": "y",
    "deficit.present": "yes",
    "revisions.0?": "y",
    "revisions.0.laminectomy_levels": "t12, l1",
    "outcomes.0?": "y",
    "outcomes.0.scale": "mrc",
    "outcomes.0.as_written": "4-",
    "outcomes.0.side": "left",
    "outcomes.0.muscle": "quadriceps",
    "outcomes.0.days": "30",
    "outcomes.1?": "y",
    "outcomes.1.scale": "walking",
    "outcomes.1.as_written": "aided",
    "events.0?": "y",
    "events.0.kind": "refracture",
}


def _walk(answers: dict[str, str], given_: dict[str, str]) -> list[Question]:
    """Answer every question; what is not given is not known."""
    asked = []
    while (question := next_question(answers)) is not None:
        asked.append(question)
        answers[question.path] = given_.get(question.path, "")
    return asked


def test_answers_become_the_case_that_was_meant() -> None:
    answers: dict[str, str] = {}
    asked = {question.path for question in _walk(answers, FULL)}
    assert set(FULL) <= asked
    case = case_of_answers(answers)
    assert case == Case.model_validate(
        {
            "patient": {"pseudonym": "A1", "age_years": 70, "sex": "F", "bone_t_score": -2.5},
            "fractures": [{"level": "T12", "cause": "osteoporotic"}],
            "procedures": [{"kind": "VP", "level": "T12", "on": "2023-03-01", "volume_ml": 4.5}],
            "leaks": [
                {"compartment": "intradural", "signs": [{"name": "layering", "state": "present"}]},
                {"compartment": "epidural"},
            ],
            "deficit": {"present": "yes"},
            "revisions": [{"laminectomy_levels": ["T12", "L1"]}],
            "outcomes": [
                {
                    "scale": "mrc",
                    "as_written": "4-",
                    "value": 3.67,
                    "side": "left",
                    "muscle": "quadriceps",
                    "days": 30,
                },
                {"scale": "walking", "as_written": "aided", "choice": "aided"},
            ],
            "events": [{"kind": "refracture"}],
        }
    )


def test_every_field_of_every_part_is_asked_or_follows_from_another() -> None:
    answers: dict[str, str] = {}
    asked = {question.path for question in _walk(answers, FULL)}
    derived = {
        "leaks": {"report_sha256", "signs", "probability"},
        "imaging": {"report_sha256"},
        "outcomes": {"value", "choice"},
    }
    answers = {}
    asked |= {question.path for question in _walk(answers, {**FULL, "imaging.0?": "y"})}
    for field, (part, _) in PARTS.items():
        at = field if field == "deficit" else f"{field}.0"
        missing = {name for name in part.model_fields if f"{at}.{name}" not in asked}
        assert missing == derived.get(field, set())


@settings(max_examples=12)
@given(st.integers(min_value=0, max_value=60))
def test_whoever_breaks_off_is_asked_the_same_afterwards(after: int) -> None:
    whole: dict[str, str] = {}
    asked = [question.path for question in _walk(whole, FULL)]
    kept = dict(list(whole.items())[:after])
    again = [question.path for question in _walk(kept, FULL)]
    assert asked[after:] == again
    assert case_of_answers(kept) == case_of_answers(whole)


def test_names_are_asked_for_only_where_there_is_a_key() -> None:
    assert not {"patient.name", "patient.born"} & {question.path for question in _walk({}, FULL)}
    answers = {"patient.pseudonym": "A1"}
    asked = []
    while (question := next_question(answers, with_name=True)) is not None:
        asked.append(question.path)
        answers[question.path] = "1953-08-12" if question.path == "patient.born" else ""
    assert {"patient.name", "patient.born"} <= set(asked)
    assert str(case_of_answers(answers, with_name=True).patient.born) == "1953-08-12"


def test_units_and_choices_stand_behind_the_question() -> None:
    told = {question.path: question.prompt() for question in _walk({}, FULL)}
    assert told["procedures.0.volume_ml"] == "Cement injected [mL]"
    assert told["procedures.0.kind"] == "Kind [VP/KP/conservative]"
    assert told["deficit.delay_h"].endswith("[hours]")
    assert "0 to 5" in told["outcomes.0.as_written"]
    assert "outcomes.1.muscle" not in told


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("patient.pseudonym", "", "needed"),
        ("patient.age_years", "seventy", "number"),
        ("patient.age_years", "700", "less than or equal to 120"),
        ("fractures.0.level", "T99", "One of: C1"),
        ("fractures.0.cause", "m", "One of"),
        ("procedures.0.on", "yesterday", "date"),
        ("outcomes.0.as_written", "6", "0 to 5"),
        ("deficit?", "perhaps", "y or n"),
    ],
)
def test_what_is_no_answer_is_told_in_one_sentence(path: str, answer: str, said: str) -> None:
    (question,) = [each for each in _walk({}, FULL) if each.path == path]
    with pytest.raises(InputError, match=said) as told:
        question.read(answer)
    assert "\n" not in str(told.value)
