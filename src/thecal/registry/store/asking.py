"""Plain questions to a registry: statements that SQLite and PostgreSQL both know, and rows.

A list and the statistics ask a few of them and change nothing. A registry in a file is then read by Python's
own ``sqlite3``: loading SQLAlchemy takes longer than all their answers. PostgreSQL is asked the same
statements through the `Store`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from thecal.errors import InputError
from thecal.registry.store.revision import refuse_other
from thecal.registry.store.said import damaged, plain_sentence

WAIT_S: Final = 10.0
"""How long a question waits while another program locks the file; a writer does not, only mending does."""


@dataclass(frozen=True)
class Asking:
    """A connection of a driver within one transaction, so that all answers are of one moment."""

    connection: Any
    sqlite: bool

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, whose ``?`` stand for the values."""
        cursor = self.connection.cursor()
        try:
            if self.sqlite:
                cursor.execute(statement, tuple(values))
            else:
                cursor.execute(statement.replace("?", "%s"), tuple(values) or None)
            return [tuple(row) for row in cursor.fetchall()] if not self.sqlite else cursor.fetchall()
        finally:
            cursor.close()


class Askable(Protocol):
    """What can be asked: a registry in a file, or an open `Store`."""

    def asking(self) -> AbstractContextManager[Asking]:
        """Questions about one moment of the registry."""
        ...


@dataclass(frozen=True)
class RegistryFile:
    """A registry in a file, read only."""

    path: Path

    @contextmanager
    def asking(self) -> Iterator[Asking]:
        """Questions about one moment of the registry.

        Raises
        ------
        InputError
            Where the file cannot be read, or is damaged.
        """
        try:
            # A file that is not there is not made.
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=WAIT_S)
            try:
                connection.execute("BEGIN")
                yield Asking(connection, sqlite=True)
            finally:
                connection.close()
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise
        except sqlite3.Error as error:
            raise InputError(plain_sentence(error, self.path) or damaged(self.path)) from error

    def key_id(self) -> str | None:
        """Which key the registry has, None for none.

        Raises
        ------
        InputError
            Where this is no registry, or one of another version.
        """
        with self.asking() as ask:
            tables = {name for (name,) in ask.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
            revision = None
            if {"alembic_version", "registry"} <= tables:
                [revision] = [row[0] for row in ask.rows("SELECT version_num FROM alembic_version")] or [None]
            refuse_other(revision, self.path)
            found = ask.rows("SELECT key_id FROM registry")
        if len(found) != 1:
            raise InputError(damaged(self.path))
        key_id: str | None = found[0][0]
        return key_id


@contextmanager
def asked(where: str | Path, key: Path | None = None) -> Iterator[Askable]:
    """A registry to ask.

    Parameters
    ----------
    where : path or str
        Its file, or ``postgresql://user@host/database``.
    key : Path, optional
        The registry's key, which no answer needs: another one is refused.

    Raises
    ------
    InputError
        As `thecal.registry.store.open_store`.
    """
    if not isinstance(where, Path) and "://" in where:
        from thecal.registry.store import open_store

        with open_store(where, key) as store:
            yield store
        return
    file = RegistryFile(Path(where))
    if not file.path.is_file():
        raise InputError(f"There is no registry {where}: thecal registry init makes one")
    has = file.key_id()
    if key is not None:
        from thecal.registry.store.seal import read_key, refuse_other_key

        refuse_other_key(read_key(key), has, file.path)
    yield file
