"""A backup holds the same, and a registry made of it does."""

from __future__ import annotations

from pathlib import Path

import pytest
from assessed import assessed
from postgres import Postgres
from registry_cases import founding, simple

from thecal.errors import InputError
from thecal.registry.attach import attach
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.backup import back_up, restore
from thecal.registry.store.check import problems
from thecal.registry.store.drafts import save_draft
from thecal.registry.store.hashes import content_hash
from thecal.registry.store.seal import Key


def _filled(store: Store, folder: Path) -> list[str]:
    store.add_many([founding(), *(simple(number) for number in range(30))], who="ada")
    attach(store, "founding", assessed(folder / "report"), who="ada")
    store.withdraw("P000001", who="bob")
    store.withdraw("P000002", who="bob", erase=True)
    save_draft(store, "new", {"patient.age_years": "70"})
    return [case.patient.pseudonym for case in store.cases()]


def test_a_restored_backup_has_the_same_hash_and_cases(store: Store, tmp_path: Path) -> None:
    names = _filled(store, tmp_path)
    before = content_hash(store)
    assert back_up(store, tmp_path / "backup.sqlite") == before
    assert restore(tmp_path / "backup.sqlite", tmp_path / "again.sqlite") == before
    with open_store(tmp_path / "again.sqlite") as again:
        assert [case.patient.pseudonym for case in again.cases()] == names
        assert problems(again) == []
        again.replace(founding(), who="ada")
        assert content_hash(again) != before
    assert {path.name for path in tmp_path.glob("*backup*")} == {"backup.sqlite"}


def test_a_backup_can_move_into_postgresql_and_back(tmp_path: Path, server: Postgres, key: Key) -> None:
    with init_store(tmp_path / "here.sqlite", key) as here:
        _filled(here, tmp_path)
        here.add(founding("named", name="Erika Mustermann"), who="ada")
        before = back_up(here, tmp_path / "backup.sqlite")
    url = server.database()
    assert restore(tmp_path / "backup.sqlite", url) == before
    with open_store(url, key) as there:
        assert problems(there) == []
        assert there.case("named").patient.name == "Erika Mustermann"
        there.add(simple(99), who="ada")
        assert content_hash(there) == back_up(there, tmp_path / "back.sqlite")


def test_nothing_is_written_over(store: Store, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        back_up(store, tmp_path / "there")
    back_up(store, tmp_path / "backup.sqlite")
    with pytest.raises(InputError, match="is there already"):
        restore(tmp_path / "backup.sqlite", tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"


def test_a_damaged_backup_is_not_restored(store: Store, tmp_path: Path) -> None:
    _filled(store, tmp_path)
    backup = tmp_path / "backup.sqlite"
    back_up(store, backup)
    content = bytearray(backup.read_bytes())
    at = content.rfind(b"P000017")
    content[at + 6] ^= 1
    backup.write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        restore(backup, tmp_path / "again.sqlite")
    assert not (tmp_path / "again.sqlite").exists()
