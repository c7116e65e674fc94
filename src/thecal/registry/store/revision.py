"""Which revision of the tables this program reads and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from thecal.errors import InputError

SCRIPTS: Final = Path(__file__).parent / "migrations"


def refuse_other(found: str | None, where: object) -> None:
    """Refuse what this program cannot read and write; ``found`` is None where there is no registry.

    Raises
    ------
    InputError
        Where there is no registry, or an older or newer program made it.
    """
    if found is None:
        raise InputError(f"{where} holds no registry: thecal registry init makes one")
    if found == newest():
        return
    if is_known(found):
        raise InputError(
            f"An older thecal made the registry {where}: thecal registry init --upgrade brings it up to date"
        )
    raise InputError(f"A newer thecal made the registry {where}: it needs that version")


def is_known(revision: str) -> bool:
    """Whether this program has the migration that made such tables."""
    return revision in _revisions()


def newest() -> str:
    """The revision of the last migration, which is that of the tables (``HEAD``)."""
    return max(_revisions())


def _revisions() -> list[str]:
    return [path.name.split("_")[0] for path in (SCRIPTS / "versions").glob("r*.py")]
