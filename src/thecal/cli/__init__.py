"""The command line: one module a command, each loaded only when it is called."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import typer

# Command: where it lives, and its line in ``thecal --help``.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "assess": ("thecal.cli.assess:assess", "Say where the cement went on one CT."),
    "compare": ("thecal.cli.compare:compare", "Compare two CTs of one patient."),
    "plan": ("thecal.cli.plan:plan", "Plan the puncture of a vertebra, or audit one."),
    "watch": ("thecal.cli.watch:watch", "Watch the injection of cement on fluoroscopy."),
    "replay": ("thecal.cli.replay:replay", "Run a recording of thecal watch again, and compare."),
    "clock": ("thecal.cli.clock:clock", "Say how stiff a bone cement is expected to be by now."),
    "literature": ("thecal.cli.literature:app", "List, export and pool what is published on leaks."),
    "similar": ("thecal.cli.similar:similar", "Find cases like an assessment or a case."),
    "info": ("thecal.cli.info:info", "List the CT series of an input."),
    "anatomies": ("thecal.cli.anatomies:anatomies", "List the anatomy backends and whether each can run."),
    "pull": ("thecal.cli.pull:pull", "Fetch a study from an archive."),
    "push": ("thecal.cli.push:push", "Put results into an archive."),
    "listen": ("thecal.cli.listen:listen", "Assess CT studies that are sent here."),
    "deidentify": ("thecal.cli.deidentify:deidentify", "Take the patient out of CT images."),
    "demo": ("thecal.cli.demo:demo", "Assess a phantom of the founding paper's patient."),
    "registry": ("thecal.cli.registry:app", "Keep cases: what was done, what leaked, what became of her."),
    "phantom": ("thecal.cli.phantom:app", "Make synthetic patients with known truth."),
    "schema": ("thecal.cli.schema:schema", "Print the JSON Schema of report.json."),
}

EXIT_OK: Final = 0
EXIT_DEFECT: Final = 1
EXIT_INPUT: Final = 2
EXIT_NO_SPINE: Final = 3
EXIT_DIFFERENT: Final = 4
# 5 is registry_keep's.
EXIT_NOTHING_TOLD: Final = 6
EXIT_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status.

    0 done; 1 a defect in thecal; 2 the command line or the input cannot be used; 3 no spine was found;
    4 a replay was not the same; 5 a registry is damaged; 6 a watch was never other than lost.
    """
    raise SystemExit(run(list(sys.argv[1:] if arguments is None else arguments)))


def run(arguments: list[str]) -> int:
    """Run one command line; the exit status."""
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"] or ["--help"]
    try:
        wanted = next((word for word in words if not word.startswith("-")), None)
        status = _app(wanted)(args=words, prog_name="thecal", standalone_mode=False)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as error:
        if debug:
            raise
        return _told(error)
    return status if isinstance(status, int) else EXIT_OK


def _told(error: Exception) -> int:
    """Say on stderr, in one sentence, what went wrong; the exit status for it."""
    from thecal.errors import InputError, SpineNotFound

    if isinstance(error, typer.Abort):
        return EXIT_INTERRUPTED
    if isinstance(error, InputError | SpineNotFound):
        typer.echo(f"{str(error).rstrip('.')}.", err=True)
        return EXIT_NO_SPINE if isinstance(error, SpineNotFound) else EXIT_INPUT
    if hasattr(error, "format_message"):  # typer's own: an unknown option, a missing argument
        typer.echo(f"{error.format_message()} (see thecal --help)", err=True)
        return EXIT_INPUT
    typer.echo(
        f"A defect in thecal stopped it ({type(error).__name__}); run again with --debug to see where.",
        err=True,
    )
    return EXIT_DEFECT


def _app(wanted: str | None) -> typer.Typer:
    """The command line with only the wanted command loaded; the others are known by their help line."""
    app = typer.Typer(
        name="thecal",
        help="Follow bone cement on CT after vertebroplasty. Research use only.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_thecal)
    for name, (where, line) in COMMANDS.items():
        if name != wanted:
            app.command(name, help=line)(_not_loaded)
            continue
        module, attribute = where.split(":")
        loaded: Any = getattr(import_module(module), attribute)
        if isinstance(loaded, typer.Typer):
            app.add_typer(loaded, name=name, help=line)
        else:
            app.command(name)(loaded)
    return app


def _not_loaded() -> None:
    """Stand for a command that was not called."""


def _show_version(wanted: bool) -> None:
    if wanted:
        from thecal import __version__

        typer.echo(f"thecal {__version__}")
        raise typer.Exit


def _thecal(
    version: bool = typer.Option(
        False, "--version", help="Print the version.", is_eager=True, callback=_show_version
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Follow bone cement on CT after vertebroplasty. Research use only."""
