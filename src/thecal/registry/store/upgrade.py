"""A registry of an older thecal, brought up to date: on purpose, and after a backup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select

from thecal.errors import InputError
from thecal.registry.store.backup import copy_of_file
from thecal.registry.store.engine import Place, connect, reading, truncate_log, writing
from thecal.registry.store.migrate import migrate, revision_of
from thecal.registry.store.revision import is_known
from thecal.registry.store.seal import Key, read_key
from thecal.registry.store.tables import HEAD, registry


def upgrade(
    where: str, backup: Path | None = None, *, key: Path | Key | None = None, who: str | None = None
) -> Path | None:
    """Migrate a registry to this program's revision; the backup from before, None if nothing was due.

    On SQLite the file is copied first, to ``backup`` or beside it. A PostgreSQL database of an older revision
    cannot be read by this program, so its own ``pg_dump`` must have been run: ``backup`` names that file.

    Parameters
    ----------
    key : Path or Key, optional
        Of a registry that has one, for what was not encrypted before; ``who`` is named in its audit.

    Raises
    ------
    InputError
        Where there is no registry, a newer program made it, its key was not given, its audit is damaged, or
        there is no backup.
    """
    place = Place(where)
    secret = read_key(key) if isinstance(key, Path) else key
    if place.path is not None and not place.path.is_file():
        raise InputError(f"There is no registry {place}: thecal registry init makes one")
    engine = connect(place)
    try:
        with reading(engine, place) as connection:
            found = revision_of(connection)
            key_id = connection.execute(select(registry.c.key_id)).scalar() if found else None
        if found is None:
            raise InputError(f"{place} holds no registry: thecal registry init makes one")
        if found == HEAD:
            return None
        if not is_known(found):
            raise InputError(f"A newer thecal made the registry {place}: it needs that version")
        if key_id is not None and secret is None:
            raise InputError(f"The registry {place} is kept with a key: give it with --key FILE")
        if secret is not None and secret.id != key_id:
            raise InputError(f"This is not the key of the registry {place}")
        if place.path is None:
            if backup is None or not backup.is_file():
                raise InputError("Make a backup with pg_dump first, and name it with --backup FILE")
            kept = backup
        else:
            stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
            kept = backup or place.path.with_name(f"{place.path.name}.before-upgrade-{stamp}")
            copy_of_file(place.path, kept, place)
        with writing(engine, place) as connection:
            migrate(connection, key=secret, who=who)
        if secret is not None and not truncate_log(engine, place):
            raise InputError(
                f"The registry {place} is up to date, its copy from before is {kept}; but another program is "
                f"reading it, so what is encrypted now may still stand in clear in its log {place}-wal: end "
                "that program, then thecal registry check"
            )
        return kept
    finally:
        engine.dispose()
