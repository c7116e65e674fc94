"""The strength of a patient's muscles against the days since her procedure, as a picture."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from thecal.errors import InputError
from thecal.registry.case import Case, Outcome
from thecal.registry.grades import CONVENTION
from thecal.terms import RESEARCH_USE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS: Final = (".png", ".svg", ".html")
COLOURS: Final = ("#1b6ca8", "#c0561d", "#3a7d44", "#7d3c98", "#8d6e00", "#5d6d7e")
MARKS: Final = ("o", "s", "^", "D", "v", "P")
"""Colour and mark, one for each muscle."""
SIDES: Final = {"left": "left", "right": "right", None: "side not given"}
LABELS: Final = ((5, 4), (5, -11), (-13, 4), (-13, -11))
"""Where a grade is written beside its mark, points; muscles of one side take turns."""
STEP: Final = 0.05
"""How far curves of one side are moved apart, grades: the same grade of two muscles would hide one."""


@dataclass(frozen=True)
class Curve:
    """The grades of one muscle and side, (days since the procedure, number, as written), in time."""

    muscle: str | None
    side: str | None
    points: tuple[tuple[float, float, str], ...]


def curves(case: Case) -> list[Curve]:
    """The strength curves of a case: every MRC grade that has a number and a time.

    A finding with a date and no days is counted from the first dated procedure.
    """
    first = min((each.on for each in case.procedures if each.on is not None), default=None)
    found: dict[tuple[str | None, str | None], list[tuple[float, float, str]]] = {}
    for each in case.outcomes:
        if each.scale != "mrc" or each.value is None:
            continue
        days = each.days
        if days is None and each.on is not None and first is not None:
            days = float((each.on - first).days)
        if days is not None:
            found.setdefault((each.muscle, each.side), []).append((days, each.value, each.as_written))
    return [Curve(*which, tuple(sorted(points))) for which, points in found.items()]


def untimed(case: Case) -> list[Outcome]:
    """The grades that are on no curve, for nobody said when they were found."""
    shown = sum(len(curve.points) for curve in curves(case))
    grades = [each for each in case.outcomes if each.scale == "mrc" and each.value is not None]
    if shown == len(grades):
        return []
    dated = any(each.on is not None for each in case.procedures)
    return [each for each in grades if each.days is None and (each.on is None or not dated)]


def draw_strength(case: Case, to: Path) -> int:
    """Write the picture (PNG, SVG or a page); how many grades it shows.

    Raises
    ------
    InputError
        Where no grade has a time, the ending is none of these, or the file cannot be written.
    """
    if to.suffix.lower() not in FORMATS:
        raise InputError(f"--out ends in {', '.join(FORMATS)}: {to}")
    drawn = curves(case)
    if not drawn:
        raise InputError(
            f"Case {case.patient.pseudonym} has no strength (MRC) with days or a date: "
            "thecal registry outcome enters one"
        )
    left_out = len(untimed(case))
    figure = _figure(case.patient.pseudonym, drawn, left_out)
    content = _content(figure, to.suffix.lower(), case.patient.pseudonym)
    try:
        to.write_bytes(content)
    except OSError as error:
        raise InputError(f"--out {to} cannot be written: {error.strerror}") from error
    return sum(len(curve.points) for curve in drawn)


def _figure(pseudonym: str, drawn: Sequence[Curve], left_out: int) -> Figure:
    """A panel for each side, a colour for each muscle."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    sides = [side for side in SIDES if any(curve.side == side for curve in drawn)]
    muscles = list(dict.fromkeys(curve.muscle for curve in drawn))
    figure = Figure(figsize=(4.2 * len(sides) + 1.8, 4.8), layout="constrained")
    panels = figure.subplots(1, len(sides), sharex=True, sharey=True, squeeze=False)[0]
    times = [point[0] for curve in drawn for point in curve.points]
    first, last = min(0.0, *times), max(1.0, *times)
    room = 0.06 * (last - first)
    for axes, side in zip(panels, sides, strict=True):
        _draw_side(axes, [curve for curve in drawn if curve.side == side], muscles)
        axes.set_title(SIDES[side], loc="left", fontsize=10)
        axes.set_ylim(-0.35, 5.45)
        axes.set_yticks(range(6))
        axes.set_xlim(first - room, last + 2 * room)
        axes.set_xlabel("days since the procedure")
        axes.grid(axis="y", color="#dddddd", linewidth=0.6)
        for edge in ("top", "right"):
            axes.spines[edge].set_visible(False)
    panels[0].set_ylabel("strength (MRC, 0 to 5)")
    figure.suptitle(f"Case {pseudonym}: strength", x=0.01, ha="left", fontsize=11)
    marks = [Line2D([], [], label=each or "not named", **_look(muscles, each)) for each in muscles]
    figure.legend(handles=marks, frameon=False, fontsize=8, loc="outside right upper", title="muscle")
    missing = f" {left_out} grade{'s' * (left_out != 1)} without a time not shown." if left_out else ""
    apart = " Curves of one side are moved apart a little." if len(muscles) > 1 else ""
    footing = f"Grades as written. {CONVENTION}{apart}{missing}\n{RESEARCH_USE}"
    figure.supxlabel(_wrapped(footing, 70 * len(sides)), fontsize=7, color="#555555", x=0.01, ha="left")
    return figure


def _draw_side(axes: Axes, drawn: Sequence[Curve], muscles: list[str | None]) -> None:
    for index, curve in enumerate(drawn):
        lift = STEP * (index - (len(drawn) - 1) / 2)
        days = [point[0] for point in curve.points]
        grades = [point[1] + lift for point in curve.points]
        look = _look(muscles, curve.muscle)
        axes.plot(days, grades, markersize=5, linewidth=1.4, **look)
        at = LABELS[index % len(LABELS)]
        for (_, _, written), day, grade in zip(curve.points, days, grades, strict=True):
            axes.annotate(
                written, (day, grade), xytext=at, textcoords="offset points", fontsize=8, color=look["color"]
            )


def _look(muscles: list[str | None], muscle: str | None) -> dict[str, Any]:
    index = muscles.index(muscle)
    return {"color": COLOURS[index % len(COLOURS)], "marker": MARKS[index % len(MARKS)]}


def _wrapped(text: str, width: int) -> str:
    import textwrap

    return "\n".join(line for part in text.split("\n") for line in textwrap.wrap(part, width))


def _content(figure: Figure, ending: str, pseudonym: str) -> bytes:
    import matplotlib as mpl

    buffer = io.BytesIO()
    if ending == ".png":
        figure.savefig(buffer, format="png", dpi=160, metadata={"Software": None})
        return buffer.getvalue()
    with mpl.rc_context({"svg.hashsalt": "thecal", "svg.fonttype": "none"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    if ending == ".svg":
        return buffer.getvalue()
    picture = buffer.getvalue().decode()
    picture = picture[picture.index("<svg") :]
    title = html.escape(f"Case {pseudonym}: strength")
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font-family:sans-serif;max-width:60rem;margin:2rem auto}svg{width:100%;height:auto}"
        f"</style></head>\n<body><h1>{title}</h1>\n{picture}\n<p>{RESEARCH_USE}</p></body></html>\n"
    ).encode()
