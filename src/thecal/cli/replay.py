"""``thecal replay``: a recording is run again, and is the same or not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from thecal.cli.watch import Port, Show, Sound, Speed


def replay(
    recording: Annotated[
        Path, typer.Argument(metavar="RECORDING", help="recording.thecal, or the folder of thecal watch.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Folder for the events and the page made anew."),
    ] = None,
    show: Annotated[
        Show, typer.Option(help="A page on this computer's own address, or nothing.")
    ] = Show.NONE,
    port: Port = 0,
    sound: Sound = False,
    speed: Annotated[Speed, typer.Option(help="As it was, or as fast as can be.")] = Speed.FULL,
) -> int:
    """Run a recording of thecal watch again, and compare reading for reading and line for line, bit for bit.

    Exit status: 0 it is the same; 4 it is not, and the first difference is said; 2 the recording cannot be
    used; 1 a defect in thecal. Research use only.
    """
    from thecal import __version__
    from thecal.cli import EXIT_DIFFERENT
    from thecal.errors import InputError
    from thecal.fluoro.stream.machine import machine
    from thecal.fluoro.stream.planned_model import PlannedModel
    from thecal.fluoro.stream.recording import NAME, read_opening
    from thecal.fluoro.stream.run import run_replay
    from thecal.fluoro.stream.session import Told

    if sound and show is not Show.WEB:
        raise InputError("--sound is the page's: it needs --show web")
    path = recording / NAME if recording.is_dir() else recording
    if out is not None and out.exists() and out.resolve() == path.parent.resolve():
        raise InputError("--out is the recording's own folder, whose events would be written over")
    opening = read_opening(path)
    if opening.thecal != __version__:
        typer.echo(f"Recorded by thecal {opening.thecal}, run again by {__version__}.", err=True)
    model = PlannedModel(opening.target, opening.options, opening.geometry, later=True)
    told: list[Told] = []
    screen = None
    if show is Show.WEB:
        from thecal.cli.clock import recorded_face
        from thecal.fluoro.screen.beating import Beating
        from thecal.fluoro.screen.web import WebScreen

        chosen = opening.options
        face = recorded_face(chosen.mixing)
        page = WebScreen(opening.target.level, chosen.posterior, port=port, sound=sound, clock=face)
        typer.echo(f"Shown at {page.address}", err=True)
        screen = Beating(page)
        told.append(screen)
    try:
        done = run_replay(
            path, opening, model, out, told=told, pace=_real_time() if speed is Speed.REAL else None
        )
    finally:
        if screen is not None:
            screen.close()
    killed = "" if done.ended else " The recording has no end: its watch was killed, or its disk failed."
    counts = f"{done.pictures} pictures, {done.readings} readings and {done.lines} lines"
    elsewhere = ""
    if opening.machine != machine():
        elsewhere = f" It was recorded on another kind of computer: {opening.machine}; this is {machine()}."
    if done.difference is None:
        typer.echo(f"The same, bit for bit: {counts}.{killed}")
        return 0
    typer.echo(
        f"Not the same, first after {done.difference.at_s:.3f} s: {done.difference.text}.{elsewhere}{killed}"
    )
    return EXIT_DIFFERENT


def _real_time() -> Callable[[float], None]:
    """Waits until a time of the recording has come."""
    import time

    begun = time.monotonic()

    def wait(at_s: float) -> None:
        time.sleep(max(at_s - (time.monotonic() - begun), 0.0))

    return wait
