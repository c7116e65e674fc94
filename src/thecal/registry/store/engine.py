"""Opening the database, and saying in one sentence what it could not do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from thecal.errors import InputError
from thecal.extras import load_extra
from thecal.registry.store.said import damaged, plain_sentence

BUSY_MS: Final = 10_000
"""How long a writer waits for another one before it gives up, milliseconds."""
WRITER_LOCK: Final = 0x7468_6563
"""PostgreSQL's advisory lock of those who write to a registry ("thec")."""


class Place:
    """Where a registry is: a file, or a PostgreSQL database by URL. ``str`` of it holds no password."""

    def __init__(self, where: str | Path) -> None:
        self.path: Path | None = None
        text = str(where)
        if isinstance(where, Path) or "://" not in text:
            self.path = Path(where)
            self.url = URL.create("sqlite", database=str(self.path))
            return
        try:
            self.url = make_url(text)
        except ArgumentError as error:
            raise InputError("The registry's URL cannot be read: postgresql://host/database") from error
        if self.url.drivername.startswith("sqlite"):
            if self.url.database in (None, "", ":memory:"):
                raise InputError("A registry is kept in a file, not in memory")
            self.path = Path(str(self.url.database))
        elif self.url.drivername.startswith("postgresql"):
            load_extra("psycopg", "postgres")
            self.url = self.url.set(drivername="postgresql+psycopg")
        else:
            raise InputError(
                "A registry is kept in SQLite or PostgreSQL: a file, or postgresql://host/database"
            )

    def __str__(self) -> str:
        return str(self.path) if self.path else self.url.render_as_string(hide_password=True)


def connect(place: Place) -> Engine:
    """An engine whose transactions are real ones, and on SQLite checked and durable.

    SQLite: write-ahead log, foreign keys on, ``synchronous=FULL`` so that a commit that was
    promised is on the disk, and what is deleted is overwritten. PostgreSQL's own settings do the same.
    """
    if place.path is not None:
        engine = create_engine(place.url)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(
            place.url, isolation_level="REPEATABLE READ", connect_args={"connect_timeout": 10}
        )
    return engine


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout={BUSY_MS}",
        "foreign_keys=ON",
        "synchronous=FULL",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("thecal_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def reading(engine: Engine, place: Place) -> Iterator[Connection]:
    """A connection that sees one state of the registry throughout."""
    with plain_errors(place), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine, place: Place) -> Iterator[Connection]:
    """A transaction of the one who writes: all of it is kept when the block ends well, else nothing."""
    with plain_errors(place):
        if engine.dialect.name == "sqlite":
            with engine.connect().execution_options(thecal_writes=True) as connection, connection.begin():
                yield connection
            return
        # After the lock the state must be the one that the last writer left, not an earlier one.
        fresh = engine.connect().execution_options(isolation_level="READ COMMITTED")
        with fresh as connection, connection.begin():
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {BUSY_MS}")
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")
            yield connection


def truncate_log(engine: Engine, place: Place) -> bool:
    """Empty SQLite's write-ahead log, in which what was overwritten still stands; whether it is empty.

    It cannot be while another program reads the registry.
    """
    if place.path is None:
        return True
    with plain_errors(place), engine.connect() as connection:
        busy, _, _ = connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


@contextmanager
def plain_errors(place: Place) -> Iterator[None]:
    """What a database says, as one sentence that holds no values of a patient."""
    try:
        yield
    except DBAPIError as error:
        original: Any = error.orig
        sentence = plain_sentence(original, place)
        if sentence is not None:
            raise InputError(sentence) from error
        kind = type(original).__name__
        if place.path is None and kind in ("OperationalError", "ConnectionTimeout"):
            raise InputError(f"The registry {place} cannot be reached: {_short(original)}") from error
        if kind in ("IntegrityError", "ProgrammingError") or place.path is None:
            raise
        raise InputError(damaged(place)) from error
    except (UnicodeDecodeError, SQLAlchemyError) as error:
        raise InputError(damaged(place)) from error


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def has_table(connection: Connection, name: str) -> bool:
    """Whether the database has such a table."""
    return bool(inspect(connection).has_table(name))
