"""All that a registry encrypts, encrypted with another key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select, update

from thecal.registry.store.audit import texts_place, time_place
from thecal.registry.store.drafts import reseal
from thecal.registry.store.keeper import Keeper
from thecal.registry.store.letters import letter_box
from thecal.registry.store.seal import Key
from thecal.registry.store.tables import audit, audit_content, cases, registry, report_files

ENCRYPTED: Final = "encrypted"
"""What stands where a time would."""
CHUNK: Final = 500


def registry_place(uuid: str) -> str:
    """What the seal of the registry's own row is bound to."""
    return f"{uuid}/registry"


def reseal_all(connection: Connection, keeper: Keeper, new: Key) -> int:
    """Encrypt everything with another key; how many cases that were."""
    old = keeper.key
    assert old is not None
    many = 0
    for row in _rows(connection, cases):
        if row.sealed is not None:
            place = keeper.place(row.pseudonym)
            sealed = new.seal_bytes(old.open_bytes(row.sealed, place), place)
            connection.execute(update(cases).where(cases.c.id == row.id).values(sealed=sealed))
            many += 1
    held = select(report_files.c.case_id, report_files.c.sha256, cases.c.pseudonym).join(cases)
    for case_id, sha256, pseudonym in connection.execute(held).all():
        this = (report_files.c.case_id == case_id) & (report_files.c.sha256 == sha256)
        kept = connection.execute(select(report_files.c.content).where(this)).scalar_one()
        place = keeper.report_place(pseudonym, sha256)
        content = new.seal_bytes(old.open_bytes(kept, place), place)
        connection.execute(update(report_files).where(this).values(content=content))
    for row in _rows(connection, audit):
        place = time_place(row._mapping)
        sealed = new.seal(keeper.opened(row.sealed, place), keeper.place(place))
        connection.execute(update(audit).where(audit.c.id == row.id).values(sealed=sealed))
    hashes = select(audit_content.c.id, audit_content.c.sealed, audit.c.hash).join(audit)
    for said in connection.execute(hashes.where(audit_content.c.sealed.is_not(None))).mappings().all():
        place = texts_place(said)
        sealed = new.seal(keeper.opened(said["sealed"], place), keeper.place(place))
        connection.execute(
            update(audit_content).where(audit_content.c.id == said["id"]).values(sealed=sealed)
        )
    reseal(connection, keeper, new)
    made = connection.execute(select(registry.c.sealed)).scalar_one()
    place = registry_place(keeper.registry)
    sealed = new.seal_bytes(old.open_bytes(made, place), place)
    connection.execute(update(registry).values(key_id=new.id, box=letter_box(new), sealed=sealed))
    return many


def _rows(connection: Connection, table: Table) -> Iterator[Row[Any]]:
    """The rows of a table in order, some at a time, while they are changed."""
    last = -1
    while True:
        found = connection.execute(
            select(table).where(table.c.id > last).order_by(table.c.id).limit(CHUNK)
        ).all()
        if not found:
            return
        last = found[-1].id
        yield from found
