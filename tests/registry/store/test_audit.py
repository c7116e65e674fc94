"""The audit only grows, and an altered row breaks its chain."""

from __future__ import annotations

import pytest
from registry_cases import founding
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from thecal.registry.store import Store
from thecal.registry.store.audit import chained, differences, start_of
from thecal.registry.store.tables import audit


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'nobody'",
        "DELETE FROM audit",
        "UPDATE audit_content SET after = '{}'",
        "DELETE FROM audit_content",
    ],
)
def test_no_row_of_the_audit_can_be_changed_or_deleted(store: Store, change: str) -> None:
    store.add(founding(), who="ada")
    with pytest.raises(DBAPIError, match="the audit"), store.engine.begin() as connection:
        connection.execute(text(change))
    assert [change.who for change in store.history("founding")] == ["ada"]


def test_each_row_is_chained_to_the_one_before(store: Store) -> None:
    store.add(founding(), who="ada")
    store.replace(founding().model_copy(update={"events": ()}), who="bob")
    with store.reading() as connection:
        start = start_of(connection)
        rows = connection.execute(audit.select().order_by(audit.c.id)).mappings().all()
    assert rows[0]["hash"] == chained(start, rows[0])
    assert rows[1]["hash"] == chained(rows[0]["hash"], rows[1])
    assert chained(start, {**rows[0], "who": "eve"}) != rows[0]["hash"]


def test_what_changed_is_named_by_its_place_in_the_case() -> None:
    before = {"patient": {"sex": "F"}, "leaks": [{"level": "T12"}]}
    after = {"patient": {"sex": "F", "age_years": 70.0}, "leaks": [{"level": "L1"}, {"level": "L2"}]}
    assert list(differences(before, after)) == [
        ("patient.age_years", None, 70.0),
        ("leaks.1.level", "T12", "L1"),
        ("leaks.2", None, {"level": "L2"}),
    ]


def test_what_was_taken_out_is_the_only_difference() -> None:
    assert list(differences({"a": [1, 2, 3, 3]}, {"a": [1, 3, 3]})) == [("a.2", 2, None)]
    assert list(differences({"a": [1, 1]}, {"a": [1]})) == [("a.2", 1, None)]
    assert list(differences({"a": []}, {"a": [1, 2]})) == [("a.1", None, 1), ("a.2", None, 2)]
