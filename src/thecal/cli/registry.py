"""``thecal registry``: cases kept for years, every change written down."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from thecal.cli.registry_add import add, outcome
from thecal.cli.registry_edit import edit, event, remove, revision
from thecal.cli.registry_exchange import export, import_, stats
from thecal.cli.registry_keep import backup, check, key, restore
from thecal.cli.registry_place import DEFAULT, Json, KeyFile, Pseudonym, Where, Who, opened, who_is_it
from thecal.cli.registry_show import list_, show, strength

app = typer.Typer(
    name="registry",
    help="Keep cases: what was done, what leaked, what became of her. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def private(context: typer.Context) -> None:
    """Keep cases: what was done, what leaked, what became of her. Research use only."""
    # Registries, backups and exports are for their owner's eyes.
    before = os.umask(0o077)
    context.call_on_close(lambda: os.umask(before))


@app.command()
def init(
    registry: Where = DEFAULT,
    key: KeyFile = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="Bring a registry of an older thecal up to date.")
    ] = False,
    backup: Annotated[
        Path | None, typer.Option("--backup", metavar="FILE", help="With --upgrade: where the backup goes.")
    ] = None,
    who: Who = None,
) -> int:
    """Make an empty registry, or with --upgrade bring an older one up to date after a backup.

    With a key names, dates of birth, free text, the images' UIDs and attached reports are kept, encrypted;
    without one names and births are refused, and the rest stands there as it is. That is settled here: a
    registry cannot get its first key later.
    """
    if upgrade:
        from thecal.registry.store.upgrade import upgrade as bring_up

        made = bring_up(registry, backup, key=key, who=who_is_it(who))
        typer.echo(f"The registry is up to date. As it was before: {made}" if made else "It is up to date.")
        if made and key:
            typer.echo(
                "What is encrypted now stands there in clear: keep it as you keep the key, or delete it."
            )
        return 0
    from thecal.registry.store import init_store
    from thecal.terms import RESEARCH_USE

    with init_store(registry, key) as store:
        typer.echo(f"Registry: {store.place}")
    typer.echo(
        "Names, dates of birth, free text, the images' UIDs and attached reports are kept encrypted, and all "
        "dates shifted; the key alone opens them."
        if key
        else "Nothing identifying is kept. Dates of procedures and follow-ups are kept as they are, and free "
        "text must not identify anybody."
    )
    typer.echo(RESEARCH_USE)
    return 0


app.command()(add)
app.command()(show)
app.command("list")(list_)
app.command()(outcome)
app.command()(revision)
app.command()(event)
app.command()(edit)
app.command()(remove)
app.command()(strength)


@app.command()
def attach(
    pseudonym: Pseudonym,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that thecal assess wrote.")],
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
    as_json: Json = False,
) -> int:
    """Keep an assessment with a case: its report.json, and what it says of leaks, signs and the dura."""
    from thecal.registry.attach import attach as keep

    with opened(registry, key) as store:
        case = keep(store, pseudonym, folder, who=who_is_it(who))
    sha256 = case.imaging[-1].report_sha256
    found = [leak for leak in case.leaks if leak.report_sha256 == sha256]
    if as_json:
        typer.echo(json.dumps({"report_sha256": sha256, "leaks": [leak.model_dump() for leak in found]}))
        return 0
    typer.echo(f"Attached to case {pseudonym}: report {str(sha256)[:12]}, {len(found)} leaks")
    for leak in found:
        verdict = f", inside the dura: {leak.intradural.replace('_', ' ')}" if leak.intradural else ""
        volume = "" if leak.volume_ml is None else f", {leak.volume_ml:.2f} mL"
        typer.echo(
            f"  {leak.compartment.replace('_', ' ')} at {leak.level or 'an unknown level'}{volume}{verdict}"
        )
    return 0


@app.command()
def withdraw(
    pseudonym: Pseudonym,
    registry: Where = DEFAULT,
    who: Who = None,
    erase: Annotated[
        bool, typer.Option("--erase", help="Take away what it held, too; that there was a case stays.")
    ] = False,
) -> int:
    """Take a case out of lists, statistics and exports, because consent was withdrawn.

    Needs no key. There is no way back with --erase; backups made before still hold the case. While another
    program reads the registry, what was erased may still stand in its log: the exit status is then 2.
    """
    from thecal.errors import InputError

    with opened(registry, None) as store:
        gone = store.withdraw(pseudonym, who=who_is_it(who), erase=erase)
        place = store.place
    typer.echo(f"Case {pseudonym} was {'erased' if erase else 'withdrawn'}.")
    if erase:
        typer.echo("Backups made before still hold it: delete them, or make them anew.")
    if not gone:
        raise InputError(
            f"Another program is reading the registry, so what case {pseudonym} held may still stand in its "
            f"log {place}-wal: end that program, and give this command again"
        )
    return 0


app.command("import")(import_)
app.command()(export)
app.command()(stats)
app.command()(backup)
app.command()(restore)
app.command()(check)
app.command()(key)
