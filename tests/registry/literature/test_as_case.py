"""A published case in the registry's own terms holds what is certain, and nothing that a source disputes."""

from __future__ import annotations

import pytest

from thecal.registry.case import Case, Outcome
from thecal.registry.literature.as_case import as_case, timed_outcomes
from thecal.registry.literature.library import library

NAMES = [case.id for case in library().cases]


def case_of(name: str) -> Case:
    return as_case(library().case(name))


def said(name: str, when: str, scale: str = "mrc") -> list[Outcome]:
    return [o for time, o in timed_outcomes(library().case(name)) if time == when and o.scale == scale]


@pytest.mark.parametrize("name", NAMES)
def test_every_case_has_age_sex_level_compartment_and_deficit(name: str) -> None:
    case = case_of(name)
    assert 48 <= case.patient.age_years <= 90
    assert case.patient.sex in ("F", "M")
    assert {f.level for f in case.fractures} <= {"T12", "L1", "L2"}
    assert "intradural" in {leak.compartment for leak in case.leaks}
    assert case.deficit.present == "yes"
    assert Case.model_validate_json(case.model_dump_json()) == case


def test_grades_whose_side_is_disputed_are_left_out() -> None:
    for name in ("shapiro2003", "grelat2018"):
        assert said(name, "initial") == []
    final = [(o.side, o.value) for o in said("shapiro2003", "final")]
    assert [(o.side, o.value) for o in case_of("shapiro2003").outcomes] == final
    assert final == [("left", 5.0), ("right", 5.0)]


def test_of_a_leg_that_is_disputed_only_the_other_is_kept() -> None:
    first = [(o.side, o.value) for o in said("chen2015", "initial")]
    assert first == [("left", 0.0)]


def test_operations_stand_in_the_order_of_the_papers_own_abstract() -> None:
    first, second = case_of("kulkarni2013").revisions
    assert (first.corpectomy, first.durotomy) == ("yes", "unknown")
    assert (second.corpectomy, second.durotomy) == ("unknown", "yes")
    assert [o.choice for o in said("kulkarni2013", "initial", "bladder")] == ["impaired"]
    assert [o.choice for o in said("kulkarni2013", "2 years", "bladder")] == ["normal"]


def test_the_founding_case_keeps_its_grades_verbatim_beside_a_number() -> None:
    case = case_of("liao2025")
    day_1 = said("liao2025", "day 1 after revision")
    (grade,) = [o for o in day_1 if (o.muscle, o.side) == ("quadriceps", "right")]
    assert (grade.as_written, grade.value) == ("2+", 2.33)
    assert case.deficit.delay_h == 0.0
    (revision,) = case.revisions
    assert (revision.durotomy, revision.fixation, revision.fixation_levels) == ("yes", "yes", ("T11", "L1"))
    assert {s.name for leak in case.leaks for s in leak.signs} == {
        "medial_puncture",
        "layering",
        "sac_conforming_shape",
    }


def test_a_patient_who_was_not_operated_on_has_no_revision() -> None:
    assert case_of("chen2006").revisions == ()


def test_a_finding_without_its_time_is_no_outcome() -> None:
    assert [o for o in case_of("ma2022").outcomes if o.scale in ("bladder", "bowel")] == []
