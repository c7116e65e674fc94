"""A deficit that came days after the cement: recovery counts from it, and not from what was found before."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from thecal.registry.case import Case
from thecal.registry.statistics.build import registry_statistics
from thecal.registry.statistics.columns import columns_of
from thecal.registry.statistics.from_store import columns_from
from thecal.registry.statistics.page import statistics_page
from thecal.registry.store import init_store

OPERATED = {"kind": "VP", "level": "T12", "on": date(2024, 5, 1)}


def _mrc(grade: int, *, days: float | None = None, on: date | None = None) -> dict[str, Any]:
    finding = {"scale": "mrc", "as_written": str(grade), "value": float(grade), "days": days, "on": on}
    return finding | {"muscle": "quadriceps", "side": "left"}


def _walks(word: str, days: float) -> dict[str, Any]:
    return {"scale": "walking", "as_written": word, "choice": word, "days": days}


def _case(deficit: dict[str, Any], outcomes: list[dict[str, Any]], **parts: Any) -> Case:
    given = {"patient": {"pseudonym": "A"}, "procedures": [OPERATED], "outcomes": outcomes, **parts}
    return Case.model_validate(given | {"deficit": {"present": "yes", **deficit}})


@pytest.fixture(params=["cases", "file"])
def answers(request: pytest.FixtureRequest, tmp_path: Path):
    """The statistics of one case, from memory and from a file."""

    def answered(case: Case):
        if request.param == "cases":
            return registry_statistics(columns_of([case]))
        with init_store(tmp_path / "registry.sqlite") as store:
            store.add(case, who="ada")
            return registry_statistics(columns_from(store))

    return answered


@pytest.mark.parametrize("deficit", [{"delay_h": 120.0}, {"on": date(2024, 5, 6)}])
def test_strength_before_a_deficit_that_came_later_is_no_beginning_of_its_recovery(answers, deficit) -> None:
    # Strong on the first day, lost on the fifth, better on the fortieth.
    found = answers(_case(deficit, [_mrc(5, days=1), _mrc(2, days=5), _mrc(4, days=40)])).strength
    (patient,) = found.patients
    assert (patient.first, patient.last, patient.course) == ("2", "4", "better")
    assert (patient.days, patient.last_day) == (35.0, 35.0)


def test_the_same_with_dates_alone_and_no_date_of_the_procedure(answers) -> None:
    deficit = {"on": date(2024, 5, 6)}
    findings = [_mrc(5, on=date(2024, 5, 2)), _mrc(1, on=date(2024, 5, 8)), _mrc(3, on=date(2024, 6, 5))]
    (patient,) = answers(_case(deficit, findings, procedures=[])).strength.patients
    assert (patient.first, patient.last, patient.last_day) == ("1", "3", 30.0)


def test_only_seen_before_the_deficit_and_once_after_is_measured_once(answers) -> None:
    found = answers(_case({"delay_h": 120.0}, [_mrc(4, days=1), _mrc(2, days=6)])).strength
    assert found.patients == ()
    assert found.once == 1


def test_of_two_grades_on_the_deficits_own_day_the_lower_is_the_deficit(answers) -> None:
    # Two hours after the cement: of day 0 nobody knows whether before or after it.
    found = answers(_case({"delay_h": 2.0}, [_mrc(1, days=0), _mrc(5, days=0), _mrc(3, days=30)])).strength
    assert [(p.first, p.last, p.course) for p in found.patients] == [("1", "3", "better")]


def test_in_bed_for_pain_before_the_deficit_is_no_wait_to_walk_again(answers) -> None:
    # Could not walk after the procedure, then did, then lost her legs on day 20 and walked by day 60.
    visits = [_walks("none", 1), _walks("independent", 3), _walks("none", 21), _walks("aided", 60)]
    found = answers(_case({"delay_h": 480.0}, visits)).walking
    (wait,) = found.patients
    assert (wait.after_deficit, wait.last_without, wait.first_with) == (1.0, 0.0, 39.0)
    assert found.first_day == 1.0


def test_who_walked_before_the_deficit_alone_did_not_walk_again(answers) -> None:
    visits = [_walks("none", 1), _walks("independent", 3), _walks("none", 21), _walks("none", 60)]
    found = answers(_case({"delay_h": 480.0}, visits)).walking
    assert [(w.last_without, w.first_with) for w in found.patients] == [(39.0, None)]


def test_without_a_time_of_the_deficit_days_count_from_the_procedure_and_that_is_said(answers) -> None:
    found = answers(_case({}, [_mrc(1, days=0), _mrc(3, days=30)]))
    assert [p.last_day for p in found.strength.patients] == [30.0]
    missing = {row.what: (row.missing, row.of) for row in found.missing}
    assert missing["when the deficit came, where nerves were followed"] == (1, 1)
    assert "days count from the procedure" in statistics_page(found)


def test_a_grade_from_before_the_decompression_is_no_course_of_it(answers) -> None:
    # Lost on day 5, measured on days 5 and 7, decompressed on day 10 and not measured after it.
    late = {"delay_h": 240.0, "durotomy": "yes"}
    before = answers(_case({"delay_h": 120.0}, [_mrc(1, days=5), _mrc(1, days=7)], revisions=[late]))
    assert before.decompression.patients == ()
    assert before.decompression.not_after == 1


def test_hours_to_the_decompression_and_the_course_both_count_from_the_late_deficit(answers) -> None:
    late = {"delay_h": 132.0, "laminectomy_levels": ["T12"]}
    findings = [_mrc(5, days=1), _mrc(1, days=5), _mrc(4, days=40)]
    found = answers(_case({"delay_h": 120.0}, findings, revisions=[late])).decompression
    assert [(each.hours, each.course) for each in found.patients] == [(12.0, "better")]
    assert (found.not_after, found.no_time, found.no_course) == (0, 0, 0)


def test_an_operation_that_made_room_before_the_deficit_is_no_decompression_of_it(answers) -> None:
    early = {"delay_h": 24.0, "laminectomy_levels": ["T12"]}
    found = answers(
        _case({"delay_h": 120.0}, [_mrc(1, days=5), _mrc(3, days=40)], revisions=[early])
    ).decompression
    assert found.patients == ()
    assert found.no_time == 1
