"""A case goes on: an operation, an event, a correction, and a mistake taken out, each in the audit."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from assessed import assessed
from registry_cases import founding, simple

from thecal.cli import run
from thecal.registry.attach import attach
from thecal.registry.case import Case
from thecal.registry.store import init_store, open_store

pytestmark = pytest.mark.usefixtures("registry_folder")


@pytest.fixture(autouse=True)
def _case(registry_folder) -> None:
    with init_store("registry.sqlite") as store:
        store.add(founding(), who="eve")


def _now() -> Case:
    with open_store("registry.sqlite") as store:
        return store.case("founding")


def _last() -> tuple[str, str]:
    with open_store("registry.sqlite") as store:
        change = store.history("founding")[-1]
    return change.who, change.what


def test_one_field_is_corrected_and_the_history_says_what_it_was(capsys) -> None:
    assert run(["registry", "edit", "founding", "outcomes.3.as_written=3", "patient.age_years=71"]) == 0
    assert _now().outcomes[2].value == 3.0
    assert _last() == ("ada", "edit")
    capsys.readouterr()
    assert run(["registry", "show", "founding", "--history"]) == 0
    told = capsys.readouterr().out
    assert 'outcomes.3.as_written: "2+" -> "3"' in told
    assert "patient.age_years: 70.0 -> 71.0" in told


def test_the_questions_come_with_the_present_answers(type_in) -> None:
    answers = ["", "T11", "<", "L1", *[""] * 7, "4,5", "-"]
    asked = type_in(answers)
    assert run(["registry", "edit", "founding", "procedures.1"]) == 130
    assert _now() == founding()
    assert asked[-1] == "Keep this?"
    type_in([*answers, "y"])
    assert run(["registry", "edit", "founding", "procedures.1"]) == 0
    before, after = founding().procedures[0], _now().procedures[0]
    assert after == before.model_copy(update={"level": "L1", "volume_ml": 4.5, "notes": None})


def test_who_goes_through_the_case_says_what_to_change_and_may_add(type_in, capsys) -> None:
    added = ["epidural", "L1", "", "", "", "", "", "surgery", "n"]
    # The patient; a fracture, a procedure and a series with none further; two leaks, and one more.
    type_in(["n", *["n", "n"] * 3, "n", "n", "y", *added, "n", *["n"] * 11, "y"])
    assert run(["registry", "edit", "founding"]) == 0
    assert (_now().leaks[2].level, _now().leaks[2].seen_on) == ("L1", "surgery")
    assert _now().leaks[:2] == founding().leaks
    asked = type_in(["n"] * 30)
    assert run(["registry", "edit", "founding"]) == 0
    assert "Add another leak that a person saw?" in asked
    assert "Nothing was changed" in capsys.readouterr().out


def test_an_operation_and_an_event_are_entered_in_one_line(capsys) -> None:
    words = ["--delay-h", "20,5", "--durotomy", "y", "--laminectomy-levels", "t11 T12", "--residual-ml", "0"]
    assert run(["registry", "revision", "founding", *words]) == 0
    assert _last() == ("ada", "revision")
    found = _now().revisions[1]
    assert (found.delay_h, found.durotomy, found.laminectomy_levels) == (20.5, "yes", ("T11", "T12"))
    assert found.residual_ml == 0
    assert (
        run(["registry", "event", "founding", "--kind", "refracture", "--level", "T12", "--days", "90"]) == 0
    )
    assert _last() == ("ada", "event")
    assert (_now().events[1].kind, _now().events[1].days) == ("refracture", 90)


def test_an_event_is_asked_for_where_nothing_was_said(type_in) -> None:
    asked = type_in(["cement", "L1", "", "400", ""])
    assert run(["registry", "event", "founding"]) == 0
    assert asked[0].startswith("Kind [adjacent_fracture/refracture/cement_migration")
    assert (_now().events[1].kind, _now().events[1].days) == ("cement_migration", 400)


def test_a_mistake_is_taken_out_and_stays_in_the_history(capsys) -> None:
    assert run(["registry", "remove", "founding", "outcomes.2", "leaks.1", "--yes"]) == 0
    assert "as written 1, value 1, side right" in capsys.readouterr().out
    assert len(_now().outcomes) == 4
    assert [leak.compartment for leak in _now().leaks] == ["epidural"]
    assert _last() == ("ada", "remove")
    assert run(["registry", "show", "founding", "--history"]) == 0
    told = capsys.readouterr().out
    assert 'outcomes.2: {"scale": "mrc", "as_written": "1"' in told
    assert "outcomes.3" not in told
    assert run(["registry", "check"]) == 0


def test_nothing_is_taken_out_unless_it_is_said_twice(type_in) -> None:
    type_in(["n"])
    assert run(["registry", "remove", "founding", "outcomes.2"]) == 0
    assert _now() == founding()


def test_a_report_of_another_patient_is_taken_out_and_can_be_attached_where_it_belongs(capsys) -> None:
    report = assessed(Path("report"))
    with open_store("registry.sqlite") as store:
        store.add(simple(3), who="eve")
        attach(store, "founding", report, who="eve")
    (at,) = [n for n, each in enumerate(_now().imaging, 1) if each.report_sha256]
    assert run(["registry", "remove", "founding", f"imaging.{at}", "--yes"]) == 0
    assert "1 attached report" in capsys.readouterr().out
    assert all(leak.report_sha256 is None for leak in _now().leaks)
    with sqlite3.connect("registry.sqlite") as raw:
        assert raw.execute("SELECT count(*) FROM report_files").fetchone() == (0,)
    raw.close()
    assert run(["registry", "attach", "P000003", str(report)]) == 0
    assert run(["registry", "check"]) == 0


def test_two_who_change_one_case_do_not_undo_each_other(type_in, monkeypatch, capsys) -> None:
    def meanwhile(*_: object, **__: object) -> bool:
        with open_store("registry.sqlite") as store:
            store.change("founding", lambda case: case.model_copy(update={"events": ()}), who="eve")
        return True

    monkeypatch.setattr("typer.confirm", meanwhile)
    assert run(["registry", "remove", "founding", "outcomes.2"]) == 2
    assert "was changed by somebody else meanwhile" in capsys.readouterr().err
    assert len(_now().outcomes) == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edit", "founding", "patient.age_years=70"], "Nothing was changed"),
        (["edit", "founding", "outcomes.1", "patient.sex=F"], "or entries alone"),
        (["remove", "founding", "outcomes", "--yes"], "say which, outcomes.1 to outcomes.5"),
        (["remove", "founding", "patient", "--yes"], "no patient that could be removed"),
        (["remove", "founding", "outcomes.new", "--yes"], "no outcomes that could be removed"),
        (["event", "founding", "--level", "L1"], "events.kind: This one is needed"),
        (["revision", "founding", "--on", "yesterday"], "revisions.on: "),
    ],
)
def test_what_cannot_be_changed_is_told_and_leaves_the_case(words: list[str], said: str, capsys) -> None:
    assert run(["registry", *words]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert _now() == founding()
    assert _last() == ("eve", "add")


def test_a_withdrawn_case_is_changed_by_nothing(capsys) -> None:
    assert run(["registry", "withdraw", "founding"]) == 0
    for words in (["edit", "founding", "patient.sex=M"], ["event", "founding", "--kind", "death"]):
        assert run(["registry", *words]) == 2
        assert "was withdrawn" in capsys.readouterr().err


def test_the_numbers_that_point_are_shown(capsys) -> None:
    assert run(["registry", "show", "founding"]) == 0
    told = capsys.readouterr().out
    assert "  outcomes.5    scale bladder" in told
    assert "  deficit       present yes" in told
    assert run(["registry", "show", "founding", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcomes"][4]["scale"] == "bladder"
