"""Making a registry, and opening one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, insert, inspect

from thecal.errors import InputError
from thecal.registry.store.engine import Place, connect, plain_errors, reading, writing
from thecal.registry.store.letters import letter_box
from thecal.registry.store.migrate import check_revision, migrate, revision_of
from thecal.registry.store.rekey import ENCRYPTED, registry_place
from thecal.registry.store.seal import Key, read_key
from thecal.registry.store.store import Store
from thecal.registry.store.tables import registry


def init_store(where: str | Path, key: Path | Key | None = None) -> Store:
    """Make an empty registry in a file or a PostgreSQL database, and open it.

    Parameters
    ----------
    where : path or str
        A file that is not there yet, or ``postgresql://user@host/database``.
    key : Path or Key, optional
        Names, births, free text, UIDs, attached reports and date shifts are encrypted with it. Without one
        names and births are not kept at all. A registry keeps its choice; a key can be changed for another
        (`Store.rekey`).

    Raises
    ------
    InputError
        Where there is a registry already, or none can be made.
    """
    place, secret = Place(where), _key(key)
    existed = place.path is None or place.path.exists()
    engine = connect(place)
    try:
        with plain_errors(place):
            if place.path is not None:
                _write_ahead(engine)
            with writing(engine, place) as connection:
                if revision_of(connection) is not None:
                    raise InputError(f"{place} is a registry already")
                if set(inspect(connection).get_table_names()) - {"alembic_version"}:
                    raise InputError(f"{place} holds another program's tables: name a place of its own")
                migrate(connection)
                connection.execute(insert(registry).values(_first_row(secret)))
    except BaseException:
        engine.dispose()
        if not existed and place.path is not None:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{place.path}{suffix}").unlink(missing_ok=True)
        raise
    return Store(place, engine, secret)


def open_store(where: str | Path, key: Path | Key | None = None) -> Store:
    """Open a registry.

    Parameters
    ----------
    where : path or str
        Its file, or ``postgresql://user@host/database``.
    key : Path or Key, optional
        The registry's key. Without it a registry that has one can be read, but for what is encrypted, and
        with every case's dates shifted; only consent can be taken back.

    Raises
    ------
    InputError
        Where there is no registry, it is of another version, or the key is not its own.
    """
    place, secret = Place(where), _key(key)
    if place.path is not None and not place.path.is_file():
        raise InputError(f"There is no registry {place}: thecal registry init makes one")
    engine = connect(place)
    try:
        with reading(engine, place) as connection:
            check_revision(connection, place)
        return Store(place, engine, secret)
    except BaseException:
        engine.dispose()
        raise


def _first_row(key: Key | None) -> dict[str, Any]:
    """Which registry this is; with a key the time of its making is encrypted, as those of the audit are."""
    uuid, now = str(uuid4()), datetime.now(UTC).isoformat(timespec="seconds")
    if key is None:
        return {"id": 1, "uuid": uuid, "created": now}
    sealed = key.seal({"created": now}, registry_place(uuid))
    return {
        "id": 1,
        "uuid": uuid,
        "created": ENCRYPTED,
        "key_id": key.id,
        "box": letter_box(key),
        "sealed": sealed,
    }


def _key(key: Path | Key | None) -> Key | None:
    return read_key(key) if isinstance(key, Path) else key


def _write_ahead(engine: Engine) -> None:
    """Turn on the write-ahead log; a file keeps it."""
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA journal_mode=WAL")
