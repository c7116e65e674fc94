"""Nothing that identifies a patient is stored unless there is a key, and with one only encrypted."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest
from registry_cases import DAY_OF_CEMENT, founding, simple
from sqlalchemy import text

from thecal.errors import InputError
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.drafts import draft, save_draft
from thecal.registry.store.seal import Key, new_key, read_key

NAME = "Erika Mustermann"
BORN = date(1953, 8, 12)


@pytest.mark.parametrize("known", [{"name": NAME}, {"born": BORN}])
def test_a_name_or_birth_is_refused_where_there_is_no_key(store: Store, known: dict[str, object]) -> None:
    with pytest.raises(InputError, match="only a registry with a key keeps") as told:
        store.add(founding(**known), who="ada")
    assert NAME not in str(told.value)
    assert list(store.cases()) == []


def test_names_births_and_true_dates_come_with_the_key_only(keyed: Store) -> None:
    case = founding(name=NAME, born=BORN)
    keyed.add(case, who="ada")
    assert keyed.case("founding") == case
    with open_store(_address(keyed)) as without:
        (seen,) = without.cases()
        assert seen.patient.name is None
        assert seen.patient.born is None
        moved = seen.procedures[0].on - DAY_OF_CEMENT
        assert abs(moved.days) >= 30
        assert seen.events[0].on - seen.procedures[0].on == case.events[0].on - case.procedures[0].on
        assert without.shift_days(seen) == 0
    assert keyed.shift_days(case) == moved.days


def test_neither_name_nor_date_lies_in_the_file(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "registry.sqlite"
    with init_store(path, key) as store:
        store.add(founding(name=NAME, born=BORN), who="ada")
        store.replace(founding(name="Erika Gabler", born=BORN), who="ada")
        save_draft(store, "new", {"patient.name": NAME})
        whole = b"".join(file.read_bytes() for file in tmp_path.glob("registry.sqlite*"))
    for clear in (b"Mustermann", b"Gabler", b"1953-08-12", b"2023-03-01"):
        assert clear not in whole


def test_the_audit_shows_that_a_name_changed_and_not_what_it_was(keyed: Store) -> None:
    keyed.add(founding(name=NAME, born=BORN), who="ada")
    keyed.replace(founding(name="Erika Gabler", born=BORN), who="ada")
    change = keyed.history("founding")[1]
    before, after = change.before["patient"], change.after["patient"]
    assert before["name"].startswith("hmac-sha256:")
    assert before["name"] != after["name"]
    assert before["born"] == after["born"] != "1953-08-12"


def test_a_row_put_in_the_place_of_another_does_not_open(keyed: Store) -> None:
    keyed.add_many([founding("a", name=NAME), founding("b", name="Other")], who="ada")
    with keyed.engine.begin() as connection:
        swap = (
            "UPDATE cases SET sealed = (SELECT sealed FROM cases WHERE pseudonym = 'a') WHERE pseudonym = 'b'"
        )
        connection.execute(text(swap))
    assert keyed.case("a").patient.name == NAME
    with pytest.raises(InputError, match="encrypted for b does not open"):
        keyed.case("b")


def test_a_registry_is_opened_with_no_other_key_and_written_with_its(keyed: Store, tmp_path: Path) -> None:
    keyed.add(founding(), who="ada")
    with pytest.raises(InputError, match="not the key of the registry"):
        open_store(_address(keyed), new_key(tmp_path / "other"))
    with open_store(_address(keyed)) as without:
        for write in (lambda: without.add(simple(1), who="a"), lambda: without.replace(founding(), who="a")):
            with pytest.raises(InputError, match="kept with a key: give it with --key"):
                write()
        without.withdraw("founding", who="ada")
    assert list(keyed.cases()) == []
    assert keyed.case("founding", withdrawn=True).procedures == founding().procedures


def test_a_key_is_changed_for_another_and_the_old_one_opens_nothing(
    keyed: Store, key: Key, tmp_path: Path
) -> None:
    many = [founding(f"case {number}", name=NAME) for number in range(3)]
    keyed.add_many(many, who="ada")
    save_draft(keyed, "new", {"patient.name": NAME})
    shifts = [keyed.shift_days(case) for case in many]
    other = new_key(tmp_path / "other")
    assert keyed.rekey(other, who="bob") == 3
    with pytest.raises(InputError, match="not the key"):
        open_store(_address(keyed), key)
    with open_store(_address(keyed), other) as again:
        assert list(again.cases()) == many
        assert [again.shift_days(case) for case in many] == shifts
        assert draft(again, "new") == {"patient.name": NAME}


def test_each_case_has_a_shift_of_its_own_that_stays(store: Store) -> None:
    many = [simple(number) for number in range(40)]
    store.add_many(many, who="ada")
    shifts = [store.shift_days(case) for case in many]
    assert len(set(shifts)) > 20
    assert all(30 <= abs(days) <= 365 for days in shifts)
    store.replace(many[0], who="bob")
    assert [store.shift_days(case) for case in many] == shifts


def test_an_erased_case_leaves_its_pseudonym_and_no_content(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    with init_store(path) as store:
        store.add_many([founding("E1"), simple(1)], who="ada")
        store.withdraw("E1", who="bob", erase=True)
        assert [case.patient.pseudonym for case in store.cases(withdrawn=True)] == ["P000001"]
        assert [change.what for change in store.history("E1")] == ["import", "withdraw", "erase"]
        assert all(change.before is change.after is None for change in store.history("E1"))
        with pytest.raises(InputError, match="was withdrawn and erased"):
            store.case("E1", withdrawn=True)
        with pytest.raises(InputError, match="in the registry already"):
            store.add(founding("E1"), who="ada")
        whole = b"".join(file.read_bytes() for file in tmp_path.glob("registry.sqlite*"))
    assert b"two punctures" not in whole
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_key_lies_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "key"
    made = new_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path) == made
    assert made.secret.hex() not in repr(made)
    with pytest.raises(InputError, match="there already"):
        new_key(path)
    path.chmod(0o644)
    with pytest.raises(InputError, match="Others can read the key"):
        read_key(path)
    (tmp_path / "no").write_text("thecal-registry-key-1 short\n")
    (tmp_path / "no").chmod(0o600)
    with pytest.raises(InputError, match="is no key of a registry"):
        read_key(tmp_path / "no")


def _address(store: Store) -> str:
    return str(store.place.path or store.place.url.render_as_string(hide_password=False))


def test_a_reader_who_holds_the_log_back_is_told_of_until_it_is_empty(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("thecal.registry.store.engine.BUSY_MS", 20)
    file = tmp_path / "registry.sqlite"
    with init_store(file) as store, open_store(file) as other:
        store.add(founding("E1"), who="ada")
        with other.reading() as connection:
            assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == 1
            assert not store.withdraw("E1", who="bob", erase=True)
            assert b"two punctures" in file.with_name("registry.sqlite-wal").read_bytes()
        assert store.withdraw("E1", who="bob", erase=True)
        assert b"two punctures" not in file.with_name("registry.sqlite-wal").read_bytes() + file.read_bytes()
        assert [change.what for change in store.history("E1")] == ["add", "withdraw", "erase"]
