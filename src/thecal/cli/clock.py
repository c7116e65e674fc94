"""``thecal clock``: how stiff a cement is expected to be, and what pressure its cannula needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from thecal.fluoro.screen.clock_face import Clock
    from thecal.needle.cement_clock import CementClock, Moment
    from thecal.needle.cements import General

CERTAIN = {
    "read": "read in the abstract",
    "computed": "computed from published figures",
    "memory": "from memory, not checked",
}
TABLE_S: Final = 30.0
"""Between lines of the viscosity's table."""
LONGEST_MIN: Final = 600.0
STAGES: Final[tuple[tuple[General, str], ...]] = (
    ("toothpaste_from", "where toothpaste is said to begin"),
    ("toothpaste_to", "where it is said to end"),
)


def clock(
    brand: Annotated[str, typer.Argument(metavar="BRAND", help="The cement, for instance 'Simplex P'.")],
    room_temp: Annotated[float, typer.Option("--room-temp", metavar="C", help="Of the room.")] = 21.0,
    gauge: Annotated[str, typer.Option(metavar="11G", help="Needle that the cement goes through.")] = "11G",
    length: Annotated[float, typer.Option(metavar="MM", help="Length of the needle.")] = 120.0,
    flow: Annotated[float, typer.Option(metavar="ML/MIN", help="How fast it is injected.")] = 4.0,
    since: Annotated[
        float | None, typer.Option(metavar="MIN", help="Minutes since mixing began: what holds now.")
    ] = None,
) -> int:
    """Say when a cement is expected to be like toothpaste, how viscous it is, and what pressure it needs.

    Each figure is printed with its source and how certain it is. A cement without published figures is
    refused. The cement in the hand is right, not this clock. Research use only.
    """
    from thecal.needle.cement_clock import cannula_pressure_mpa, cement_clock, pressure_words
    from thecal.needle.cements import cements
    from thecal.needle.gauges import gauge as gauge_of
    from thecal.terms import RESEARCH_USE

    made = cement_clock(brand, room_temp)
    needle = gauge_of(gauge)
    table = cements()
    stages = [
        (words, table.value(what), cannula_pressure_mpa(table.value(what), needle.inner_mm, length, flow))
        for what, words in STAGES
    ]
    typer.echo(RESEARCH_USE)
    typer.echo(f"{made.cement.name} at {room_temp:g} degrees C, time from the beginning of mixing:")
    _moment("toothpaste begins", made.begins)
    _moment("toothpaste ends", made.ends)
    _moment("cured", made.cured)
    if made.injected is not None:
        first, last = made.injected
        span = f"{_minutes(first.at_s)} to {_minutes(last.at_s)}, at the study's own temperature"
        typer.echo(f"  {'injected in a study':<22}{span} ({first.source}; {CERTAIN[first.certainty]})")
    typer.echo(f"Pressure in a {needle.name} needle of {length:g} mm at {flow:g} mL/min, any cement:")
    for words, pa_s, mpa in stages:
        typer.echo(f"  {f'at {pa_s:g} Pa.s':<22}{pressure_words(mpa)} ({words}, {CERTAIN['memory']})")
    for line in viscosity_lines(made, needle.inner_mm, length, flow, since):
        typer.echo(line)
    typer.echo("Cement thins as it flows: these are the pressures of a fluid that does not.")
    typer.echo(f"Needle: {needle.source}.")
    return 0


def viscosity_lines(
    made: CementClock, inner_mm: float, length_mm: float, flow_ml_min: float, since_min: float | None
) -> list[str]:
    """Viscosity and pressure by the minute, and now; what they rest on, and how certain they are.

    Raises
    ------
    InputError
        Where the time since mixing is negative or no number.
    """
    from thecal.errors import InputError
    from thecal.needle.cements import cements

    if since_min is not None and not 0.0 <= since_min < LONGEST_MIN:
        raise InputError(f"--since is a number of minutes from 0 to {LONGEST_MIN:g}")
    said = []
    span, points = made.viscosity_span_s(), made.cement.viscosity
    sources = "; ".join(
        dict.fromkeys(
            CERTAIN["memory"]
            if p.certainty == "memory"
            else f"{cements().sources[p.source]}, {CERTAIN[p.certainty]}"
            for p in points
        )
    )
    if span is None:
        said.append(f"Viscosity of {made.cement.name}: no published figure is at hand.")
    elif span[0] == span[1]:
        known = f"{points[0].low:g}" + (f" to {points[0].high:g}" if points[0].high > points[0].low else "")
        said.append(
            f"Viscosity of {made.cement.name}: {known} Pa.s at {_minutes(span[0])} ({sources}). One point "
            "makes no curve: before and after it the viscosity is not known."
        )
    else:
        said.append(f"Viscosity of {made.cement.name} against time, and the pressure that it needs:")
        said += [
            f"  {_minutes(at):<22}{_at(made, at, inner_mm, length_mm, flow_ml_min)}"
            for at in moments(*span, TABLE_S)
        ]
        said.append(f"  Source of the points: {sources}. Between them the logarithm grows evenly.")
        if made.viscosity_is_the_window():
            said.append(
                "  These are the times of the toothpaste window with the viscosities at which it is said to "
                "begin and end: the curve holds nothing that was measured beside them."
            )
    if since_min is not None:
        at = 60.0 * since_min
        now = made.at(at)
        said.append(f"Now, {_minutes(at)} after mixing began: {now.text}.")
        seen = "not known, and so is the pressure: no published figure reaches this time"
        if now.viscosity is not None:
            seen = _at(made, at, inner_mm, length_mm, flow_ml_min)
        said.append(f"  {'viscosity now':<22}{seen}")
    return said


def moments(first: float, last: float, step: float) -> list[float]:
    """From the first to the last in steps, with both."""
    times = [first]
    while times[-1] + 1.5 * step < last:
        times.append(times[-1] + step)
    return times if first == last else [*times, last]


def _at(made: CementClock, at_s: float, inner_mm: float, length_mm: float, flow_ml_min: float) -> str:
    """Viscosity and pressure at a moment, with their certainty."""
    from thecal.needle.cement_clock import cannula_pressure_mpa, pressure_words

    found = made.viscosity(at_s)
    if found is None:
        return "not known"
    low, high = (cannula_pressure_mpa(v, inner_mm, length_mm, flow_ml_min) for v in (found.low, found.high))
    if found.low == found.high:
        return f"{found.low:.0f} Pa.s, {pressure_words(low)} ({CERTAIN[found.certainty]})"
    return (
        f"{found.low:.0f} to {found.high:.0f} Pa.s, {low:.1f} to {pressure_words(high)} "
        f"({CERTAIN[found.certainty]})"
    )


def recorded_face(mixing: tuple[str, float, float] | None) -> Clock | None:
    """The clock for a screen of a watch by its options: cement, room, and how long after mixing it began."""
    if mixing is None:
        return None
    from thecal.needle.cement_clock import cement_clock

    brand, room_c, began_s = mixing
    return face_of(cement_clock(brand, room_c), lambda at_s: began_s + at_s)


def face_of(made: CementClock, since_mixing_s: Callable[[float], float]) -> Clock:
    """The clock for a screen.

    Parameters
    ----------
    made : CementClock
    since_mixing_s : callable
        Of a time of the watch, s since it began: s since mixing began.
    """
    from thecal.fluoro.screen.clock_face import ClockFace

    moments = [m for m in (made.begins, made.ends, made.cured) if m is not None]
    sources = "; ".join(sorted({m.source for m in moments}))
    certain = made.certainty()
    known = (
        "No published times are at hand" if certain is None else f"{sources}. {CERTAIN[certain].capitalize()}"
    )
    footing = f"{known}. Feel the cement."

    def face(at_s: float) -> ClockFace:
        now = made.at(since_mixing_s(at_s))
        return ClockFace(now.since_s, now.phase, now.text, footing)

    return face


def _moment(words: str, moment: Moment | None) -> None:
    if moment is None:
        typer.echo(f"  {words:<22}not known: no published figure is at hand")
        return
    spread = "" if moment.sd_s is None else f" ± {_minutes(moment.sd_s)}"
    footing = moment.note or CERTAIN[moment.certainty]
    typer.echo(f"  {words:<22}{_minutes(moment.at_s)}{spread} ({moment.source}; {footing})")


def _minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d} min"
