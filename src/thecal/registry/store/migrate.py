"""Making the tables, and bringing older ones up to date: on purpose, and wholly or not at all."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, text

from thecal.registry.store.engine import Place, has_table
from thecal.registry.store.revision import SCRIPTS, refuse_other


def revision_of(connection: Connection) -> str | None:
    """The revision of the tables; None where the database holds no registry."""
    if not has_table(connection, "alembic_version") or not has_table(connection, "registry"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, up or down, within the connection's transaction."""
    from alembic import command

    config = configuration(connection)
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
    refuse_other(revision_of(connection), place)
