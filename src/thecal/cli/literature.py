"""``thecal literature``: the published cases and studies, with their sources and their conflicts."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thecal.registry.literature.library import Incidence, PublishedCase

app = typer.Typer(
    name="literature",
    help="List, export and pool what is published on leaks. Research use only.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


class Sex(Enum):
    """Of the patient."""

    F = "F"
    M = "M"


class Tag(Enum):
    """How certain a value is."""

    R = "R"
    R2 = "R2"
    S = "S"
    D = "D"
    M = "M"


class Operation(Enum):
    """What was done to take the cement out."""

    LAMINECTOMY = "laminectomy"
    DUROTOMY = "durotomy"
    FIXATION = "fixation"
    CORPECTOMY = "corpectomy"
    NONE = "none"


class Form(Enum):
    """What is written."""

    BIBTEX = "bibtex"
    CSV = "csv"


class Table(Enum):
    """The stored tables."""

    CASES = "cases"
    CASE_VALUES = "case_values"
    INCIDENCE = "incidence"
    SOURCES = "sources"


class Procedure(Enum):
    """Vertebroplasty, kyphoplasty, or whatever was done."""

    VP = "VP"
    KP = "KP"
    ANY = "any"


class Counting(Enum):
    """What a study counted."""

    VERTEBRAE = "vertebrae"
    PATIENTS = "patients"
    ANY = "any"


AsJson = Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")]


@app.command("list")
def list_(
    studies: Annotated[bool, typer.Option("--studies", help="Leak studies instead of cases.")] = False,
    level: Annotated[str | None, typer.Option(metavar="T12", help="Cases of this level.")] = None,
    sex: Annotated[Sex | None, typer.Option(help="Cases of this sex.")] = None,
    compartment: Annotated[
        str | None, typer.Option(metavar="epidural", help="Cases with cement there, by name.")
    ] = None,
    operation: Annotated[Operation | None, typer.Option(help="Cases operated on so.")] = None,
    certainty: Annotated[
        Tag | None,
        typer.Option(help="R read, S said by the founding paper, D computed or inferred, M from memory."),
    ] = None,
    what: Annotated[str | None, typer.Option(metavar="canal", help="Studies of this leak.")] = None,
    conflicts: Annotated[bool, typer.Option("--conflicts", help="Only what a source disputes.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the published cases, or the studies of how often cement leaks.

    Where a paper and its own source disagree, the line below the case says so. Research use only.
    """
    from thecal.cli.literature_words import print_cases, print_studies
    from thecal.registry.literature.library import WHAT_WORDS, library
    from thecal.terms import COMPARTMENTS

    if studies or what is not None:
        _check_known("--what", what, WHAT_WORDS)
        rows = [row for row in library().incidence if _is_about(row, what, certainty, conflicts)]
        print_studies(rows, as_json)
        return
    _check_known("--compartment", compartment, COMPARTMENTS)
    wanted = _level(level)
    cases = [
        case
        for case in library().cases
        if _fits(case, wanted, sex, compartment, operation, certainty) and (case.conflicts or not conflicts)
    ]
    print_cases(cases, as_json)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A case or a study, for instance 'Shapiro 2003'.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show all that is stored of a case or a study: as printed, as understood, and by whom.

    Research use only.
    """
    from thecal.cli.literature_words import print_case, print_studies
    from thecal.errors import InputError
    from thecal.registry.literature.library import library

    stored = library()
    rows = [row for row in stored.incidence if name.lower() in (row.source.id, row.source.name.lower())]
    if rows:
        print_studies(rows, as_json)
        return
    try:
        case = stored.case(name)
    except InputError as error:
        studies = sorted({row.source.name for row in stored.incidence})
        raise InputError(f"{str(error).rstrip('.')}; studies are {', '.join(studies)}") from error
    print_case(case, as_json)


@app.command()
def export(
    form: Annotated[Form, typer.Option("--format", help="BibTeX of the sources, or a table as CSV.")],
    table: Annotated[Table, typer.Option(help="Of CSV: which table.")] = Table.CASE_VALUES,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Else to stdout.")] = None,
) -> None:
    """Write the sources as BibTeX, or a table as it is stored. Research use only."""
    from thecal.registry.literature.bibtex import to_bibtex
    from thecal.registry.literature.library import library
    from thecal.registry.literature.tables import stored_text

    text = to_bibtex(library().sources.values()) if form is Form.BIBTEX else stored_text(table.value)
    if out is None:
        typer.echo(text, nl=False)
        return
    from thecal.errors import InputError

    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error


@app.command()
def pool(
    what: Annotated[
        str, typer.Option(metavar="any", help="Where the cement went: any, canal, B, S, C, D ...")
    ] = "any",
    procedure: Annotated[Procedure, typer.Option(help="Which studies.")] = Procedure.VP,
    counted: Annotated[Counting, typer.Option(help="What they counted.")] = Counting.VERTEBRAE,
    modality: Annotated[str | None, typer.Option(metavar="CT", help="What leaks were looked for on.")] = None,
    population: Annotated[str | None, typer.Option(metavar="osteoporotic", help="Whose vertebrae.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder for the page and the forest plot.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Pool how often cement leaks, by the exact binomial-normal model.

    Patients and vertebrae, vertebroplasty and kyphoplasty are pooled apart unless asked for with "any"; what
    was left out is listed with the reason. Research use only.
    """
    from thecal.cli.literature_words import print_pooled
    from thecal.registry.literature.library import library
    from thecal.registry.pooling.outputs import write_pool
    from thecal.registry.pooling.pool import Question
    from thecal.registry.pooling.pool import pool as pooled_of

    if out is not None:
        from thecal.report.replaced_files import check_writable

        check_writable(out)
    question = Question(what, procedure.value, counted.value, modality, population)
    pooled = pooled_of(library().incidence, question)
    if out is not None:
        write_pool(out, pooled)
    print_pooled(pooled, as_json)
    if out is not None and not as_json:
        typer.echo(f"Page: {out / 'pool.html'}")


def _check_known(option: str, value: str | None, known: Iterable[str]) -> None:
    from thecal.errors import InputError

    if value is not None and value not in known:
        raise InputError(f"{option} is one of {', '.join(known)}, not {value}")


def _level(level: str | None) -> str | None:
    from thecal.errors import InputError
    from thecal.terms import VERSE_IDS

    if level is not None and level.upper() not in VERSE_IDS:
        raise InputError(f"{level} is no level: T12, L1 and the like are")
    return None if level is None else level.upper()


def _fits(
    case: PublishedCase,
    level: str | None,
    sex: Sex | None,
    compartment: str | None,
    operation: Operation | None,
    certainty: Tag | None,
) -> bool:
    def says(field: str, wanted: str) -> bool:
        return any(v.usable and v.understood == wanted for v in case.of(field))

    return (
        (level is None or says("level", level))
        and (sex is None or says("sex", sex.value))
        and (compartment is None or says("compartment", compartment))
        and (
            operation is None
            or (says("operated", "no") if operation is Operation.NONE else says(operation.value, "yes"))
        )
        and (certainty is None or any(v.certainty == certainty.value for v in case.values))
    )


def _is_about(row: Incidence, what: str | None, certainty: Tag | None, conflicts: bool) -> bool:
    return (
        (what is None or row.what == what)
        and (certainty is None or row.certainty == certainty.value)
        and (row.conflict is not None or not conflicts)
    )
