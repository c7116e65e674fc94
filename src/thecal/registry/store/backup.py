"""A backup of a registry, and a registry from a backup: the same cases, reports and audit, by one hash.

A backup is an SQLite registry in one file, whatever it was made of; encrypted things stay encrypted.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, insert, select

from thecal.errors import InputError
from thecal.registry.store.engine import Place
from thecal.registry.store.hashes import content_hash
from thecal.registry.store.migrate import migrate
from thecal.registry.store.tables import metadata, registry

if TYPE_CHECKING:
    from thecal.registry.store.seal import Key
    from thecal.registry.store.store import Store

ROWS: Final = 1000
"""Rows that are copied at a time."""


def back_up(store: Store, to: Path) -> str:
    """Write the registry into one new file, while others may go on working; its content's hash.

    Raises
    ------
    InputError
        Where the file is there already, cannot be written, or does not hold the same when it is read again.
    """
    from thecal.registry.store.opening import init_store, open_store

    with _new_file(to) as made:
        if store.place.path is not None:
            _copy_file(store.place.path, made, store.place)
        else:
            with init_store(made) as copy:
                _copy_rows(store, copy)
        with open_store(made) as copy:
            kept = content_hash(copy)
    return kept


def restore(backup: Path, to: str | Path, key: Path | Key | None = None) -> str:
    """Make a registry of a backup, in a file that is not there or an empty PostgreSQL database; its hash.

    With ``key`` what is encrypted of the backup is looked into first.

    Raises
    ------
    InputError
        Where the backup is damaged, there is a registry already, or what was made does not hold the same.
    """
    from thecal.registry.store.check import problems
    from thecal.registry.store.opening import init_store, open_store

    place = Place(to)
    with open_store(backup, key) as kept:
        found = problems(kept)
        if found:
            raise InputError(f"The backup {backup} is damaged: {found[0]}")
        expected = content_hash(kept)
        if place.path is not None:
            with _new_file(place.path) as made:
                _copy_file(backup, made, kept.place)
                with open_store(made) as copy:
                    same = content_hash(copy)
        else:
            with init_store(to) as copy:
                try:
                    _copy_rows(kept, copy)
                except BaseException:
                    with copy.writing() as connection:
                        migrate(connection, "base")
                    raise
                same = content_hash(copy)
    if same != expected:
        raise InputError(f"{place} does not hold what the backup {backup} holds")
    return same


def copy_of_file(source: Path, to: Path, place: Place) -> None:
    """A copy of an SQLite registry of any revision in a new file.

    Raises
    ------
    InputError
        Where the file is there already, or cannot be written.
    """
    with _new_file(to) as made:
        _copy_file(source, made, place)


def _copy_file(source: Path, to: Path, place: Place) -> None:
    """SQLite's own online backup: one state of the source, also while it is written to."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as there,
            closing(sqlite3.connect(to)) as here,
        ):
            here.execute("PRAGMA synchronous=FULL")
            there.backup(here)
    except sqlite3.Error as error:
        raise InputError(f"The registry {place} could not be copied: {error}") from error


def _copy_rows(source: Store, to: Store) -> None:
    """Every row of every table, in an order in which foreign keys hold."""
    with source.reading() as there, to.writing() as here:
        here.execute(delete(registry))
        for table in metadata.sorted_tables:
            rows = there.execute(select(table).execution_options(yield_per=ROWS)).mappings()
            for part in rows.partitions(ROWS):
                here.execute(insert(table), [dict(row) for row in part])


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file beside ``path`` that takes its name when the block ends well, and else goes."""
    if path.exists():
        raise InputError(f"{path} is there already: nothing is written over it")
    try:
        folder = tempfile.TemporaryDirectory(prefix=".thecal-", dir=path.absolute().parent)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
    with folder as name:
        made = Path(name) / "registry.sqlite"
        yield made
        # The last one to close a registry takes its log into the file.
        if made.with_name(made.name + "-wal").exists():
            raise InputError(f"{path} could not be finished")
        try:
            os.replace(made, path)
            with suppress(OSError):
                _sync(path)
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _sync(path: Path) -> None:
    for each in (path, path.absolute().parent):
        opened = os.open(each, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
