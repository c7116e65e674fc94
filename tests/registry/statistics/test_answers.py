"""What the registry answers, from cases."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thecal.phantom.simulated_cases import simulated_cases
from thecal.registry.case import Case
from thecal.registry.statistics.build import registry_statistics
from thecal.registry.statistics.columns import Columns, columns_of
from thecal.registry.statistics.from_store import columns_from
from thecal.registry.statistics.page import (
    statistics_page,
    waiting_counts,
    waiting_sentence,
    write_statistics_page,
)
from thecal.registry.store import init_store
from thecal.terms import RESEARCH_USE


def _case(name: str, **parts: Any) -> Case:
    return Case.model_validate({"patient": {"pseudonym": name}, **parts})


def _vp(level: str = "T12", kind: str = "VP", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "level": level, **more}


def _leak(compartment: str = "epidural", level: str | None = None) -> dict[str, Any]:
    return {"compartment": compartment, "level": level}


def _mrc(grade: float, days: float, muscle: str = "quadriceps", side: str = "left") -> dict[str, Any]:
    return {
        "scale": "mrc",
        "as_written": f"{grade:g}",
        "value": grade,
        "days": days,
        "muscle": muscle,
        "side": side,
    }


def _word(scale: str, choice: str, days: float) -> dict[str, Any]:
    return {"scale": scale, "as_written": choice, "choice": choice, "days": days}


CT = {"modality": "CT"}


def _rows(found, by: str) -> dict[str, tuple[int, int]]:
    table = next(table for table in found.leaks if table.by == by)
    return {row.name: (row.events, row.total) for row in table.rows}


def test_a_case_nobody_looked_at_is_missing_and_not_without_a_leak() -> None:
    cases = [_case("A", procedures=[_vp()]), _case("B", procedures=[_vp()], imaging=[CT])]
    found = registry_statistics(columns_of(cases))
    assert _rows(found, "compartment")["any leak"] == (0, 1)
    assert found.leaks[0].left_out == 1


@pytest.mark.parametrize(
    ("picture", "looked"),
    [
        ({"modality": "MR"}, 0),
        ({"modality": "CT", "on": "2024-05-01"}, 0),
        ({"modality": "CT", "on": "2024-05-10"}, 1),
        ({"modality": "DX"}, 1),
        ({"modality": "MR", "on": "2024-05-01", "report_sha256": "0" * 64}, 1),
    ],
)
def test_a_picture_from_before_the_cement_is_no_look_for_a_leak(
    picture: dict[str, Any], looked: int, tmp_path: Path
) -> None:
    case = _case("A", procedures=[_vp(on="2024-05-10")], imaging=[picture])
    assert _rows(registry_statistics(columns_of([case])), "compartment")["any leak"] == (0, looked)
    with init_store(tmp_path / "registry.sqlite") as store:
        store.add(case, who="ada")
        assert int(columns_from(store).looked.sum()) == looked


def test_cement_in_the_vertebra_is_no_leak() -> None:
    found = registry_statistics(
        columns_of([_case("A", procedures=[_vp()], leaks=[_leak("intravertebral", "T12")])])
    )
    assert _rows(found, "compartment")["any leak"] == (0, 1)


def test_a_patient_with_two_leaks_counts_once() -> None:
    leaks = [_leak("epidural", "T12"), _leak("epidural", "T12"), _leak("intradiscal", "T12")]
    rows = _rows(
        registry_statistics(columns_of([_case("A", procedures=[_vp()], leaks=leaks)])), "compartment"
    )
    assert rows["any leak"] == rows["epidural"] == rows["intradiscal"] == (1, 1)
    assert rows["intradural"] == (0, 1)


def test_the_level_that_leaked_is_counted_and_its_neighbour_is_not() -> None:
    case = _case("A", procedures=[_vp("T12"), _vp("L1")], leaks=[_leak(level="L1")])
    assert _rows(registry_statistics(columns_of([case])), "level") == {"T12": (0, 1), "L1": (1, 1)}


def test_a_leak_without_a_level_belongs_to_the_only_level_that_was_treated() -> None:
    one = _case("A", procedures=[_vp("T12")], leaks=[_leak()])
    two = _case("B", procedures=[_vp("T12"), _vp("L1")], leaks=[_leak()])
    found = registry_statistics(columns_of([one, two]))
    assert _rows(found, "level") == {"T12": (1, 1)}
    assert next(t for t in found.leaks if t.by == "level").left_out == 2


def test_patients_with_both_procedures_stand_apart() -> None:
    both = _case("A", procedures=[_vp("T12"), _vp("L1", "KP")], imaging=[CT])
    kept = _case("B", procedures=[_vp("T12", "conservative")], imaging=[CT])
    rows = _rows(registry_statistics(columns_of([both, kept])), "procedure")
    assert rows == {"VP": (0, 0), "KP": (0, 0), "several": (0, 1)}


def test_a_withdrawn_case_is_in_no_number() -> None:
    gone = _case("A", procedures=[_vp()], leaks=[_leak()], withdrawn=True)
    found = registry_statistics(columns_of([gone]))
    assert found.cases == 0
    assert "The registry is empty" in statistics_page(found)


def test_a_patient_is_one_unit_however_many_muscles_were_measured() -> None:
    outcomes = [
        _mrc(grade, days, muscle, side)
        for days, grade in ((1, 2.0), (30, 4.0))
        for muscle in ("quadriceps", "iliopsoas")
        for side in ("left", "right")
    ]
    found = registry_statistics(columns_of([_case("A", outcomes=outcomes)])).strength
    [patient] = found.patients
    assert (patient.muscles, patient.better, patient.worse, patient.course) == (4, 4, 0, "better")
    assert (patient.first, patient.last) == ("2", "4")
    assert found.shares[0].value is None
    assert found.p is None


def test_four_minus_to_four_is_better_and_not_by_a_third() -> None:
    found = registry_statistics(columns_of([_case("A", outcomes=[_mrc(3.67, 1), _mrc(4.0, 30)])])).strength
    assert found.patients[0].first == "4-"
    assert found.patients[0].course == "better"


def test_full_strength_from_the_beginning_has_nothing_to_recover() -> None:
    found = registry_statistics(columns_of([_case("A", outcomes=[_mrc(5.0, 1), _mrc(5.0, 30)])])).strength
    assert found.patients == ()


def test_what_was_found_before_the_cement_is_no_beginning() -> None:
    found = registry_statistics(columns_of([_case("A", outcomes=[_mrc(5, -1), _mrc(1, 0), _mrc(4, 30)])]))
    (patient,) = found.strength.patients
    assert (patient.first, patient.last) == ("1", "4")
    bedridden = [_word("walking", "none", -10), _word("walking", "independent", 1)]
    assert not registry_statistics(columns_of([_case("B", outcomes=bedridden)])).walking.patients


def test_one_measurement_is_said_to_be_missing_a_second() -> None:
    found = registry_statistics(columns_of([_case("A", outcomes=[_mrc(2.0, 1)])])).strength
    assert found.once == 1


def test_the_hours_to_decompression_come_from_two_dates_where_nobody_wrote_hours() -> None:
    case = _case(
        "A",
        deficit={"present": "yes", "on": date(2024, 5, 1)},
        revisions=[
            {"on": date(2024, 4, 30), "fixation": "yes"},
            {"on": date(2024, 5, 3), "laminectomy_levels": ["T12"]},
        ],
        outcomes=[_mrc(1.0, 1), _mrc(5.0, 90)],
    )
    found = registry_statistics(columns_of([case])).decompression
    assert [(each.hours, each.course) for each in found.patients] == [(48.0, "full")]
    assert found.by_day == 1


def test_hours_to_decompression_count_from_the_deficit_and_not_from_the_cement() -> None:
    case = _case(
        "A",
        deficit={"present": "yes", "delay_h": 2.0},
        revisions=[{"delay_h": 26.0, "durotomy": "yes"}, {"delay_h": 90.0, "corpectomy": "yes"}],
        outcomes=[_mrc(1.0, 1), _mrc(3.0, 90)],
    )
    found = registry_statistics(columns_of([case])).decompression
    assert [(each.hours, each.course) for each in found.patients] == [(24.0, "better")]
    assert found.by_day == 0


def test_walking_is_known_between_two_visits() -> None:
    visits = [_word("walking", word, day) for word, day in (("none", 1), ("none", 11), ("aided", 31))]
    found = registry_statistics(columns_of([_case("A", outcomes=visits)])).walking
    assert [(w.last_without, w.first_with) for w in found.patients] == [(10.0, 30.0)]
    assert found.gap_days == 20.0


def test_half_walk_again_between_two_visits_and_on_no_day_of_them() -> None:
    visits = [_word("walking", word, day) for word, day in (("none", 1), ("none", 11), ("aided", 31))]
    found = registry_statistics(columns_of([_case(f"P{n}", outcomes=visits) for n in range(10)]))
    assert waiting_sentence(found.walking) == "Half have it again between day 10 and day 30 (Turnbull)."
    assert waiting_counts(found.walking).startswith("10 patients: of 10 it is known between which two visits")
    assert "have 1 different intervals; the estimate rests on 1" in waiting_counts(found.walking)
    nine = registry_statistics(columns_of([_case(f"P{n}", outcomes=visits) for n in range(9)]))
    assert nine.walking.between is None
    assert waiting_sentence(nine.walking) == ""
    assert "Turnbull" not in statistics_page(nine)


def test_who_could_not_walk_and_was_never_seen_again_is_missing() -> None:
    found = registry_statistics(columns_of([_case("A", outcomes=[_word("walking", "none", 1)])])).walking
    assert found.patients == ()
    assert found.never_again == 1


def test_sphincters_are_back_when_bladder_and_bowel_are() -> None:
    outcomes = [
        _word("bladder", "impaired", 1),
        _word("bowel", "none", 1),
        _word("bladder", "normal", 30),
        _word("bowel", "impaired", 30),
        _word("bowel", "normal", 90),
    ]
    found = registry_statistics(columns_of([_case("A", outcomes=outcomes)])).sphincters
    assert [(w.last_without, w.first_with) for w in found.patients] == [(29.0, 89.0)]


@pytest.fixture(scope="module")
def simulated() -> list[Case]:
    return list(simulated_cases(300, 11, deficit_share=0.3))


def test_a_registry_in_a_file_answers_the_same_as_its_cases(simulated: list[Case], tmp_path: Path) -> None:
    dated = _case(
        "D",
        procedures=[_vp(on=date(2024, 5, 1)), _vp("L1", on=date(2024, 5, 9))],
        deficit={"present": "yes", "on": date(2024, 5, 1)},
        revisions=[{"on": date(2024, 5, 4), "durotomy": "yes"}],
        outcomes=[
            {"scale": "mrc", "as_written": "1", "value": 1.0, "on": date(2024, 5, 2)},
            {"scale": "mrc", "as_written": "4", "value": 4.0, "on": date(2024, 6, 2)},
        ],
        events=[{"kind": "death"}],
        leaks=[_leak()],
    )
    cases = [*simulated[:150], dated, *simulated[150:]]
    with init_store(tmp_path / "registry.db") as store:
        store.add_many(cases, who="test")
        store.withdraw("SIM-3", who="test")
        stored = columns_from(store)
    memory = columns_of(case for case in cases if case.patient.pseudonym != "SIM-3")
    for field in fields(Columns):
        mine, theirs = getattr(memory, field.name), getattr(stored, field.name)
        if field.name == "pseudonyms":
            assert {k: mine[k] for k in theirs} == theirs
            assert set(theirs) == set(memory.finding_case.tolist())
        elif isinstance(mine, np.ndarray) and mine.dtype.kind == "i":
            assert sorted(mine.tolist()) == sorted(theirs.tolist()), field.name
        elif isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, theirs, err_msg=field.name)
        else:
            assert mine == theirs, field.name
    assert registry_statistics(memory).to_json() == registry_statistics(stored).to_json()


def test_the_page_is_one_file_that_says_research_use_and_what_is_missing(
    simulated: list[Case], tmp_path: Path
) -> None:
    found = registry_statistics(columns_of(simulated))
    write_statistics_page(tmp_path / "page.html", found)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count(RESEARCH_USE) == 2
    assert "http" not in page.replace("http-equiv", "")
    assert "It is only known at visits" in page
    assert page.count("sign test\np ") == 1
    assert page.count("<svg") >= 6
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_a_small_registry_is_listed_without_a_p_or_an_interval() -> None:
    page = statistics_page(registry_statistics(columns_of(simulated_cases(8, 3, deficit_share=1.0))))
    assert "too few to estimate anything" in page
    assert "sign test" not in page
    assert "tau-b" not in page
    assert "SIM-1" in page


def test_the_json_says_what_the_numbers_rest_on(simulated: list[Case]) -> None:
    content = json.loads(registry_statistics(columns_of(simulated)).to_json())
    assert content["schema"] == "thecal.registry-statistics/1"
    assert content["research_use"] == RESEARCH_USE
    assert "4.33" in content["grades"]
    rows = content["leaks"][0]["rows"]
    assert rows[0]["low"] < rows[0]["events"] / rows[0]["total"] < rows[0]["high"]
    assert "NaN" not in json.dumps(content)
