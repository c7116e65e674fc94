"""One hash of all that a registry holds, the same wherever it is kept."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from thecal.registry.store.keeper import stored_cases
from thecal.registry.store.tables import audit, audit_content, cases, drafts, registry, report_files

if TYPE_CHECKING:
    from thecal.registry.store.store import Store

CHUNK = 500


def content_hash(store: Store) -> str:
    """SHA-256 over every case, attached report, draft and audit row as they are stored, in a fixed order.

    Equal where a backup, or the same registry in another database, holds the same; the key is not needed.
    """
    with store.reading() as connection:
        return content_hash_in(connection)


def content_hash_in(connection: Connection) -> str:
    """The same within a transaction of the caller's."""
    whole = hashlib.sha256()
    last = -1
    while True:
        chosen = select(cases).where(cases.c.id > last).order_by(cases.c.id).limit(CHUNK)
        found = connection.execute(chosen).all()
        if not found:
            break
        last = found[-1].id
        for row, case in stored_cases(connection, found):
            text = case.model_dump_json(exclude_none=True)
            _take(whole, row.id, text, row.sealed, row.shift_days, row.erased)
    for table in (registry, report_files, audit, audit_content, drafts):
        for each in connection.execute(select(table).order_by(*table.primary_key)):
            _take(whole, table.name, *each)
    return whole.hexdigest()


def _take(whole: hashlib._Hash, *values: object) -> None:
    """Add values so that none runs into the next."""
    for value in values:
        raw = b"-" if value is None else bytes(value) if isinstance(value, bytes) else str(value).encode()
        whole.update(b"%d:" % len(raw) + raw)
