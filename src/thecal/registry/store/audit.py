"""The audit: who changed what, when, with the case before and after. It only grows.

Each row's hash covers the row before it, so that a row that was changed, put in or taken out breaks the
chain.
The contents lie beside it, salted and hashed into the chain: when a withdrawn case is erased they go, and the
chain still holds.
Where the registry has a key, the time of a change is encrypted, for a finding that is entered on the day of
the visit would tell by how much that day is moved in the tables. The chain covers a hash of time and a secret
that is encrypted with it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, select

from thecal.registry.store.insert_rows import insert_rows
from thecal.registry.store.tables import audit, audit_content, registry

What = Literal[
    "add",
    "import",
    "replace",
    "edit",
    "remove",
    "outcome",
    "revision",
    "event",
    "attach",
    "withdraw",
    "erase",
    "rekey",
    "upgrade",
]
Hide = Callable[[dict[str, Any], str], bytes]
"""Encrypts a content for a place."""
BLIND_BYTES: Final = 16
SHIFT: Final = "shift_days"
"""Beside a case's own fields, where there is no key: by how much its dates are moved on export."""


@dataclass(frozen=True)
class Entry:
    """One change of one case: JSON before and after, None where there was or is no case.

    ``blind`` is a secret of the row where there is a key; ``texts`` what is encrypted of the case before and
    after.
    """

    pseudonym: str | None
    before: str | None = None
    after: str | None = None
    blind: str | None = None
    texts: tuple[dict[str, str] | None, ...] | None = None


@dataclass(frozen=True)
class Change:
    """One row of the audit as it is shown; ``before`` and ``after`` are None also once they are erased.

    ``at`` is None where it is encrypted and the key was not given.
    """

    at: str | None
    who: str
    what: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


def append(
    connection: Connection, entries: Sequence[Entry], *, who: str, what: What, hide: Hide | None
) -> None:
    """Write changes down; the caller holds the writer's transaction.

    ``hide`` encrypts, None where the registry has no key.
    """
    last = connection.execute(select(audit.c.id, audit.c.hash).order_by(audit.c.id.desc()).limit(1)).first()
    number, previous = (last.id, last.hash) if last else (0, start_of(connection))
    at = datetime.now(UTC).isoformat(timespec="microseconds")
    rows, contents = [], []
    for entry in entries:
        number += 1
        salt = secrets.token_hex(16)
        blind = entry.blind or new_blind()
        row: dict[str, Any] = {
            "id": number,
            "at": at if hide is None else time_hash(blind, at),
            "who": who,
            "what": what,
            "pseudonym": entry.pseudonym,
            "before_sha256": content_hash(salt, entry.before),
            "after_sha256": content_hash(salt, entry.after),
        }
        previous = row["hash"] = chained(previous, row)
        row["sealed"] = hide and hide({"at": at, "blind": blind}, time_place(row))
        rows.append(row)
        if entry.before is not None or entry.after is not None:
            sealed = hide and entry.texts and hide({"texts": entry.texts}, texts_place(row))
            contents.append(
                {"id": number, "salt": salt, "before": entry.before, "after": entry.after, "sealed": sealed}
            )
    if rows:
        insert_rows(connection, audit, rows)
    if contents:
        insert_rows(connection, audit_content, contents)


def new_blind() -> str:
    """A secret of one row: who does not know it cannot try which time or text has a hash."""
    return secrets.token_hex(BLIND_BYTES)


def time_hash(blind: str, at: str) -> str:
    """What stands in the place of an encrypted time, and is hashed into the chain."""
    text = f"{blind}\n{at}"
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def time_place(row: Any) -> str:
    """What the seal of a row's time is bound to."""
    return f"audit/{row['hash']}/row {row['id']} of the audit"


def texts_place(row: Any) -> str:
    """What the seal of a row's texts is bound to."""
    return f"audit-texts/{row['hash']}/row {row['id']} of the audit"


def start_of(connection: Connection) -> str:
    """What the first row is chained to: which registry this is."""
    return start_of_made(*connection.execute(select(registry.c.uuid, registry.c.created)).one())


def start_of_made(uuid: str, created: str) -> str:
    """The same, of a registry by its number and the time of its making."""
    return hashlib.sha256(json.dumps([uuid, created]).encode()).hexdigest()


def content_hash(salt: str, content: str | None) -> str | None:
    """The salted hash of a content; of one that was erased it tells nothing."""
    return None if content is None else hashlib.sha256(f"{salt}\n{content}".encode()).hexdigest()


def chained(previous: str, row: Any) -> str:
    """The hash of a row after the one with the hash ``previous``."""
    names = ("id", "at", "who", "what", "pseudonym", "before_sha256", "after_sha256")
    text = json.dumps([previous, *(row[name] for name in names)], ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two JSON values differ: the path, what was there and what is; None where nothing.

    Entries of a list are numbered from 1, "outcomes.3", as they are pointed at. Of a list that grew or shrank
    those that stayed at its beginning and its end are no difference.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else name)
    elif isinstance(before, list) and isinstance(after, list):
        first, last = _alike(before, after)
        old, new = before[first : len(before) - last], after[first : len(after) - last]
        for index in range(max(len(old), len(new))):
            was, now = (each[index] if index < len(each) else None for each in (old, new))
            yield from differences(was, now, f"{path}.{first + index + 1}")
    elif before != after:
        yield path, before, after


def _alike(before: list[Any], after: list[Any]) -> tuple[int, int]:
    """How many entries two lists share at their beginning, and how many more at their end."""
    shorter = min(len(before), len(after))
    first = next((at for at in range(shorter) if before[at] != after[at]), shorter)
    ends = range(shorter - first)
    last = next((at for at in ends if before[-1 - at] != after[-1 - at]), shorter - first)
    return first, last
