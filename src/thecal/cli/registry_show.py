"""``thecal registry show``, ``list`` and ``strength``: looking at cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from thecal.cli.registry_place import DEFAULT, Json, KeyFile, Pseudonym, Where, opened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thecal.registry.case import Case, Part
    from thecal.registry.store.audit import Change

UNKNOWN: Final = "-"
LOCKED: Final = (
    "Without the key: no name, free text, UID or time of a change is shown, and all dates are shifted. --key "
    "FILE gives it."
)
"""Said where a registry has a key that was not given."""
WIDTH: Final = 13
"""Of the entries' names, ``procedures.12``."""


def show(
    pseudonym: Pseudonym,
    registry: Where = DEFAULT,
    key: KeyFile = None,
    history: Annotated[bool, typer.Option("--history", help="Every change: who, when, what.")] = False,
    as_json: Json = False,
) -> int:
    """Show one case, or what was done to it."""
    with opened(registry, key) as store:
        if history:
            changes = store.history(pseudonym)
        else:
            case = store.case(pseudonym, withdrawn=True)
        locked = store.keeper.locked
    if as_json and history:
        typer.echo(json.dumps([vars(change) for change in changes], indent=2, ensure_ascii=False))
    elif as_json:
        typer.echo(case.model_dump_json(indent=2))
    elif history:
        _told_history(changes)
    else:
        tell_case(case)
    if locked and not as_json:
        typer.echo(LOCKED)
    return 0


def list_(
    registry: Where = DEFAULT,
    level: Annotated[
        str | None, typer.Option("--level", metavar="T12", help="Fractured or treated there.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="VP|KP|conservative", help="Treated so.")
    ] = None,
    compartment: Annotated[
        str | None, typer.Option("--compartment", metavar="NAME", help="Cement leaked there.")
    ] = None,
    deficit: Annotated[
        str | None, typer.Option("--deficit", metavar="yes|no|unknown", help="Whether nerves were lost.")
    ] = None,
    page: Annotated[int, typer.Option("--page", min=1, max=10**9, help="Which page.")] = 1,
    size: Annotated[int, typer.Option("--size", min=1, max=10_000, help="Cases on a page.")] = 50,
    as_json: Json = False,
) -> int:
    """List the cases, by pseudonym; withdrawn ones are not among them."""
    from thecal.registry.store.asking import asked
    from thecal.registry.store.listing import Wanted
    from thecal.registry.store.listing import page as page_of

    wanted = Wanted(
        _one_of("--level", level),
        _one_of("--kind", kind),
        _one_of("--compartment", compartment),
        _one_of("--deficit", deficit),
    )
    with asked(registry) as store:
        found = page_of(store, wanted, (page - 1) * size, size)
    if as_json:
        typer.echo(json.dumps(found.as_json(), indent=2))
        return 0
    header = ("pseudonym", "age", "sex", "levels", "procedure", "leaks", "deficit", "outcomes")
    rows = [
        (
            line.pseudonym,
            UNKNOWN if line.age_years is None else f"{line.age_years:g}",
            line.sex or UNKNOWN,
            " ".join(line.levels) or UNKNOWN,
            " ".join(line.kinds) or UNKNOWN,
            " ".join(line.compartments) or UNKNOWN,
            line.deficit or UNKNOWN,
            str(line.outcomes),
        )
        for line in found.lines
    ]
    _told_table(header, rows)
    last = found.first + len(rows)
    typer.echo(f"{found.first + 1 if rows else 0} to {last} of {found.total} cases")
    if last < found.total and rows:
        typer.echo(f"The next: --page {page + 1}")
    return 0


def strength(
    pseudonym: Pseudonym,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="A .png, .svg or .html to make.")],
    registry: Where = DEFAULT,
    key: KeyFile = None,
) -> int:
    """Draw the strength of her muscles (MRC) against the days since the procedure, each side by itself."""
    from thecal.registry.pictures.strength_curve import draw_strength

    with opened(registry, key) as store:
        shown = draw_strength(store.case(pseudonym), out)
    typer.echo(f"Strength of case {pseudonym}, {shown} grades: {out}")
    return 0


def tell_case(case: Case) -> None:
    """One case in lines; each entry with the number by which it is pointed at."""
    patient = {
        name: value for name, value in case.patient.model_dump(mode="json").items() if value is not None
    }
    typer.echo(f"Case {patient.pop('pseudonym')}{'  (withdrawn)' if case.withdrawn else ''}")
    if patient:
        typer.echo(f"  {'patient':<{WIDTH}} {_words(patient)}")
    for field, value in case:
        if field in ("patient", "withdrawn") or not value:
            continue
        for number, part in enumerate(value, 1) if isinstance(value, tuple) else ((0, value),):
            at = f"{field}.{number}" if number else field
            typer.echo(f"  {at:<{WIDTH}} {part_words(part)}")


def part_words(part: Part) -> str:
    """What one part says, in one line."""
    return _words(part.model_dump(mode="json", exclude_none=True))


def tell_differences(before: Case, after: Case) -> None:
    """What changed in a case, a line a field."""
    from thecal.registry.store.audit import differences

    old, new = (each.model_dump(mode="json", exclude_none=True) for each in (before, after))
    for path, was, now in differences(old, new):
        typer.echo(f"  {path}: {_short(was)} -> {_short(now)}")


def _words(values: dict[str, Any]) -> str:
    told: list[str] = []
    for name, value in values.items():
        if value in ("unknown", []) or (name == "report_sha256" and told):
            continue
        if name == "signs":
            value = " ".join(f"{sign['name']}={sign['state']}" for sign in value)
        elif isinstance(value, list):
            value = " ".join(map(str, value))
        elif isinstance(value, float):
            value = f"{value:g}"
        told.append(f"{name.replace('_', ' ')} {value}")
    return ", ".join(told)


def _told_history(changes: list[Change]) -> None:
    from thecal.registry.store.audit import differences

    for change in changes:
        when = f"{change.at[:19]} UTC" if change.at else "(time encrypted)"
        typer.echo(f"{when}  {change.who}  {change.what}")
        if change.before is None or change.after is None:
            continue
        for path, before, after in differences(change.before, change.after):
            typer.echo(f"  {path}: {_short(before)} -> {_short(after)}")


def _short(value: Any) -> str:
    return UNKNOWN if value is None else json.dumps(value, ensure_ascii=False)


def _told_table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        typer.echo("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


def _one_of(option: str, word: str | None) -> str | None:
    from typing import get_args

    from thecal.errors import InputError
    from thecal.registry.case import Kind, YesNo
    from thecal.terms import COMPARTMENTS, VERSE_IDS

    choices = {
        "--level": tuple(VERSE_IDS),
        "--kind": get_args(Kind),
        "--compartment": COMPARTMENTS,
        "--deficit": get_args(YesNo),
    }[option]
    if word is None:
        return None
    found = [each for each in choices if each.lower() == word.lower()]
    if not found:
        raise InputError(f"{option} is one of {', '.join(choices)}")
    return str(found[0])
