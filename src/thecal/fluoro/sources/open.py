"""Which source a word on the command line means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from thecal.errors import InputError
from thecal.fluoro.sources.arrival import Source
from thecal.fluoro.sources.folder import FillingFolder, FullFolder, holds_directory, pictures_in
from thecal.fluoro.sources.video import Stream, VideoFile, check_host, stream_name
from thecal.fluoro.sources.xa import XaFile, XaFolder, is_dicom, one_run

STREAMS: Final = ("rtsp://", "rtsps://")


def open_source(text: str, *, live: bool = False, network: bool = False) -> Source:
    """The source that a text names.

    Parameters
    ----------
    text : str
        A DICOM file, a folder, a film, /dev/video0 or a camera's number, rtsp://127.0.0.1/....
    live : bool
        Of a folder: whether pictures are still to come. An empty folder is one that fills anyway.
    network : bool
        Whether a stream may come from another computer.

    Raises
    ------
    InputError
        Where it is none of these, or cannot be read.
    """
    if text.startswith(STREAMS):
        check_host(text, network=network)
        return Stream(text, stream_name(text))
    if text.isdecimal():
        return Stream(int(text), f"camera {text}")
    path = Path(text)
    if text.startswith("/dev/"):
        return Stream(text, path.name)
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
            return XaFile(files[0]) if len(files) == 1 else XaFolder(files, path.name)
        return FullFolder(files, path.name)
    if is_dicom(path):
        return XaFile(path)
    return VideoFile(path)
