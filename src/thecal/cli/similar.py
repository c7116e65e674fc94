"""``thecal similar``: published and own cases like an assessment or a case, and why they are near."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from thecal.registry.similar.entries import Entry
    from thecal.registry.similar.nearest import Near
    from thecal.registry.similar.traits import Traits

REPORT_FILE = "report.json"


def similar(
    asked: Annotated[
        str,
        typer.Argument(
            metavar="REPORT|CASE",
            help="A folder or report.json of thecal assess, a case as JSON, or with --registry a pseudonym.",
        ),
    ],
    registry: Annotated[
        str | None,
        typer.Option(
            metavar="PATH|URL",
            envvar="THECAL_REGISTRY",
            show_envvar=False,
            help="Also the cases of this registry. Also by THECAL_REGISTRY.",
        ),
    ] = None,
    at_most: Annotated[int, typer.Option("--at-most", min=1, help="So many cases.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to stdout.")] = False,
) -> None:
    """Say which published and own cases are near, why, what was done and what became of them.

    Compared are level, cement inside and outside the dura, its signs, and the deficit; what is not known
    counts neither for nor against. A few case reports predict nothing. Research use only.
    """
    from thecal.registry.similar.box import caveat
    from thecal.registry.similar.entries import published_entries
    from thecal.registry.similar.nearest import nearest
    from thecal.terms import RESEARCH_USE

    own, known = _own(registry)
    traits, itself = _asked(asked, known)
    entries = [*published_entries(), *(entry for entry in own if entry.name != itself)]
    found = nearest(traits, entries, at_most=at_most)
    published = sum(not entry.own for entry in entries)
    if as_json:
        import json

        answer = {
            "research_use": RESEARCH_USE,
            "sentence": found.sentence,
            "caveat": caveat(published),
            "searched": found.searched,
            "near": [_near_json(one) for one in found.near],
        }
        typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        return
    typer.echo(RESEARCH_USE)
    typer.echo(found.sentence)
    for one in found.near:
        _print_near(one)
    typer.echo(caveat(published))


def _own(registry: str | None) -> tuple[tuple[Entry, ...], dict[str, Traits]]:
    """The cases of a registry, and their traits by pseudonym."""
    if registry is None:
        return (), {}
    from thecal.cli.registry_place import opened
    from thecal.registry.similar.entries import own_entries

    with opened(registry, None) as store:
        entries = own_entries(store.cases())
    return entries, {entry.name: entry.traits for entry in entries}


def _asked(asked: str, known: dict[str, Traits]) -> tuple[Traits, str | None]:
    """The traits that are asked about, and the pseudonym where it is an own case."""
    from thecal.errors import InputError

    path = Path(asked)
    if path.is_dir():
        path = path / REPORT_FILE
    if path.is_file():
        return _read(path), None
    if asked in known:
        return known[asked], asked
    if known:
        raise InputError(f"{asked} is no file, no folder of an assessment, and no case of the registry")
    raise InputError(f"{asked} is no report.json, no folder with one, and no case as JSON")


def _read(path: Path) -> Traits:
    """A report or a case, told apart by the report's schema name."""
    import json

    from pydantic import ValidationError

    from thecal.errors import InputError
    from thecal.registry.case import Case
    from thecal.registry.exchange.case_json import what_is_expected
    from thecal.registry.similar.traits import traits_of_case, traits_of_report
    from thecal.report.schema import Report

    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON") from error
    try:
        if isinstance(data, dict) and "schema" in data:
            return traits_of_report(Report.model_validate(data))
        return traits_of_case(Case.model_validate(data))
    except ValidationError as error:
        if not (isinstance(data, dict) and "schema" in data):
            raise InputError(f"{path} is no case: {what_is_expected(error)}") from error
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where + ': ' if where else ''}{first['msg']}") from error


def _print_near(one: Near) -> None:
    entry = one.entry
    source = f" ({entry.source})" if entry.source else " (own case)" if entry.own else ""
    typer.echo(f"{entry.name}: {entry.account.who}{source}; distance {one.distance:.2f}")
    typer.echo(f"    near: {'; '.join(one.because)}")
    if one.apart:
        typer.echo(f"    apart: {'; '.join(one.apart)}")
    if one.unknown:
        typer.echo(f"    not known of both: {', '.join(one.unknown)}")
    typer.echo(f"    done: {entry.account.done}")
    typer.echo(f"    became: {entry.account.became}")
    for conflict in entry.conflicts:
        typer.echo(f"    conflict: {conflict}")
    for inference in entry.inferences:
        typer.echo(f"    inferred here: {inference}")


def _near_json(one: Near) -> dict[str, Any]:
    return {
        "name": one.entry.name,
        "own": one.entry.own,
        "source": one.entry.source,
        "who": one.entry.account.who,
        "distance": one.distance,
        "likeness": one.likeness,
        "compared": [
            {"trait": part.trait, "distance": part.distance, "alike": part.alike, "apart": part.apart}
            for part in one.compared
        ],
        "unknown": list(one.unknown),
        "done": one.entry.account.done,
        "became": one.entry.account.became,
        "conflicts": list(one.entry.conflicts),
        "inferences": list(one.entry.inferences),
    }
