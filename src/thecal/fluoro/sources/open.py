"""Which source a word on the command line means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.fluoro.sources.arrival import Source
from thecal.fluoro.sources.cropped import Cropped, Part
from thecal.fluoro.sources.folder import FillingFolder, FullFolder, holds_directory, pictures_in
from thecal.fluoro.sources.video import FASTEST_HZ, Stream, VideoFile, check_host, stream_name
from thecal.fluoro.sources.xa import FRAMES_PER_S, XaFile, XaFolder, is_dicom, one_run

STREAMS: Final = ("rtsp://", "rtsps://")


def open_source(
    text: str,
    *,
    live: bool = False,
    network: bool = False,
    rate_hz: float | None = None,
    part: Part | None = None,
) -> Source:
    """The source that a text names.

    Parameters
    ----------
    text : str
        A DICOM file, a folder, a film, /dev/video0 or a camera's number, rtsp://127.0.0.1/....
    live : bool
        Of a folder: whether pictures are still to come. An empty folder is one that fills anyway.
    network : bool
        Whether a stream may come from another computer.
    rate_hz : float, optional
        Pictures a second of a source that states neither times nor a rate.
    part : Part, optional
        Of the pictures of a film, a camera or a stream: all else is cut off.

    Raises
    ------
    InputError
        Where it is none of these, or cannot be read.
    """
    if rate_hz is not None and not 0.0 < rate_hz <= FASTEST_HZ:
        raise InputError(f"--fps is a rate above 0, up to {FASTEST_HZ:g} pictures a second")
    streamed = text.startswith(STREAMS)
    if network and not streamed:
        raise InputError("--network is for a stream from another computer; the source is of this one")
    if live and not (streamed or text.isdecimal() or text.startswith("/dev/")) and Path(text).is_file():
        raise InputError("--live is for a folder that fills; the source is one file")
    source = _opened(text, live, network, FRAMES_PER_S if rate_hz is None else rate_hz)
    if rate_hz is not None and source.states_times:
        kind = "is live" if source.live else "states the times of its pictures"
        raise InputError(f"The source {kind}: --fps is for one that states none")
    return source if part is None else Cropped(source, part)


def _opened(text: str, live: bool, network: bool, rate_hz: float) -> Source:
    if text.startswith(STREAMS):
        check_host(text, network=network)
        return Stream(text, stream_name(text))
    if text.isdecimal():
        return Stream(int(text), "a camera")
    path = Path(text)
    if text.startswith("/dev/"):
        return Stream(text, "a camera")
    if not path.exists():
        raise InputError(f"There is no {text}")
    if path.is_dir():
        files = [] if live else pictures_in(path)
        if not files:
            if not live and holds_directory(path):
                raise InputError(
                    "The folder holds a DICOMDIR and no picture: name the file or folder that holds the run"
                )
            return FillingFolder(path)
        one_run([file for file in files if is_dicom(file)])
        if all(is_dicom(file) for file in files):
            return XaFile(files[0], rate_hz) if len(files) == 1 else XaFolder(files, rate_hz)
        return FullFolder(files, rate_hz)
    if is_dicom(path):
        return XaFile(path, rate_hz)
    return VideoFile(path, rate_hz)
