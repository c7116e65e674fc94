"""``thecal info``: what an input holds, a line for each series."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from thecal.dicom.series import Series


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

    Console().print(_table(series))


def _table(series: list[Series]) -> Table:
    """Two lines a series, the one that would be assessed marked and first."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title=_title(series), title_justify="left")
    table.add_column("")
    table.add_column("series, its name for --series", overflow="fold", ratio=1)
    for heading in ("slices", "mm", "kernel", "from–to mm"):
        table.add_column(heading)
    for one in series:
        what = " ".join(
            word for word in (_number(one), escape(one.description or one.modality), one.plane) if word
        )
        if one.reason:
            what += f" [dim]({escape(one.reason)})[/dim]"
        table.add_row(
            "●" if one.chosen else "",
            f"{what}\n[dim]{escape(one.uid)}[/dim]" if one.uid else what,
            str(one.shape[2] if one.shape else one.images),
            _millimetres(one),
            escape(one.kernel),
            f"{one.coverage_mm[0]:.0f} to {one.coverage_mm[1]:.0f}" if one.coverage_mm else "",
        )
    return table


def _title(series: list[Series]) -> str:
    if any(one.chosen for one in series):
        return "● is assessed; --series NAME takes another"
    if any(one.usable for one in series):
        return "None is assessed unless you choose it with --series NAME; see why in brackets"
    return "None of these can be assessed; see why in brackets"


def _number(series: Series) -> str:
    return "" if series.number is None else f"{series.number}:"


def _millimetres(series: Series) -> str:
    """Pixel and slice spacing, and under them the slice thickness."""
    if series.spacing_mm is None:
        return ""
    text = " × ".join(f"{step:.3g}" for step in series.spacing_mm)
    return text if series.slice_thickness_mm is None else f"{text}\nthick {series.slice_thickness_mm:g}"
