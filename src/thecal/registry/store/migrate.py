"""Making the tables, and bringing older ones up to date: on purpose, and wholly or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from thecal.errors import InputError
from thecal.registry.store.engine import Place, has_table
from thecal.registry.store.tables import HEAD

if TYPE_CHECKING:
    from thecal.registry.store.seal import Key

SCRIPTS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None where the database holds no registry."""
    if not has_table(connection, "alembic_version") or not has_table(connection, "registry"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def migrate(
    connection: Connection, revision: str = "head", *, key: Key | None = None, who: str | None = None
) -> None:
    """Bring the tables to a revision, up or down, within the connection's transaction.

    Past r0003 a registry that has a key needs it; ``who`` is named in its audit.
    """
    from alembic import command

    config = configuration(connection)
    config.attributes |= {"key": key, "who": who}
    now = revision_of(connection)
    if now is not None and revision != "head" and revision < now:
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)


def configuration(connection: Connection) -> Any:
    """Alembic's settings: the scripts are found in the package, whatever the folder of the user is."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def check_revision(connection: Connection, place: Place) -> None:
    """Refuse what this program cannot read and write.

    Raises
    ------
    InputError
        Where there is no registry, or an older or newer program made it.
    """
    found = revision_of(connection)
    if found is None:
        raise InputError(f"{place} holds no registry: thecal registry init makes one")
    if found == HEAD:
        return
    if is_known(found):
        raise InputError(
            f"An older thecal made the registry {place}: thecal registry init --upgrade brings it up to date"
        )
    raise InputError(f"A newer thecal made the registry {place}: it needs that version")


def is_known(revision: str) -> bool:
    """Whether this program has the migration that made such tables."""
    return any(path.name.startswith(f"{revision}_") for path in (SCRIPTS / "versions").glob("r*.py"))
