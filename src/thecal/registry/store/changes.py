"""What a change does to the tables; the caller holds the writer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.store.insert_rows import insert_rows
from thecal.registry.store.keeper import TABLES, stored_cases
from thecal.registry.store.rows import PATIENT, case_rows
from thecal.registry.store.tables import audit, audit_content, cases, drafts, report_files


def stored(connection: Connection, row: Row[Any]) -> Case:
    """The case of a row, as it is stored."""
    [(_, case)] = stored_cases(connection, [row])
    return case


def refuse_known(connection: Connection, chunk: Sequence[Case]) -> None:
    """Refuse cases whose pseudonym is taken, in the registry or among themselves."""
    names = [case.patient.pseudonym for case in chunk]
    known = select(cases.c.pseudonym).where(cases.c.pseudonym.in_(names))
    taken = set(connection.execute(known).scalars())
    for name in names:
        if name in taken:
            raise InputError(f"Case {name} is in the registry already")
        taken.add(name)


def insert_parts(connection: Connection, numbered: Sequence[tuple[int, Case]]) -> None:
    """Put the parts of cases, by their number, into their tables."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for number, case in numbered:
        for field, more in case_rows(case, number).items():
            rows.setdefault(field, []).extend(more)
    for field, table in TABLES.items():
        if field in rows:
            insert_rows(connection, table, rows[field])


def forget(connection: Connection, number: int) -> None:
    """Take the parts of a case away."""
    for table in reversed(TABLES.values()):
        connection.execute(delete(table).where(table.c.case_id == number))


def erase(connection: Connection, row: Row[Any]) -> None:
    """Take away all that a case held; its pseudonym and the rows of the audit stay."""
    forget(connection, row.id)
    connection.execute(delete(report_files).where(report_files.c.case_id == row.id))
    connection.execute(delete(drafts).where(drafts.c.pseudonym == row.pseudonym))
    nothing: dict[str, Any] = {name: None for name in PATIENT if name != "pseudonym"}
    emptied = update(cases).where(cases.c.id == row.id)
    connection.execute(emptied.values(erased=1, withdrawn=1, sealed=None, shift_days=None, **nothing))
    of_case = select(audit.c.id).where(audit.c.pseudonym == row.pseudonym)
    connection.execute(delete(audit_content).where(audit_content.c.id.in_(of_case)))
