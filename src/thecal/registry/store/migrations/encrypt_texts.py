"""What revision r0003 does to a registry that has a key, and how it is undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from thecal.errors import InputError
from thecal.registry.store.audit import (
    chained,
    content_hash,
    new_blind,
    start_of_made,
    texts_place,
    time_hash,
    time_place,
)
from thecal.registry.store.letters import is_letter, letter_box, read_letter
from thecal.registry.store.noted_texts import set_texts, text_digest, texts_of
from thecal.registry.store.rekey import ENCRYPTED, registry_place
from thecal.registry.store.seal import Key

PARTS: Final = {
    "procedures": ("procedures", ("notes",)),
    "imaging": ("imaging", ("study_uid", "series_uid")),
    "deficit": ("deficits", ("description",)),
    "revisions": ("revisions", ("monitoring_events", "notes")),
    "events": ("events", ("notes",)),
}
"""The table and columns of each part of a case that hold texts, as they are at this revision."""
CHUNK: Final = 500
Row = dict[str, Any]


def encrypt(connection: Connection, key: Key | None, who: str | None) -> None:
    """Encrypt texts, reports and times, and chain the audit anew.

    Raises
    ------
    InputError
        Where the key is not there, or the audit is damaged: what was changed would else be chained anew.
    """
    uuid, created, key = _opened(connection, key)
    kept = _texts_in_tables(connection)
    for row in _rows(connection, "cases"):
        if row["sealed"] is None:
            continue
        place = f"{uuid}/{row['pseudonym']}"
        content = key.open(bytes(row["sealed"]), place) | {"texts": kept.pop(row["id"], {})}
        _set(connection, "cases", row["id"], sealed=key.seal(content, place))
    for table, columns in PARTS.values():
        connection.execute(text(f"UPDATE {table} SET {', '.join(f'{name} = NULL' for name in columns)}"))
    _reports(connection, uuid, key.seal_bytes)
    drafts = connection.execute(text("SELECT pseudonym FROM drafts ORDER BY at, pseudonym DESC")).scalars()
    for order, pseudonym in enumerate(drafts.all(), 1):
        at = {"at": f"{order:012d}", "pseudonym": pseudonym}
        connection.execute(text("UPDATE drafts SET at = :at WHERE pseudonym = :pseudonym"), at)

    def hide(row: Row) -> dict[str, Any]:
        blind = new_blind()
        quoted = {when: json.loads(row[when]) if row[when] else None for when in ("before", "after")}
        said = {when: texts_of(case) if case else None for when, case in quoted.items()}
        for when, case in quoted.items():
            if case:
                digests = {at: text_digest(blind, at, each) for at, each in (said[when] or {}).items()}
                set_texts(case, digests)
        return {
            "at": time_hash(blind, row["at"]),
            "before": _dumped(row["before"], quoted["before"], said["before"]),
            "after": _dumped(row["after"], quoted["after"], said["after"]),
            "time": lambda new: key.seal({"at": row["at"], "blind": blind}, f"{uuid}/{time_place(new)}"),
            "texts": lambda new: (
                key.seal({"texts": [said["before"], said["after"]]}, f"{uuid}/{texts_place(new)}")
                if said["before"] or said["after"]
                else None
            ),
        }

    last, ended = _chain_anew(connection, start_of_made(uuid, created), start_of_made(uuid, ENCRYPTED), hide)
    _note(connection, key, uuid, who or "thecal", *last, ended)
    sealed = key.seal({"created": created}, registry_place(uuid))
    connection.execute(
        text("UPDATE registry SET created = :made, box = :box, sealed = :sealed"),
        {"made": ENCRYPTED, "box": letter_box(key), "sealed": sealed},
    )


def decrypt(connection: Connection, key: Key | None) -> None:
    """Put everything back as the revision before kept it; the row that speaks of the change stays."""
    uuid, _, key = _opened(connection, key)
    for row in _rows(connection, "cases"):
        if row["sealed"] is None:
            continue
        place = f"{uuid}/{row['pseudonym']}"
        content = key.open(bytes(row["sealed"]), place)
        for at, said in content.pop("texts").items():
            field, *index, name = at.split(".")
            where = {"case": row["id"], "position": int(index[0]) if index else 0, "said": said}
            table = PARTS[field][0]
            connection.execute(
                text(f"UPDATE {table} SET {name} = :said WHERE case_id = :case AND position = :position"),
                where,
            )
        _set(connection, "cases", row["id"], sealed=key.seal(content, place))
    _reports(connection, uuid, key.open_bytes)
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    connection.execute(text("UPDATE drafts SET at = :at"), {"at": moment})

    def opened(sealed: bytes, place: str) -> dict[str, Any]:
        at = f"{uuid}/{place}"
        return read_letter(key, sealed, at) if is_letter(sealed) else key.open(sealed, at)

    def show(row: Row) -> dict[str, Any]:
        said = opened(row["texts"], texts_place(row))["texts"] if row["texts"] else (None, None)
        shown: dict[str, Any] = {"at": opened(row["sealed"], time_place(row))["at"]}
        for when, texts in zip(("before", "after"), said, strict=True):
            case = json.loads(row[when]) if row[when] else None
            set_texts(case or {}, texts or {})
            shown[when] = _dumped(row[when], case, texts)
        return shown | {"time": lambda _: None, "texts": lambda _: None}

    made = connection.execute(text("SELECT sealed FROM registry")).scalar_one()
    created = key.open(bytes(made), registry_place(uuid))["created"]
    _chain_anew(connection, start_of_made(uuid, ENCRYPTED), start_of_made(uuid, created), show)
    connection.execute(text("UPDATE registry SET created = :made"), {"made": created})


def _opened(connection: Connection, key: Key | None) -> tuple[str, str, Key]:
    row = connection.execute(text("SELECT uuid, created, key_id FROM registry")).one()
    if key is None:
        raise InputError(
            "The registry is kept with a key, with which its texts are encrypted: give --key FILE"
        )
    if key.id != row.key_id:
        raise InputError("This is not the key of the registry")
    return row.uuid, row.created, key


def _texts_in_tables(connection: Connection) -> dict[int, dict[str, str]]:
    """The texts of each case by its number."""
    found: dict[int, dict[str, str]] = {}
    for field, (table, columns) in PARTS.items():
        names = ", ".join(columns)
        some = " OR ".join(f"{name} IS NOT NULL" for name in columns)
        for row in connection.execute(text(f"SELECT case_id, position, {names} FROM {table} WHERE {some}")):
            place = field if field == "deficit" else f"{field}.{row.position}"
            for name in columns:
                if (said := row._mapping[name]) is not None:
                    found.setdefault(row.case_id, {})[f"{place}.{name}"] = said
    return found


def _reports(connection: Connection, uuid: str, change: Callable[[bytes, str], bytes]) -> None:
    """Encrypt or decrypt each attached report, one at a time: they are large."""
    held = "SELECT case_id, sha256, pseudonym FROM report_files JOIN cases ON cases.id = case_id"
    for row in connection.execute(text(held)).all():
        this = {"case": row.case_id, "sha256": row.sha256}
        where = "WHERE case_id = :case AND sha256 = :sha256"
        content = connection.execute(text(f"SELECT content FROM report_files {where}"), this).scalar_one()
        changed = change(bytes(content), f"{uuid}/report/{row.sha256}/{row.pseudonym}")
        connection.execute(
            text(f"UPDATE report_files SET content = :changed {where}"), this | {"changed": changed}
        )


def _chain_anew(
    connection: Connection, previous: str, first: str, change: Callable[[Row], dict[str, Any]]
) -> tuple[tuple[int, str], str]:
    """Change each row of the audit and its content, and hash all anew.

    Returns the number and hash of the last row, and the hash with which the chain ended before.
    """
    number, chain = 0, first
    for row in _rows(connection, "audit"):
        number = row["id"]
        if row["hash"] != chained(previous, row):
            raise InputError(f"Row {number} of the audit was changed: restore a backup, then upgrade it")
        previous = row["hash"]
        held = (
            connection.execute(
                text("SELECT salt, before, after, sealed FROM audit_content WHERE id = :id"), {"id": number}
            )
            .mappings()
            .first()
        )
        content: Row = dict(held or dict.fromkeys(("salt", "before", "after", "sealed")))
        for when in ("before", "after"):
            said = content[when]
            if said is not None and row[f"{when}_sha256"] != content_hash(content["salt"], said):
                raise InputError(
                    f"The content of row {number} of the audit was changed: restore a backup, then upgrade it"
                )
        new = change(row | content | {"sealed": row["sealed"], "texts": content["sealed"]})
        made = row | {"at": new["at"]}
        for when in ("before", "after"):
            if new[when] is not None:  # else it was erased, or there never was one
                made[f"{when}_sha256"] = content_hash(content["salt"], new[when])
        chain = made["hash"] = chained(chain, made)
        made["sealed"] = new["time"](made)
        _set(connection, "audit", number, **{name: made[name] for name in CHANGED})
        if held:
            texts = new["texts"](made)
            _set(connection, "audit_content", number, before=new["before"], after=new["after"], sealed=texts)
    return (number, chain), previous


CHANGED: Final = ("at", "before_sha256", "after_sha256", "hash", "sealed")


def _note(
    connection: Connection, key: Key, uuid: str, who: str, number: int, previous: str, ended: str
) -> None:
    """A row of the audit: it was chained anew, and ended so before."""
    at, blind, salt = datetime.now(UTC).isoformat(timespec="microseconds"), new_blind(), new_blind()
    content = json.dumps({"revision": "r0003", "chain_before": ended})
    row: dict[str, Any] = {
        "id": number + 1,
        "at": time_hash(blind, at),
        "who": who,
        "what": "upgrade",
        "pseudonym": None,
        "before_sha256": None,
        "after_sha256": content_hash(salt, content),
    }
    row["hash"] = chained(previous, row)
    row["sealed"] = key.seal({"at": at, "blind": blind}, f"{uuid}/{time_place(row)}")
    connection.execute(
        text(
            "INSERT INTO audit (id, at, who, what, pseudonym, before_sha256, after_sha256, hash, sealed) "
            "VALUES (:id, :at, :who, :what, :pseudonym, :before_sha256, :after_sha256, :hash, :sealed)"
        ),
        row,
    )
    connection.execute(
        text("INSERT INTO audit_content (id, salt, after) VALUES (:id, :salt, :after)"),
        {"id": row["id"], "salt": salt, "after": content},
    )


def _dumped(was: str | None, case: dict[str, Any] | None, texts: Mapping[str, str] | None) -> str | None:
    """A content written again where a text of it was changed."""
    return json.dumps(case, ensure_ascii=False, separators=(",", ":")) if texts else was


def _rows(connection: Connection, table: str) -> Iterator[Row]:
    """The rows of a table in order, some at a time, while they are changed."""
    last = -1
    while True:
        chosen = text(f"SELECT * FROM {table} WHERE id > :last ORDER BY id LIMIT {CHUNK}")
        found = connection.execute(chosen, {"last": last}).mappings().all()
        if not found:
            return
        last = found[-1]["id"]
        yield from map(dict, found)


def _set(connection: Connection, table: str, number: int, **values: Any) -> None:
    names = ", ".join(f"{name} = :{name}" for name in values)
    connection.execute(text(f"UPDATE {table} SET {names} WHERE id = :id"), values | {"id": number})
