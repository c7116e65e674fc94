"""A watch from its first picture to its page: what lies in the folder afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from thecal.errors import InputError
from thecal.fluoro.injection.chronicle import Chronicle
from thecal.fluoro.injection.page import write_injection_page
from thecal.fluoro.sources.arrival import Source
from thecal.fluoro.stream.lines import NAME as EVENTS
from thecal.fluoro.stream.lines import Lines
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.recording import NAME as RECORDING
from thecal.fluoro.stream.recording import PATIENCE_S, Opening, Recorder
from thecal.fluoro.stream.replay import Replayed, replay, start_event
from thecal.fluoro.stream.session import Session, Speed, Told
from thecal.fluoro.stream.watch import Watch
from thecal.report.replaced_files import check_writable


def run_watch(
    source: Source,
    model: PictureModel,
    opening: Opening,
    out: Path,
    *,
    speed: Speed = "real",
    told: Sequence[Told] = (),
    stream: TextIO | None = None,
    begun: Callable[[Session], None] | None = None,
) -> Chronicle:
    """Watch a source; leaves recording, events and page in ``out``.

    Parameters
    ----------
    source : Source
    model : PictureModel
    opening : Opening
    out : Path
        Made where it does not exist; must hold no recording.
    speed : "real" or "full"
    told : sequence of Told
        Are told beside the files.
    stream : TextIO, optional
        Gets the lines too.
    begun : callable, optional
        Is given the session before it runs, to stop it.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to, or holds a recording.
    """
    check_writable(out)
    if (out / RECORDING).exists():
        raise InputError(f"--out {out} holds a recording already; a watch never writes over one")
    out.mkdir(parents=True, exist_ok=True)
    chronicle = Chronicle()
    live = source.live or speed == "real"
    recorder = Recorder(out / RECORDING, opening, PATIENCE_S if live else None)
    lines = Lines(out / EVENTS, stream)
    try:
        lines.say(start_event(opening))
        watch = Watch(every_frame=opening.options.every_frame)
        session = Session(watch, model, [*told, lines, chronicle], recorder)
        if begun is not None:
            begun(session)
        session.run(source, speed=speed)
    finally:
        recorder.close()
        lines.close()
    write_injection_page(out, opening, chronicle)
    return chronicle


def run_replay(
    recording: Path,
    opening: Opening,
    model: PictureModel,
    out: Path | None,
    *,
    told: Sequence[Told] = (),
    pace: Callable[[float], None] | None = None,
) -> Replayed:
    """Replay a recording; with ``out`` the events and the page are written again.

    Raises
    ------
    InputError
        Where the recording is damaged, or ``out`` cannot be written to.
    """
    if out is None:
        return replay(recording, opening, model, told, pace)
    check_writable(out)
    out.mkdir(parents=True, exist_ok=True)
    chronicle, lines = Chronicle(), Lines(out / EVENTS)
    try:
        lines.say(start_event(opening))
        replayed = replay(recording, opening, model, [*told, lines, chronicle], pace)
    finally:
        lines.close()
    write_injection_page(out, opening, chronicle)
    return replayed
