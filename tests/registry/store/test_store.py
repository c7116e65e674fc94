"""Cases go in and come out as they were; what changes one is written down."""

from __future__ import annotations

import pytest
from registry_cases import founding, simple
from sqlalchemy import inspect, text

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.drafts import draft_names, save_draft
from thecal.registry.store.engine import Place, connect


def test_a_case_comes_out_as_it_went_in(store: Store) -> None:
    store.add(founding(), who="ada")
    assert store.case("founding") == founding()
    assert list(store.cases()) == [founding()]


def test_many_cases_keep_the_order_of_entry(store: Store) -> None:
    many = [simple(number) for number in (5, 3, 1200, *range(2000, 2600))]
    assert store.add_many(many, who="ada") == len(many)
    assert list(store.cases()) == many


def test_of_many_cases_none_is_kept_where_one_is_known(store: Store) -> None:
    store.add(simple(7), who="ada")
    with pytest.raises(InputError, match="Case P000007 is in the registry already"):
        store.add_many([simple(1), simple(7)], who="ada")
    with pytest.raises(InputError, match="Case P000002 is in the registry already"):
        store.add_many([simple(2), simple(2)], who="ada")
    assert list(store.cases()) == [simple(7)]


def test_a_replaced_case_keeps_what_it_was_in_its_history(store: Store) -> None:
    store.add(founding(), who="ada")
    later = founding().model_copy(update={"outcomes": founding().outcomes[:1]})
    store.replace(later, who="bob")
    assert store.case("founding") == later
    added, replaced = store.history("founding")
    assert (added.who, added.what, added.before) == ("ada", "add", None)
    assert (replaced.who, replaced.what) == ("bob", "replace")
    assert Case.model_validate(replaced.before) == founding()
    assert Case.model_validate(replaced.after) == later
    assert added.at <= replaced.at
    assert added.at.endswith("+00:00")


def test_nothing_is_kept_of_a_change_that_fails(store: Store) -> None:
    store.add(founding(), who="ada")

    def fails(case: Case) -> Case:
        raise InputError("not so")

    with pytest.raises(InputError, match="not so"):
        store.change("founding", fails, who="bob")
    with pytest.raises(InputError, match="keeps its pseudonym"):
        store.change("founding", lambda _: simple(1), who="bob")
    assert store.case("founding") == founding()
    assert len(store.history("founding")) == 1


def test_columns_are_counted_without_making_cases(store: Store) -> None:
    store.add_many([founding(), simple(1)], who="ada")
    store.withdraw("P000001", who="ada")
    assert store.rows("fractures", "level", "cause") == [("founding", "T12", "osteoporotic")]
    assert store.rows("cases", "age_years", "sex") == [("founding", 70.0, "F")]


def test_a_registry_is_not_made_over_another(store: Store) -> None:
    where = str(store.place.path or store.place.url.render_as_string(hide_password=False))
    with pytest.raises(InputError, match="is a registry already"):
        init_store(where)


def test_a_registry_is_not_made_among_anothers_tables(where: str) -> None:
    engine = connect(Place(where))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE patients (name TEXT)"))
    with pytest.raises(InputError, match="another program's tables"):
        init_store(where)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == ["patients"]
    engine.dispose()


def test_where_there_is_no_registry_one_sentence_says_so(tmp_path) -> None:
    with pytest.raises(InputError, match=r"There is no registry .*: thecal registry init makes one"):
        open_store(tmp_path / "none.sqlite")
    (tmp_path / "text.sqlite").write_text("not a database, but long enough to have a header of one" * 30)
    with pytest.raises(InputError, match="is no registry, or its beginning is damaged"):
        open_store(tmp_path / "text.sqlite")
    with pytest.raises(InputError, match="SQLite or PostgreSQL"):
        open_store("mysql://localhost/cases")


def test_the_answers_go_as_their_case_comes_or_neither_happens(store: Store, monkeypatch) -> None:
    save_draft(store, "founding", {"patient.pseudonym": "founding"})
    with monkeypatch.context() as broken:
        broken.setattr("thecal.registry.store.store.drop", _breaks)
        with pytest.raises(RuntimeError):
            store.add(founding(), who="ada", draft="founding")
    assert draft_names(store) == ["founding"]
    assert not store.knows("founding")
    store.add(founding(), who="ada", draft="founding")
    assert draft_names(store) == []
    assert store.knows("founding")


def _breaks(*_: object) -> None:
    raise RuntimeError
