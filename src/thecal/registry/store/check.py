"""What is wrong with a registry, in plain sentences: damage, and changes that the audit does not know.

The database checks itself; then the audit's chain, every case against the last word of the audit on it, every
attached report against its SHA-256, and, with the key, everything that is encrypted.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError
from sqlalchemy import Connection, Row, RowMapping, func, select, text

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.store.audit import SHIFT, chained, content_hash, start_of
from thecal.registry.store.history import texts_said, time_of
from thecal.registry.store.keeper import Kept, stored_cases
from thecal.registry.store.noted_texts import take_texts, text_digest, texts_of
from thecal.registry.store.seal import Secret
from thecal.registry.store.tables import audit, audit_content, cases, drafts, report_files

if TYPE_CHECKING:
    from thecal.registry.store.store import Store

STAGES: Final = ("database", "audit", "cases", "reports", "drafts")
MOST: Final = 50
"""Sentences of one kind; a file that is broken throughout need not say so a thousand times."""
CHUNK: Final = 500


def problems(store: Store, begin: Callable[[str], None] | None = None) -> list[str]:
    """What is wrong; empty where nothing is. What is encrypted is looked into with the key only.

    Parameters
    ----------
    begin : callable, optional
        Called with each of ``STAGES`` as it begins.
    """
    found: list[str] = []
    looks: tuple[Callable[[Store, Connection], Iterator[str]], ...] = (
        _database,
        _chain,
        _cases,
        _reports,
        _drafts,
    )
    for stage, look in zip(STAGES, looks, strict=True):
        if begin is not None:
            begin(stage)
        said: list[str] = []
        try:
            with store.reading() as connection:
                for sentence in look(store, connection):
                    said.append(sentence)
                    if len(said) == MOST:
                        said.append("And more of this kind")
                        break
        except (InputError, LookupError, ValueError, TypeError) as error:
            words = str(error) if isinstance(error, InputError) else f"{type(error).__name__} while reading"
            said.append(f"{WHAT[stage]}: {words}")
        found += said
    return list(dict.fromkeys(found))


WHAT: Final = {
    "database": "The database cannot check itself",
    "audit": "The audit cannot be read to its end",
    "cases": "The cases cannot be read to their end",
    "reports": "The attached reports cannot be read to their end",
    "drafts": "The unfinished answers cannot be read to their end",
}


def _database(store: Store, connection: Connection) -> Iterator[str]:
    if store.place.path is None:
        return
    for (said,) in connection.execute(text(f"PRAGMA integrity_check({MOST})")):
        if said != "ok":
            yield f"The file is damaged: {' '.join(str(said).split())}"
    for table, _, parent, _ in connection.execute(text("PRAGMA foreign_key_check")):
        yield f"A row of {table} belongs to nothing in {parent}"


def _chain(store: Store, connection: Connection) -> Iterator[str]:
    erased = set(connection.execute(select(cases.c.pseudonym).where(cases.c.erased == 1)).scalars())
    previous, number = start_of(connection), 0
    chosen = (
        select(
            audit,
            *(audit_content.c[name] for name in ("salt", "before", "after")),
            audit_content.c.sealed.label("texts"),
        )
        .outerjoin(audit_content, audit.c.id == audit_content.c.id)
        .order_by(audit.c.id)
        .execution_options(yield_per=CHUNK)
    )
    for row in connection.execute(chosen).mappings():
        number += 1
        if row["id"] != number:
            yield f"Row {number} of the audit is missing"
            number = row["id"]
        if row["hash"] != chained(previous, row):
            yield f"Row {number} of the audit, or the one before it, was changed"
        previous = row["hash"]
        for when in ("before", "after"):
            expected, content = row[f"{when}_sha256"], row[when]
            if expected is None and content is None:
                continue
            gone = content is None and row["pseudonym"] in erased
            if not gone and expected != content_hash(row["salt"] or "", content):
                yield f"What row {number} of the audit says of {row['pseudonym']} {when} it was changed"
        yield from _sealed(store, row)


def _sealed(store: Store, row: RowMapping) -> Iterator[str]:
    """What is encrypted of a row of the audit, against the hashes that its chain holds."""
    try:
        _, blind = time_of(store.keeper, row)
        for when, texts in zip(("before", "after"), texts_said(store.keeper, row), strict=True):
            quoted = texts_of(json.loads(row[when] or "{}"))
            if (
                store.keeper.key
                and row["texts"]
                and quoted != {at: text_digest(blind, at, said) for at, said in texts.items()}
            ):
                yield f"What is encrypted of row {row['id']} of the audit is not what was written"
    except InputError as error:
        yield f"{error}"


def _cases(store: Store, connection: Connection) -> Iterator[str]:
    last_word = select(audit.c.pseudonym, func.max(audit.c.id)).group_by(audit.c.pseudonym)
    last = {name: number for name, number in connection.execute(last_word)}
    rows = connection.execute(select(cases).order_by(cases.c.id)).all()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        numbers = [last[row.pseudonym] for row in chunk if row.pseudonym in last]
        of_chunk = (
            select(audit, audit_content.c.after, audit_content.c.sealed.label("texts"))
            .join(audit_content)
            .where(audit.c.id.in_(numbers))
        )
        said = {row["id"]: row for row in connection.execute(of_chunk).mappings()}
        for row, stored in _read(connection, chunk):
            name = row.pseudonym
            if name not in last:
                yield f"The audit knows nothing of case {name}"
            elif stored is None:
                yield f"Case {name} cannot be read: a part of it is no value of its kind"
            elif not row.erased:
                yield from _case(store, row, stored, said.get(last[name]))
    known = {row.pseudonym for row in rows}
    for name in last:
        if name is not None and name not in known:
            yield f"Case {name} is missing: the audit knows of it"


def _read(connection: Connection, chunk: Sequence[Row[Any]]) -> Iterator[tuple[Row[Any], Case | None]]:
    """Cases as they are stored; None for one that cannot be read."""
    try:
        yield from list(stored_cases(connection, chunk))
    except InputError:
        if len(chunk) == 1:
            yield chunk[0], None
            return
        for row in chunk:
            yield from _read(connection, [row])


def _case(store: Store, row: Row[Any], stored: Case, last: RowMapping | None) -> Iterator[str]:
    name = row.pseudonym
    said = last["after"] if last else None
    as_noted = store.keeper.noted(Kept(stored, Secret(row.shift_days or 0)))
    changed = f"Case {name} is not what the audit says of it: it was changed by something else"
    if said != as_noted and not _same(stored, row.shift_days, said, keyless=store.keeper.key_id is None):
        yield changed
    if (row.sealed is None) is not (store.keeper.key_id is None):
        yield f"What is encrypted of case {name} is missing or should not be there"
    elif store.keeper.key is not None:
        try:
            secret = store.keeper.secret(row)
            # Who takes consent back without the key cannot say which texts there are.
            silent = last is None or (last["what"] == "withdraw" and last["texts"] is None)
            if secret and not silent and last and secret.texts != texts_said(store.keeper, last)[1]:
                yield changed
        except InputError as error:
            yield f"{error}"


def _same(stored: Case, shift: int | None, said: str | None, *, keyless: bool) -> bool:
    """The same case, though written in another way: with hashes of a name, with 70 for 70.0."""
    try:
        told = json.loads(said or "")
        moved = told.pop(SHIFT, None)
        for hidden in ("name", "born"):
            told["patient"].pop(hidden, None)
        if not keyless:
            take_texts(told)
        return Case.model_validate_json(json.dumps(told)) == stored and (not keyless or moved == shift)
    except (ValidationError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _reports(store: Store, connection: Connection) -> Iterator[str]:
    if store.keeper.locked:
        return
    chosen = select(report_files, cases.c.pseudonym).join(cases, cases.c.id == report_files.c.case_id)
    for row in connection.execute(chosen.execution_options(yield_per=10)):
        try:
            kept = store.keeper.report(row.pseudonym, row.sha256, row.content)
            same = hashlib.sha256(zlib.decompress(kept)).hexdigest() == row.sha256
        except (InputError, zlib.error, TypeError):
            same = False
        if not same:
            yield f"The report {str(row.sha256)[:12]} attached to case {row.pseudonym} is damaged"


def _drafts(store: Store, connection: Connection) -> Iterator[str]:
    from thecal.registry.store.drafts import readable

    if store.keeper.locked:
        return
    for row in connection.execute(select(drafts)):
        if not readable(store.keeper, row.pseudonym, row.content):
            yield f"The unfinished answers for {row.pseudonym} cannot be read"
