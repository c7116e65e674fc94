"""The tables come by migration, up and down on filled databases, and as the program believes them to be."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from registry_cases import founding, simple
from sqlalchemy import inspect, text

from thecal.errors import InputError
from thecal.registry import case as values
from thecal.registry.store import Store, open_store
from thecal.registry.store.drafts import draft, save_draft
from thecal.registry.store.migrate import configuration, migrate, revision_of
from thecal.registry.store.rows import KINDS
from thecal.registry.store.tables import HEAD, PARTS, leak_signs, metadata


def test_what_migrations_make_is_what_the_program_expects(store: Store) -> None:
    with store.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_program_writes_the_newest_revision(store: Store) -> None:
    with store.reading() as connection:
        scripts = ScriptDirectory.from_config(configuration(connection))
        assert scripts.get_heads() == [HEAD]
        assert revision_of(connection) == HEAD


def test_every_field_of_a_case_has_a_column() -> None:
    for field, table in PARTS.items():
        columns = set(table.c.keys()) - {"case_id", "position"}
        assert columns == set(KINDS[field].model_fields) - {"signs"}
    assert {"name", "state"} <= set(leak_signs.c.keys()) == {"case_id", "leak", "position", "name", "state"}
    assert set(values.Sign.model_fields) == {"name", "state"}
    kept = set(metadata.tables["cases"].c.keys())
    assert set(values.Patient.model_fields) - kept == {"name", "born"}
    assert set(values.Case.model_fields) == {"patient", "withdrawn", *PARTS}


def test_a_filled_registry_goes_down_and_up_again_with_its_cases(store: Store) -> None:
    many = [founding(), *(simple(number) for number in range(600))]
    store.add_many(many, who="ada")
    store.withdraw("P000003", who="bob")
    save_draft(store, "new", {"patient.age_years": "70"})
    kept = [case for case in many if case.patient.pseudonym != "P000003"]
    with store.writing() as connection:
        migrate(connection, "r0001")
        assert revision_of(connection) == "r0001"
        assert not inspect(connection).has_table("drafts")
        assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == len(many)
    with pytest.raises(InputError, match=r"older thecal made .* --upgrade"):
        open_store(_address(store))
    with store.writing() as connection:
        migrate(connection)
    with open_store(_address(store)) as again:
        assert list(again.cases()) == kept
        assert [change.what for change in again.history("P000003")] == ["import", "withdraw"]
        assert draft(again, "new") is None


def test_all_tables_go_when_everything_is_undone(store: Store) -> None:
    store.add(founding(), who="ada")
    with store.writing() as connection:
        migrate(connection, "base")
        assert set(inspect(connection).get_table_names()) <= {"alembic_version"}
        migrate(connection)
        assert revision_of(connection) == HEAD


def test_a_registry_of_a_newer_thecal_is_refused(store: Store) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(InputError, match=r"A newer thecal made the registry"):
        open_store(_address(store))


def test_a_migration_that_fails_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(founding(), who="ada")
    with store.writing() as connection:
        migrate(connection, "r0001")
    monkeypatch.setattr("alembic.op.create_table", _fails)
    with pytest.raises(RuntimeError, match="no room"), store.writing() as connection:
        migrate(connection)
    with store.reading() as connection:
        assert revision_of(connection) == "r0001"
        assert "fractures_level" not in {i["name"] for i in inspect(connection).get_indexes("fractures")}


def _fails(*_: object, **__: object) -> None:
    raise RuntimeError("no room")


def _address(store: Store) -> str:
    return str(store.place.path or store.place.url.render_as_string(hide_password=False))
