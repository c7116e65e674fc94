"""``thecal registry``: a case from the first question to the backup, as somebody at the keyboard meets it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from assessed import assessed
from registry_cases import founding, simple

from thecal.cli import run
from thecal.registry.store import init_store, open_store
from thecal.registry.store.drafts import draft, draft_names
from thecal.registry.store.migrate import migrate
from thecal.registry.store.seal import new_key

ANSWERS = [
    *("A1", "70", "F", "", "", "y", "T12", "osteo", "", "", "", "n"),
    *("y", "VP", "T12", "", "", "", "", "", "", "", "4,5", "", "n"),
    *("n", "n", "y", "yes", "", "0", "", "n"),
    *("y", "mrc", "7", "2", "left", "quadriceps", "", "0", "n", "n", "y"),
]


pytestmark = pytest.mark.usefixtures("registry_folder")


def _ok(*words: str) -> None:
    assert run(["registry", *words]) == 0


def test_a_case_is_entered_followed_and_shown(type_in, capsys) -> None:
    _ok("init")
    asked = type_in(ANSWERS)
    _ok("add")
    assert asked[-1] == "Keep this case?"
    assert "Cement injected [mL]" in asked
    assert "0 to 5" in capsys.readouterr().out
    for days, grade in ((1, "2+"), (11, "3-"), (30, "4")):
        words = ["--scale", "mrc", "--as-written", grade, "--side", "left", "--muscle", "quadriceps"]
        _ok("outcome", "A1", *words, "--days", str(days))
    capsys.readouterr()
    _ok("list", "--level", "t12", "--json")
    (line,) = json.loads(capsys.readouterr().out)["lines"]
    assert (line["pseudonym"], line["outcomes"], line["deficit"]) == ("A1", 4, "yes")
    _ok("strength", "A1", "--out", "strength.png")
    assert Path("strength.png").stat().st_size > 0
    capsys.readouterr()
    _ok("show", "A1")
    assert "as written 3-, value 2.67" in capsys.readouterr().out
    _ok("show", "A1", "--history")
    told = capsys.readouterr().out
    assert told.count("UTC  ada  outcome") == 3
    assert 'outcomes.4: - -> {"scale": "mrc", "as_written": "4"' in told


def test_a_case_that_was_broken_off_is_gone_on_with(type_in, capsys) -> None:
    _ok("init")
    type_in(ANSWERS[:9])
    assert run(["registry", "add"]) == 130
    assert "add --resume --pseudonym A1" in capsys.readouterr().err
    type_in(["A1"])
    assert run(["registry", "add"]) == 130
    assert "A1 was broken off" in capsys.readouterr().out
    type_in(ANSWERS[9:20])
    assert run(["registry", "add", "--resume"]) == 130
    type_in(ANSWERS[20:])
    _ok("add", "--resume")
    with open_store("registry.sqlite") as store:
        assert store.case("A1").procedures[0].volume_ml == 4.5
    assert run(["registry", "add", "--resume"]) == 2
    assert "No case was broken off" in capsys.readouterr().err


def test_one_step_back_mends_an_answer(type_in) -> None:
    _ok("init")
    type_in(["A1", "7", "<", "70", *ANSWERS[2:]])
    _ok("add")
    with open_store("registry.sqlite") as store:
        assert store.case("A1").patient.age_years == 70


def test_a_case_begun_under_a_wrong_name_is_named_again_or_thrown_away(type_in, capsys) -> None:
    _ok("init")
    type_in(["A2", "70", "<", "<", "<", "A1", "71"])
    assert run(["registry", "add"]) == 130
    with open_store("registry.sqlite") as store:
        assert draft_names(store) == ["A1"]
        assert draft(store, "A1")["patient.age_years"] == "71"
    type_in(["A3"])
    assert run(["registry", "add"]) == 130
    assert run(["registry", "add", "--discard"]) == 2
    assert "say which with --pseudonym: A" in capsys.readouterr().err
    _ok("add", "--discard", "--pseudonym", "A3")
    assert run(["registry", "add", "--discard", "--pseudonym", "A3"]) == 2
    assert run(["registry", "add", "--discard", "--resume"]) == 2
    _ok("add", "--discard")
    assert run(["registry", "add", "--resume"]) == 2
    assert "No case was broken off" in capsys.readouterr().err


def test_what_was_gone_back_from_is_forgotten_by_who_breaks_off(type_in) -> None:
    _ok("init")
    type_in(["A1", "7", "<"])
    assert run(["registry", "add"]) == 130
    with open_store("registry.sqlite") as store:
        assert draft(store, "A1") == {"patient.pseudonym": "A1"}


def test_a_case_goes_out_as_json_and_into_another_registry(capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add(founding(), who="ada")
    _ok("show", "founding", "--json")
    Path("case.json").write_text(capsys.readouterr().out)
    _ok("init", "--registry", "other.sqlite")
    _ok("add", "--from", "case.json", "--registry", "other.sqlite")
    with open_store("other.sqlite") as store:
        assert store.case("founding") == founding()
    Path("case.json").write_text("{}")
    assert run(["registry", "add", "--from", "case.json", "--registry", "other.sqlite"]) == 2


def test_an_assessment_is_attached_and_a_backup_restored(capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add(simple(3), who="ada")
    _ok("attach", "P000003", str(assessed(Path("report"))))
    assert "inside the dura: possible" in capsys.readouterr().out
    _ok("backup", "backup.sqlite")
    hashes = {capsys.readouterr().out.split()[-1]}
    _ok("restore", "backup.sqlite", "--registry", "again.sqlite")
    hashes.add(capsys.readouterr().out.split()[-1])
    _ok("check", "--registry", "again.sqlite")
    hashes.add(capsys.readouterr().out.split()[-1])
    assert len(hashes) == 1


def test_damage_is_told_and_ends_with_another_status(capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add(founding(), who="ada")
    with sqlite3.connect("registry.sqlite") as raw:
        raw.execute("UPDATE cases SET age_years = 7")
    assert run(["registry", "check"]) == 5
    assert "Case founding is not what the audit says of it" in capsys.readouterr().out
    Path("registry.sqlite").write_bytes(b"no" * 5000)
    assert run(["registry", "check"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_withdrawn_case_is_gone_and_says_so(capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add_many([founding(), simple(1)], who="ada")
    _ok("withdraw", "founding")
    capsys.readouterr()
    _ok("list")
    assert "founding" not in capsys.readouterr().out
    _ok("show", "founding")
    assert "(withdrawn)" in capsys.readouterr().out
    _ok("withdraw", "founding", "--erase")
    assert run(["registry", "show", "founding"]) == 2
    assert "withdrawn and erased" in capsys.readouterr().err


def test_a_key_is_made_used_and_changed(type_in, capsys) -> None:
    _ok("key", "first.key")
    _ok("init", "--key", "first.key")
    type_in(["A1", "70", "F", "", "", "Erika Mustermann", "1953-08-12", *["n"] * 8, "y"])
    _ok("add", "--key", "first.key")
    _ok("key", "second.key", "--rotate", "--key", "first.key")
    capsys.readouterr()
    _ok("show", "A1", "--key", "second.key")
    assert "Erika Mustermann" in capsys.readouterr().out
    _ok("show", "A1")
    assert "Erika" not in capsys.readouterr().out
    assert run(["registry", "show", "A1", "--key", "first.key"]) == 2
    assert run(["registry", "add"]) == 2
    assert "kept with a key" in capsys.readouterr().err


def test_without_the_key_show_says_what_it_does_not_show(capsys) -> None:
    with init_store("registry.sqlite", new_key(Path("key"))) as store:
        store.add(founding(), who="ada")
    _ok("show", "founding", "--key", "key")
    told = capsys.readouterr().out
    assert "notes two punctures" in told
    assert "Without the key" not in told
    _ok("show", "founding")
    told = capsys.readouterr().out
    assert "two punctures" not in told
    assert "Without the key: no name, free text, UID or time of a change is shown" in told
    _ok("show", "founding", "--history")
    assert "(time encrypted)  ada  add" in capsys.readouterr().out
    _ok("show", "founding", "--history", "--key", "key")
    assert "UTC  ada  add" in capsys.readouterr().out


def test_an_older_registry_with_a_key_is_upgraded_with_it(capsys) -> None:
    key = new_key(Path("key"))
    with init_store("registry.sqlite", key) as store:
        store.add(founding(), who="ada")
        with store.writing() as connection:
            migrate(connection, "r0002", key=key)
    assert run(["registry", "init", "--upgrade"]) == 2
    assert "is kept with a key: give it with --key" in capsys.readouterr().err
    _ok("init", "--upgrade", "--key", "key", "--backup", "before.sqlite")
    assert "stands there in clear" in capsys.readouterr().out
    _ok("check", "--key", "key")
    _ok("show", "founding", "--key", "key")
    assert "notes two punctures" in capsys.readouterr().out


def test_no_key_is_made_for_a_registry_that_has_none(capsys) -> None:
    _ok("init")
    assert run(["registry", "key", "new.key", "--rotate"]) == 2
    assert "Only a registry that has a key" in capsys.readouterr().err
    assert not Path("new.key").exists()


def test_the_registry_is_named_by_a_variable_too(monkeypatch, capsys) -> None:
    monkeypatch.setenv("THECAL_REGISTRY", "elsewhere.sqlite")
    _ok("init")
    assert "elsewhere.sqlite" in capsys.readouterr().out
    assert Path("elsewhere.sqlite").exists()


def test_an_older_registry_is_brought_up_to_date_only_on_purpose(capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add(founding(), who="ada")
        with store.writing() as connection:
            migrate(connection, "r0001")
    assert run(["registry", "list"]) == 2
    assert "thecal registry init --upgrade" in capsys.readouterr().err
    _ok("init", "--upgrade", "--backup", "before.sqlite")
    _ok("list")
    assert "founding" in capsys.readouterr().out
    with sqlite3.connect("before.sqlite") as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("r0001",)
    _ok("init", "--upgrade")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["list"], "There is no registry registry.sqlite: thecal registry init makes one"),
        (["list", "--registry", "made.sqlite", "--kind", "XX"], "--kind is one of VP, KP, conservative"),
        (["show", "B", "--registry", "made.sqlite"], "There is no case B"),
        (["init", "--registry", "made.sqlite"], "is a registry already"),
        (["init", "--registry", "no/folder/r.sqlite"], "cannot be opened"),
        (["outcome", "A", "--scale", "mrc", "--as-written", "4"], "Say when it was found"),
        (["outcome", "A", "--scale", "mood", "--as-written", "4", "--days", "1"], "--scale is one of mrc"),
        (["outcome", "A", "--scale", "mrc", "--as-written", "9", "--days", "1"], "0 to 5"),
        (["show", "A", "--registry", "made.sqlite", "--key", "k"], "was made without a key"),
        (["list", "--registry", "postgresql://x:secret@127.0.0.1:1/none"], "cannot be reached"),
    ],
)
def test_what_cannot_be_done_is_told_in_one_sentence(words: list[str], said: str, capsys) -> None:
    init_store("made.sqlite").close()
    new_key(Path("k"))
    assert run(["registry", *words]) == 2
    error = capsys.readouterr().err.strip()
    assert said in error
    assert len(error.splitlines()) == 1
    assert "secret" not in error


def test_unfinished_answers_go_when_a_case_is_erased(type_in) -> None:
    _ok("init")
    asked = type_in(["A9", "70"])
    assert run(["registry", "add"]) == 130
    assert asked
    Path("a9.json").write_text(json.dumps({"patient": {"pseudonym": "A9"}}), encoding="utf-8")
    _ok("add", "--from", "a9.json")
    _ok("withdraw", "A9", "--erase")
    with sqlite3.connect("registry.sqlite") as database:
        (left,) = database.execute("select count(*) from drafts").fetchone()
    database.close()
    assert left == 0


def test_a_registry_and_its_backup_are_their_owners_alone(type_in) -> None:
    _ok("init")
    _ok("backup", "kept.sqlite")
    for name in ("registry.sqlite", "kept.sqlite"):
        assert Path(name).stat().st_mode & 0o077 == 0


def test_a_bare_number_is_no_date(capsys) -> None:
    _ok("init")
    case = {"patient": {"pseudonym": "A1"}, "procedures": [{"kind": "VP", "level": "T12", "on": "86400"}]}
    Path("case.json").write_text(json.dumps(case), encoding="utf-8")
    assert run(["registry", "add", "--from", "case.json"]) == 2
    assert "YYYY-MM-DD" in capsys.readouterr().err


def test_what_still_stands_in_the_log_is_told_with_what_to_do(monkeypatch, capsys) -> None:
    with init_store("registry.sqlite") as store:
        store.add(founding(), who="ada")
    with monkeypatch.context() as read_by_another:
        read_by_another.setattr("thecal.registry.store.store.truncate_log", lambda *_: False)
        assert run(["registry", "withdraw", "founding", "--erase"]) == 2
    said = capsys.readouterr()
    assert "was erased" in said.out
    assert "may still stand in its log registry.sqlite-wal: end that program" in said.err
    _ok("withdraw", "founding", "--erase")
