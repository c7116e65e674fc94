"""``thecal registry backup``, ``restore``, ``check`` and ``key``: keeping the registry itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from thecal.cli.registry_place import DEFAULT, Json, KeyFile, Where, Who, opened, who_is_it

EXIT_DAMAGED: Final = 5


def backup(
    to: Annotated[Path, typer.Argument(metavar="TO", help="The file to make; it must not be there yet.")],
    registry: Where = DEFAULT,
) -> int:
    """Copy the registry into one file, while others may go on working in it.

    The copy is an SQLite registry, whatever it is made of, and is read again before it counts. The hash is of
    all that it holds: restore prints the same.
    """
    from thecal.cli.progress import stage_progress
    from thecal.registry.store.backup import back_up

    with opened(registry, None) as store, stage_progress(("copy",)) as begin:
        begin("copy")
        made = back_up(store, to)
    typer.echo(f"Backup: {to}\nHash of the content: {made}")
    return 0


def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="A file that backup made.")],
    registry: Where = DEFAULT,
    key: KeyFile = None,
) -> int:
    """Make a registry of a backup, in a new file or an empty PostgreSQL database. Nothing is written over.

    With --key what is encrypted in the backup is looked into first.
    """
    from thecal.cli.progress import stage_progress
    from thecal.registry.store.backup import restore as make

    with stage_progress(("restore",)) as begin:
        begin("restore")
        made = make(backup, registry, key)
    typer.echo(f"Registry made of {backup}\nHash of the content: {made}")
    return 0


def check(registry: Where = DEFAULT, key: KeyFile = None, as_json: Json = False) -> int:
    """Look for damage, and for changes that the audit does not know.

    Exit status 0: nothing was found; 5: something is wrong, each thing in a sentence; 2: it cannot be opened.
    """
    from thecal.cli.progress import stage_progress
    from thecal.registry.store.check import STAGES, problems
    from thecal.registry.store.hashes import content_hash

    with opened(registry, key) as store, stage_progress((*STAGES, "hash")) as begin:
        found = problems(store, begin)
        begin("hash")
        made = None if found else content_hash(store)
        unseen = store.keeper.key_id is not None and store.keeper.key is None
    if as_json:
        typer.echo(json.dumps({"problems": found, "hash": made, "encrypted_not_checked": unseen}, indent=2))
        return EXIT_DAMAGED if found else 0
    for sentence in found:
        typer.echo(f"{sentence}.")
    if unseen:
        typer.echo("What is encrypted was not looked into: give the key with --key FILE.")
    if found:
        typer.echo("Make a copy of the file before anything else; a backup can be restored beside it.")
        return EXIT_DAMAGED
    typer.echo(f"Nothing is wrong.\nHash of the content: {made}")
    return 0


def key(
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The file to make.")],
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Encrypt the registry, opened with --key, with the new one.")
    ] = False,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
) -> int:
    """Make a key in a new file that only you can read. Whoever loses it loses what is encrypted with it."""
    from thecal.errors import InputError
    from thecal.registry.store.seal import new_key

    if not rotate:
        new_key(new)
        typer.echo(f"Key: {new}\nKeep it apart from the registry and its backups, and keep a copy.")
        return 0
    with opened(registry, key) as store:
        if store.keeper.key is None:
            raise InputError("Only a registry that has a key, given with --key FILE, can get another one")
        many = store.rekey(new_key(new), who=who_is_it(who))
    typer.echo(f"Key: {new}. {many} cases are encrypted with it; the old key opens only earlier backups.")
    return 0
