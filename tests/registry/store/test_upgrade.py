"""``init --upgrade`` on SQLite and PostgreSQL: after a backup, with the key, wholly or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from postgres import Postgres
from registry_cases import founding, simple
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from thecal.errors import InputError
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.check import problems
from thecal.registry.store.engine import Place, connect, reading
from thecal.registry.store.migrate import migrate, revision_of
from thecal.registry.store.seal import Key
from thecal.registry.store.tables import HEAD
from thecal.registry.store.upgrade import upgrade

OLDER = ("r0001", "r0002")


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """What stands for a file of ``pg_dump``: that it is one is its owner's to know."""
    path = tmp_path / "dump.sql"
    path.write_text("-- PostgreSQL database dump\n", encoding="utf-8")
    return path


def _filled(where: str, older: str, key: Key | None = None) -> list[object]:
    """A registry of an older revision; the cases in it."""
    with init_store(where, key) as store:
        store.add_many([founding(), *(simple(number) for number in range(30))], who="ada")
        store.withdraw("P000001", who="bob")
        store.withdraw("P000002", who="bob", erase=True)
        kept = list(store.cases())
        with store.writing() as connection:
            migrate(connection, older, key=key)
    return kept


def _revision(where: str) -> str | None:
    place = Place(where)
    engine = connect(place)
    try:
        with reading(engine, place) as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def _upgraded(where: str, dump: Path, key: Key | None = None) -> Path | None:
    """With a backup on PostgreSQL, where the program makes none."""
    return upgrade(where, dump if "://" in where else None, key=key, who="eve")


@pytest.mark.parametrize("older", OLDER)
def test_an_older_registry_is_upgraded_with_all_that_it_held(where: str, older: str, dump: Path) -> None:
    kept = _filled(where, older)
    with pytest.raises(InputError, match="An older thecal made the registry"):
        open_store(where)
    assert _upgraded(where, dump) is not None
    assert _revision(where) == HEAD
    with open_store(where) as store:
        assert list(store.cases()) == kept
        assert problems(store) == []
        assert [change.what for change in store.history("P000002")] == ["import", "withdraw", "erase"]
        _still_guarded(store)
    assert _upgraded(where, dump) is None


@pytest.mark.parametrize("older", OLDER)
def test_one_with_a_key_is_upgraded_with_it(where: str, older: str, dump: Path, key: Key) -> None:
    kept = _filled(where, older, key)
    for wrong, said in ((None, "is kept with a key"), (Key(bytes(32)), "not the key of the registry")):
        with pytest.raises(InputError, match=said):
            _upgraded(where, dump, wrong)
    assert _revision(where) == older
    _upgraded(where, dump, key)
    with open_store(where, key) as store:
        assert list(store.cases()) == kept
        assert problems(store) == []
        assert all(change.at for change in store.history("founding"))
        _still_guarded(store)
    with open_store(where) as store:
        assert store.case("founding").procedures[0].notes is None


def test_a_key_for_a_registry_that_has_none_is_told(where: str, dump: Path, key: Key) -> None:
    _filled(where, "r0002")
    with pytest.raises(InputError, match="not the key of the registry"):
        _upgraded(where, dump, key)
    assert _revision(where) == "r0002"


def test_a_damaged_audit_stops_the_upgrade_and_nothing_is_changed(where: str, dump: Path, key: Key) -> None:
    _filled(where, "r0002", key)
    place = Place(where)
    engine = connect(place)
    with engine.begin() as connection:
        guard = "audit_no_update" if place.path else "audit_grows ON audit"
        connection.execute(text(f"DROP TRIGGER {guard}"))
        connection.execute(text("UPDATE audit SET who = 'eve' WHERE id = 3"))
    with pytest.raises(InputError, match="Row 3 of the audit was changed"):
        _upgraded(where, dump, key)
    with engine.connect() as connection:
        notes = "SELECT count(*) FROM procedures WHERE notes IS NOT NULL"
        assert connection.execute(text(notes)).scalar() == 1
    engine.dispose()
    assert _revision(where) == "r0002"


def test_postgresql_is_not_upgraded_before_a_dump_was_made(server: Postgres, tmp_path: Path) -> None:
    where = server.database()
    _filled(where, "r0002")
    for backup in (None, tmp_path / "not-there.sql"):
        with pytest.raises(InputError, match="Make a backup with pg_dump first"):
            upgrade(where, backup)
    assert _revision(where) == "r0002"


def test_what_holds_no_registry_is_not_upgraded(where: str, dump: Path) -> None:
    with pytest.raises(InputError, match=r"(There is no|holds no) registry"):
        _upgraded(where, dump)


def _still_guarded(store: Store) -> None:
    """The audit only grows after an upgrade as before."""
    for change in (
        "UPDATE audit SET who = 'eve'",
        "DELETE FROM audit",
        "UPDATE audit_content SET after = '{}'",
    ):
        with pytest.raises(DBAPIError, match="the audit only grows"), store.engine.begin() as connection:
            connection.execute(text(change))
