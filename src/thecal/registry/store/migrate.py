"""Making the tables, and bringing older ones up to date: on purpose, and wholly or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, text

from thecal.registry.store.engine import Place, has_table
from thecal.registry.store.revision import SCRIPTS, refuse_other

if TYPE_CHECKING:
    from thecal.registry.store.seal import Key


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
    refuse_other(revision_of(connection), place)
