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
) -> int:
    """Say when a cement is expected to be like toothpaste, and what pressure it then needs.

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
    typer.echo("Cement thins as it flows: these are the pressures of a fluid that does not.")
    typer.echo(f"Needle: {needle.source}.")
    return 0


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
