"""What was done to a case, read from the audit: with the key also when, and the texts before and after."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from thecal.errors import InputError
from thecal.registry.store.audit import SHIFT, Change, texts_place, time_hash, time_place
from thecal.registry.store.keeper import Keeper
from thecal.registry.store.noted_texts import set_texts
from thecal.registry.store.tables import audit, audit_content


def history(connection: Connection, keeper: Keeper, pseudonym: str) -> list[Change]:
    """The changes of one case, oldest first."""
    rows = connection.execute(
        select(audit, audit_content.c.before, audit_content.c.after, audit_content.c.sealed.label("texts"))
        .outerjoin(audit_content, audit.c.id == audit_content.c.id)
        .where(audit.c.pseudonym == pseudonym)
        .order_by(audit.c.id)
    ).mappings()
    return [_change(keeper, row) for row in rows]


def time_of(keeper: Keeper, row: RowMapping) -> tuple[str | None, str]:
    """When a row was written, and its secret; None where that is encrypted and the key was not given.

    Raises
    ------
    InputError
        Where it was changed or moved.
    """
    if keeper.key_id is None:
        return row["at"], ""
    if keeper.key is None:
        return None, ""
    if row["sealed"] is None:
        raise InputError(f"The time of row {row['id']} of the audit is missing")
    content = keeper.opened(row["sealed"], time_place(row))
    if time_hash(content["blind"], content["at"]) != row["at"]:
        raise InputError(f"The time of row {row['id']} of the audit is not the one that was written")
    return content["at"], content["blind"]


def texts_said(keeper: Keeper, row: RowMapping) -> tuple[dict[str, str], dict[str, str]]:
    """What is encrypted of a case before and after; nothing where the key was not given."""
    if row["texts"] is None or keeper.key is None:
        return {}, {}
    before, after = keeper.opened(row["texts"], texts_place(row))["texts"]
    return before or {}, after or {}


def _change(keeper: Keeper, row: RowMapping) -> Change:
    at, _ = time_of(keeper, row)
    before, after = texts_said(keeper, row)
    return Change(at, row["who"], row["what"], _case(row["before"], before), _case(row["after"], after))


def _case(content: str | None, texts: dict[str, str]) -> dict[str, Any] | None:
    """A content without what stands beside the case, with the texts of it."""
    if content is None:
        return None
    case: dict[str, Any] = json.loads(content)
    case.pop(SHIFT, None)
    set_texts(case, texts)
    return case
