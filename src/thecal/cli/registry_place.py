"""Which registry a command speaks of, with which key, and who is at the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from thecal.registry.store import Store

DEFAULT: Final = "registry.sqlite"
"""In the folder where one works: a file of patients is where it is seen, copied and deleted."""

Where = Annotated[
    str,
    typer.Option(
        "--registry",
        metavar="PATH|URL",
        envvar="THECAL_REGISTRY",
        show_envvar=False,
        help="An SQLite file, or postgresql://user@host/database. Also by THECAL_REGISTRY.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        metavar="FILE",
        envvar="THECAL_REGISTRY_KEY_FILE",
        show_envvar=False,
        help="The registry's key, where it has one. Also by THECAL_REGISTRY_KEY_FILE.",
    ),
]
Who = Annotated[
    str | None,
    typer.Option(
        "--who",
        metavar="NAME",
        envvar="THECAL_WHO",
        show_envvar=False,
        help="Who makes the change, for the audit. Also by THECAL_WHO; else the name of the login.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Pseudonym = Annotated[str, typer.Argument(metavar="PSEUDONYM", help="The case.")]


def opened(where: str, key: Path | None) -> Store:
    """The registry that is meant."""
    from thecal.registry.store import open_store

    return open_store(where, key)


def who_is_it(who: str | None) -> str:
    """Whom the audit names."""
    import getpass

    from thecal.errors import InputError

    if who:
        return who
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise InputError("Say who makes the change: --who NAME") from error
