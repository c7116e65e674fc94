"""``thecal registry import``, ``export`` and ``stats``: cases in, cases out, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from thecal.cli.registry_place import DEFAULT, Json, KeyFile, Where, Who, opened, who_is_it

if TYPE_CHECKING:
    from thecal.registry.case import Case
    from thecal.registry.exchange.drafts import Incoming
    from thecal.registry.statistics.build import Statistics

Format = Literal["csv", "long", "parquet", "fhir", "redcap"]
FILES: Final[dict[str, tuple[str, ...]]] = {
    "csv": ("cases.csv",),
    "long": ("cases_long.csv",),
    "fhir": ("bundle.json",),
    "redcap": ("redcap_data.csv", "redcap_dictionary.csv"),
}
"""What an export writes into its folder; Parquet writes a file for each part."""
STAGES: Final = ("read", "compare", "keep")
"""Of an import."""
MOST_TOLD: Final = 200
"""Problems that a dry run prints; ``--json`` gives all."""


def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV files, or a FHIR bundle.")],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", metavar="TOML", help="Which column is which field.")
    ] = None,
    dictionary: Annotated[
        Path | None,
        typer.Option("--dictionary", metavar="CSV", help="Of a REDCap project, whose export FILE is."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say row by row what is wrong, and change nothing.")
    ] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good cases where others are not.")
    ] = False,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    who: Who = None,
    as_json: Json = False,
) -> int:
    """Take cases in from CSV, a REDCap export or a FHIR R4 bundle: all of them or none.

    What this program exported needs no mapping. What is wrong is told by file, row and column, and never
    repeats what stands there.
    """
    from thecal.cli.progress import stage_progress
    from thecal.errors import InputError
    from thecal.registry.exchange.bring_in import against, bring_in

    with opened(registry, key) as store, stage_progress(STAGES) as begin, _nothing_is_garbage():
        begin("read")
        read = _read(files, mapping, dictionary, identified=key is not None)
        begin("compare")
        incoming = against(store, read)
        if not dry_run and incoming.problems and not skip_bad:
            count = len(incoming.problems)
            many = "1 thing is wrong" if count == 1 else f"{count} things are wrong, the first"
            raise InputError(
                f"Nothing was taken in: {many}: {incoming.problems[0]}. --dry-run lists them, --skip-bad "
                "leaves those cases out"
            )
        if not dry_run:
            begin("keep")
            bring_in(store, incoming, who=who_is_it(who))
    if as_json:
        typer.echo(json.dumps(_summary(incoming, dry_run), ensure_ascii=False))
    else:
        _tell(incoming, dry_run)
    return 0


def export(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")],
    format_: Annotated[
        Format, typer.Option("--format", help="csv: a row a case; long: a row a part; or another.")
    ] = "csv",
    identified: Annotated[
        bool, typer.Option("--identified", help="With names, births, true dates and UIDs. Needs the key.")
    ] = False,
    notes: Annotated[bool, typer.Option("--notes", help="With free text, which may name somebody.")] = False,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    as_json: Json = False,
) -> int:
    """Write cases as CSV, Parquet, a FHIR R4 bundle, or a REDCap project with its data dictionary.

    Withdrawn cases never leave. Without --identified neither do names, births and the images' UIDs, and
    every date is shifted by the case's own secret number of days. Free text leaves with --notes or
    --identified only.
    """
    from thecal.errors import InputError
    from thecal.registry.exchange.leaving import leaving
    from thecal.registry.exchange.parquet_out import FILES as PARQUET
    from thecal.report.replaced_files import replaced_files
    from thecal.terms import RESEARCH_USE

    if identified and key is None:
        raise InputError("--identified needs the registry's key: --key FILE")
    names = PARQUET if format_ == "parquet" else FILES[format_]
    with opened(registry, key) as store, replaced_files(out, names) as folder:
        if notes and store.keeper.locked:
            raise InputError("Free text is encrypted there: --notes needs the registry's key, --key FILE")
        cases = leaving(store.cases(), store.all_shifts(), identified=identified, notes=notes)
        count = _write(format_, cases, folder)
    if as_json:
        files = [str(out / name) for name in names]
        typer.echo(json.dumps({"cases": count, "files": files, "free_text": identified or notes}))
        return 0
    typer.echo(f"{'1 case' if count == 1 else f'{count} cases'}: {', '.join(str(out / n) for n in names)}")
    typer.echo("With names and true dates." if identified else "Without names and UIDs; dates are shifted.")
    typer.echo(
        "Free text is among it as it was written, with whatever names and dates somebody put there."
        if identified or notes
        else "Free text stayed at home; --notes takes it along."
    )
    typer.echo(RESEARCH_USE)
    return 0


def stats(
    registry: Where = DEFAULT,
    key: KeyFile = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="HTML", help="Write a page of tables and pictures.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Say what the registry answers: leak rates, recovery of strength, time to decompression, walking again.

    Intervals are of 95 %; fewer than ten are listed and nothing is estimated from them. What is missing is
    said beside each.
    """
    from thecal.registry.statistics.build import registry_statistics
    from thecal.registry.statistics.from_store import columns_from
    from thecal.registry.store.asking import asked

    with asked(registry, key) as store:
        found = registry_statistics(columns_from(store))
    if out is not None:
        from thecal.registry.statistics.page import write_statistics_page

        write_statistics_page(out, found)
    if as_json:
        typer.echo(found.to_json(), nl=False)
    else:
        _tell_statistics(found)
        if out is not None:
            typer.echo(f"Page: {out}")
    return 0


@contextmanager
def _nothing_is_garbage() -> Iterator[None]:
    """All that an import makes it needs to its end: looking for what could go takes a quarter of its time."""
    import gc

    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _read(files: list[Path], mapping: Path | None, dictionary: Path | None, *, identified: bool) -> Incoming:
    from thecal.errors import InputError
    from thecal.registry.exchange.mapping import read_mapping

    said = None if mapping is None else read_mapping(mapping)
    if any(path.suffix.lower() == ".json" for path in files):
        if len(files) > 1 or said is not None or dictionary is not None:
            raise InputError("A FHIR bundle is taken in by itself, without a mapping or a dictionary")
        from thecal.registry.exchange.fhir_in import read_fhir

        return read_fhir(files[0], identified=identified)
    if dictionary is not None:
        if len(files) > 1:
            raise InputError("A REDCap export is one file")
        from thecal.registry.exchange.redcap_in import read_redcap

        return read_redcap(files[0], dictionary, said)
    from thecal.registry.exchange.csv_in import read_csv

    return read_csv(files, said)


def _write(format_: str, cases: Iterable[Case], folder: Path) -> int:
    if format_ == "parquet":
        from thecal.registry.exchange.parquet_out import write_parquet

        return write_parquet(cases, folder)
    first = folder / FILES[format_][0]
    if format_ == "fhir":
        from thecal.registry.exchange.fhir_out import bundle_of, checked_json

        kept = list(cases)
        first.write_text(checked_json(bundle_of(kept)), encoding="utf-8")
        return len(kept)
    with first.open("w", encoding="utf-8", newline="") as stream:
        if format_ == "redcap":
            from thecal.registry.exchange.redcap_dictionary import write_dictionary
            from thecal.registry.exchange.redcap_out import write_redcap

            with (folder / FILES[format_][1]).open("w", encoding="utf-8", newline="") as other:
                write_dictionary(other)
            return write_redcap(cases, stream)
        from thecal.registry.exchange.csv_out import write_long, write_wide

        return (write_wide if format_ == "csv" else write_long)(cases, stream)


def _summary(incoming: Incoming, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "rows": incoming.rows,
        "added": len(incoming.cases),
        "changed": len(incoming.additions),
        "problems": [vars(problem) for problem in incoming.problems],
        "not_taken": incoming.not_taken,
    }


def _tell(incoming: Incoming, dry_run: bool) -> None:
    for problem in incoming.problems[:MOST_TOLD]:
        typer.echo(f"  {problem}")
    if len(incoming.problems) > MOST_TOLD:
        typer.echo(f"  and {len(incoming.problems) - MOST_TOLD} more (--json gives all)")
    if incoming.not_taken:
        shown = ", ".join(incoming.not_taken[:MOST_TOLD])
        typer.echo(f"Not taken, for nothing says what they are: {shown}")
    would = "would be " if dry_run else ""
    added, changed, wrong = len(incoming.cases), len(incoming.additions), len(incoming.problems)
    typer.echo(
        f"{incoming.rows} rows: {added} {'case' if added == 1 else 'cases'} {would}added, {changed} "
        f"{would}added to, {wrong} {'thing' if wrong == 1 else 'things'} wrong"
    )
    if dry_run:
        typer.echo("Nothing was changed.")


def _tell_statistics(found: Statistics) -> None:
    from thecal.registry.statistics.page import estimate_words, headline, interval_words, waiting_sentence
    from thecal.terms import RESEARCH_USE

    typer.echo(RESEARCH_USE)
    for sentence in headline(found):
        typer.echo(sentence)
    for table in found.leaks:
        typer.echo(f"Leak by {table.by}, {table.unit}, % (95 % CI):")
        for row in table.rows:
            typer.echo(f"  {row.name:<18}{row.events:>6} of {row.total:<7}{interval_words(row)}")
    strength = found.strength
    typer.echo(f"Strength, patients measured twice: {len(strength.patients)}")
    for row in strength.shares:
        typer.echo(f"  {row.name:<18}{row.events:>6} of {row.total:<7}{interval_words(row)}")
    if strength.superiority is not None:
        typer.echo(f"  probability of being better later {estimate_words(strength.superiority)}")
    delay = found.decompression
    words = "too few to estimate" if delay.tau is None else f"tau-b {estimate_words(delay.tau)}"
    typer.echo(f"Time to decompression against recovery, {len(delay.patients)} patients: {words}")
    for wait in (found.walking, found.sphincters):
        words = waiting_sentence(wait) or "too few for a curve"
        typer.echo(f"{wait.what.capitalize()} again, {len(wait.patients)} patients: {words}")
