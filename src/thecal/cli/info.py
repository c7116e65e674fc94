"""``thecal info``: what an input holds, a line for each series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from thecal.dicom.series import Series

HEADINGS = ("", "no.", "what", "plane", "slices", "spacing mm", "slice mm", "kernel", "kV", "from–to mm")


def info(
    path: Annotated[
        Path,
        typer.Argument(metavar="INPUT", help="DICOM folder or zip, or a volume file."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """List the series of INPUT and say which one would be assessed."""
    from thecal.dicom import list_series

    series = list_series(path)
    if as_json:
        import json
        from dataclasses import asdict

        typer.echo(json.dumps([asdict(one) for one in series], indent=2))
        return
    from rich.console import Console

    Console(soft_wrap=False).print(_table(series))


def _table(series: list[Series]) -> Table:
    """One row a series, the one that would be assessed marked."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(
        title="● would be assessed; --series takes the name in the last column", title_justify="left"
    )
    for heading in (
        "",
        "no.",
        "what",
        "plane",
        "slices",
        "spacing mm",
        "slice mm",
        "kernel",
        "kV",
        "from–to mm",
    ):
        table.add_column(heading)
    table.add_column("series", overflow="fold")
    for one in series:
        what = escape(one.description or one.modality)
        if one.reason:
            what += f" [dim]({escape(one.reason)})[/dim]"
        table.add_row(
            "●" if one.chosen else "",
            _or_dash(one.number),
            what,
            one.plane or "–",
            str(one.shape[2] if one.shape else one.images),
            " × ".join(f"{step:.3g}" for step in one.spacing_mm) if one.spacing_mm else "–",
            _or_dash(one.slice_thickness_mm),
            escape(one.kernel) or "–",
            _or_dash(one.kvp),
            f"{one.coverage_mm[0]:.0f} to {one.coverage_mm[1]:.0f}" if one.coverage_mm else "–",
            escape(one.uid),
        )
    return table


def _or_dash(number: float | None) -> str:
    return "–" if number is None else f"{number:g}"
