"""``thecal watch``: pictures of an injection in, what the cement does said at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from thecal.fluoro.stream.session import Session, Told


class View(StrEnum):
    """How the C-arm stands."""

    LATERAL = "lateral"
    AP = "ap"


class Tip(StrEnum):
    """Where the needle's tip was seen on the lateral view."""

    BEHIND = "behind"
    PAST = "past"


class Posterior(StrEnum):
    """Which part of the body cement must not reach."""

    THIRD = "third"
    QUARTER = "quarter"


class PutIn(StrEnum):
    """Which of the planned needles are put in."""

    ONE = "one"
    LEFT = "left"
    RIGHT = "right"
    BOTH = "both"


class Show(StrEnum):
    """Where it is shown."""

    WEB = "web"
    NONE = "none"


class Speed(StrEnum):
    """How fast a file is played."""

    REAL = "real"
    FULL = "full"


Port = Annotated[int, typer.Option(metavar="PORT", help="Port of the page on this computer; 0 for any.")]
Sound = Annotated[bool, typer.Option("--sound", help="Sound in the page, and the terminal's bell.")]


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A DICOM XA or RF file, a folder (also one that fills), a film, a camera (/dev/video0 or "
            "its number), or rtsp://127.0.0.1/...",
        ),
    ],
    plan: Annotated[Path, typer.Option("--plan", metavar="DIR", help="Folder of thecal plan.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for recording, events and page.")],
    level: Annotated[
        str | None, typer.Option(metavar="T12", help="Which of the planned vertebrae is watched.")
    ] = None,
    view: Annotated[
        View | None, typer.Option(help="How the C-arm stands; goes before what the source states.")
    ] = None,
    posterior: Annotated[
        Posterior, typer.Option(help="Stop when cement reaches this part of the body.")
    ] = Posterior.THIRD,
    sid: Annotated[
        float | None,
        typer.Option(metavar="MM", help="Source to detector; goes before what the source states."),
    ] = None,
    sod: Annotated[float | None, typer.Option(metavar="MM", help="Source to patient, likewise.")] = None,
    pixel: Annotated[
        float | None, typer.Option(metavar="MM", help="Pixel pitch at the detector, likewise.")
    ] = None,
    primary: Annotated[
        float | None,
        typer.Option(metavar="DEG", help="C-arm towards her left (LAO, 90) or right (RAO, -90), likewise."),
    ] = None,
    secondary: Annotated[
        float | None,
        typer.Option(metavar="DEG", help="Detector towards the head (CRAN, +) or feet (CAUD, -), likewise."),
    ] = None,
    fps: Annotated[
        float | None,
        typer.Option(
            metavar="HZ", help="Pictures a second, of a source that states neither times nor a rate."
        ),
    ] = None,
    flip: Annotated[
        bool | None, typer.Option("--flip/--no-flip", help="The pictures are mirrored left to right.")
    ] = None,
    crop: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN,ROWS,COLUMNS",
            help="Of a film, camera or stream: the part that shows the fluoroscopy. Only it is recorded.",
        ),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="ROW,COLUMN",
            help="Where the middle of the body is seen on the first picture, in pixels.",
        ),
    ] = None,
    walls: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="ROW,COLUMN ROW,COLUMN",
            help="On a lateral picture, instead of --at: the middle of the body's posterior wall, then of "
            "its anterior wall.",
        ),
    ] = None,
    tip: Annotated[
        Tip | None,
        typer.Option(
            help="The lateral view has shown the needle's tip behind the posterior wall, or past it."
        ),
    ] = None,
    needle: Annotated[
        PutIn | None,
        typer.Option(
            help="Which planned needles are put in: the one that goes in alone, or left, right, both of "
            "the pair."
        ),
    ] = None,
    supine: Annotated[
        bool, typer.Option("--supine", help="With --view ap: she lies on her back; prone otherwise.")
    ] = False,
    cement: Annotated[
        str | None, typer.Option(metavar="BRAND", help="Shows the cement clock of this cement.")
    ] = None,
    mixed_at: Annotated[
        str | None, typer.Option("--mixed-at", metavar="HH:MM:SS", help="When mixing began.")
    ] = None,
    since_mixing: Annotated[
        float | None, typer.Option("--since-mixing", metavar="S", help="Or how long ago it began.")
    ] = None,
    room_temp: Annotated[
        float | None,
        typer.Option("--room-temp", metavar="C", help="Of the room, with --cement; 21 if not said."),
    ] = None,
    show: Annotated[
        Show, typer.Option(help="A page on this computer's own address, or nothing.")
    ] = Show.NONE,
    port: Port = 0,
    sound: Sound = False,
    speed: Annotated[Speed, typer.Option(help="A file at its own pace, or as fast as can be.")] = Speed.REAL,
    every_frame: Annotated[
        bool, typer.Option("--every-frame", help="Say each reading, not only changes of level.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Of a folder: wait for more pictures than lie in it.")
    ] = False,
    network: Annotated[bool, typer.Option("--network", help="Allow a stream from another computer.")] = False,
) -> int:
    """Watch the injection of cement on fluoroscopy.

    Says ok, near, stop, leak or lost, one JSON line an event on stdout; leaves a recording for thecal replay,
    the events and a page in --out. Ends with its source, or when it is stopped by Ctrl-C. Exit status: 0 it
    was watched, also where an alarm was said; 6 nothing could be told at any time; 2 the input cannot be
    used; 1 a defect in thecal. Research use only.
    """
    import sys
    from dataclasses import replace

    from thecal import __version__
    from thecal.cli import EXIT_NOTHING_TOLD, EXIT_OK
    from thecal.cli.compiled import tell_if_cold
    from thecal.cli.mixing import mixed_cement
    from thecal.cli.picture_places import part_of_picture, place
    from thecal.cli.picture_places import walls as walls_of
    from thecal.errors import InputError
    from thecal.fluoro.screen.bell import Bell
    from thecal.fluoro.sources.folder import FillingFolder
    from thecal.fluoro.sources.open import open_source
    from thecal.fluoro.sources.xa import FRAMES_PER_S
    from thecal.fluoro.stream.machine import machine
    from thecal.fluoro.stream.options import WatchOptions
    from thecal.fluoro.stream.planned_model import PlannedModel
    from thecal.fluoro.stream.recording import Opening
    from thecal.fluoro.stream.run import run_watch
    from thecal.fluoro.target_file import read_planned_target

    mixed = mixed_cement(cement, room_temp, mixed_at, since_mixing)
    if mixed is not None and show is not Show.WEB:
        raise InputError("The cement clock is shown on the page: --cement needs --show web")
    if sound and show is not Show.WEB and not sys.stderr.isatty():
        raise InputError("--sound needs the page, --show web, or a terminal with a bell")
    target = read_planned_target(plan, level)
    pictures = open_source(source, live=live, network=network, rate_hz=fps, part=part_of_picture(crop))
    if pictures.live and speed is Speed.FULL:
        raise InputError("The source is live: --speed full is for a film or a file")
    options = WatchOptions(
        posterior=posterior.value,
        view=None if view is None else view.value,
        every_frame=every_frame,
        sid_mm=sid,
        sod_mm=sod,
        pitch_mm=pixel,
        clock="" if mixed is None else f"{mixed.clock.cement.name}, room at {mixed.room_c:g} degrees C",
        primary_deg=primary,
        secondary_deg=secondary,
        flip=flip,
        at=place("--at", at),
        walls=walls_of(walls, at),
        tip=None if tip is None else tip.value,
        needle=None if needle is None else needle.value,
        supine=supine,
    )
    tell_if_cold()
    later = isinstance(pictures, FillingFolder) and pictures.tells_later
    model = PlannedModel(target, options, pictures.geometry, later=later)
    assumed = list(model.assumed)
    if fps is None and not pictures.states_times:
        assumed.append(f"{FRAMES_PER_S:g} pictures a second (--fps)")
    if assumed:
        typer.echo(f"Assumed, since the source does not state it: {', '.join(assumed)}.", err=True)
    if model.overruled:
        typer.echo(f"Taken instead of what the source states: {', '.join(model.overruled)}.", err=True)
    if pictures.live:
        from thecal.fluoro.stream.warm_up import warm_up

        typer.echo("Getting ready.", err=True)
        warm_up(target, options, pictures.geometry)
        typer.echo("Ready.", err=True)
    # Only now: reading the plan and getting ready took their time.
    if mixed is not None:
        options = replace(options, mixing=(mixed.clock.cement.name, mixed.room_c, mixed.since_s()))
    opening = Opening(__version__, pictures.name, options, pictures.geometry, target, machine())
    told: list[Told] = [Bell(sys.stderr)] if sound and sys.stderr.isatty() else []
    screen = None
    if show is Show.WEB:
        from thecal.cli.clock import face_of, recorded_face
        from thecal.fluoro.screen.web import WebScreen

        face = recorded_face(options.mixing)
        if mixed is not None and (pictures.live or speed is Speed.REAL):
            face = face_of(mixed.clock, lambda _: mixed.since_s())
        screen = WebScreen(target.level, posterior.value, port=port, sound=sound, clock=face)
        typer.echo(f"Watching at {screen.address}", err=True)
        told.append(screen)
    try:
        with _stopped_by_signal() as begun:
            chronicle = run_watch(
                pictures, model, opening, out, speed=speed.value, told=told, stream=sys.stdout, begun=begun
            )
    finally:
        if screen is not None:
            screen.close()
    from thecal.fluoro.injection.page import headline, nothing_told

    for sentence in headline(opening, chronicle):
        typer.echo(sentence, err=True)
    typer.echo(f"Page: {out / 'injection.html'}", err=True)
    return EXIT_NOTHING_TOLD if nothing_told(chronicle) else EXIT_OK


@contextmanager
def _stopped_by_signal() -> Iterator[Callable[[Session], None]]:
    """The first Ctrl-C ends the watch well, a second one the program; yields what is told of the session."""
    import signal

    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    def begun(session: Session) -> None:
        def stop(number: int, _: object) -> None:
            session.stop()
            signal.signal(number, signal.SIG_DFL)

        for number in numbers:
            signal.signal(number, stop)

    try:
        yield begun
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
