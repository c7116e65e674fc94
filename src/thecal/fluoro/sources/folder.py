"""A folder of pictures: one that is full, and one that fills while it is watched."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry, SourceLost, Unreadable
from thecal.fluoro.sources.grey import Grey, read_picture
from thecal.fluoro.sources.xa import FRAMES_PER_S, XaFile, by_number, is_dicom, read_xa

PICTURES: Final = (".png", ".tif", ".tiff", ".bmp", ".jpg", ".jpeg")
POLL_S: Final = 0.02
COARSE_NS: Final = 50_000_000
NEW: Final = "a new file"
GIVEN_UP_S: Final = 2.0
"""A file that does not become a picture within this time is said to be none."""


class FullFolder:
    """Picture files that are all there, in the order of their names.

    Parameters
    ----------
    paths : list of Path
    rate_hz : float
        Pictures a second.
    """

    name = "a folder of pictures"
    live = False
    states_times = False
    geometry: SourceGeometry | None = None

    def __init__(self, paths: list[Path], rate_hz: float = FRAMES_PER_S) -> None:
        self._paths, self._rate_hz = paths, rate_hz
        self._stopped = Event()

    def arrivals(self) -> Iterator[Arrival]:
        """The files one after the other."""
        for number, path in enumerate(self._paths):
            if self._stopped.is_set():
                return
            try:
                yield Frame(number, number / self._rate_hz, read_any(path))
            except ValueError:
                yield Unreadable(f"file {number + 1} of the folder is no whole picture")

    def stop(self) -> None:
        """End ``arrivals``."""
        self._stopped.set()


@dataclass(frozen=True, eq=False)
class _Run:
    """The pictures of one file, their times from the first on, and how the C-arm stood."""

    pixels: list[Grey]
    times_s: list[float]
    geometry: SourceGeometry | None


class FillingFolder:
    """A folder that fills: each new file is a picture, or a run of them, timed when it was seen.

    A file that is still being written is tried again until it is whole; files that come after it wait for
    it no longer than ``GIVEN_UP_S``. Names may be anything that sorts in the order of the pictures, by the
    numbers in them.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    tells_later : bool
        Whether nothing lies in it yet, so that its first picture may say how the C-arm stands.

    Raises
    ------
    InputError
        Where a DICOM file lies in it that a watch cannot use.
    """

    name = "a folder that fills"
    live = True
    states_times = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stopped = Event()
        there = pictures_in(folder)
        first = next((path for path in there if _may_be_dicom(path)), None)
        # Of a folder that is still empty, the first DICOM picture brings it.
        self.tells_later = not there
        self.geometry: SourceGeometry | None = None if first is None else XaFile(first).geometry

    def arrivals(self) -> Iterator[Arrival]:
        """New files until it is stopped."""
        done: set[str] = set()
        since: dict[str, float] = {}
        begun = time.monotonic()
        number, gone, unchanged = 0, False, 0
        while not self._stopped.is_set():
            try:
                stamp = self._folder.stat().st_mtime_ns
                if stamp == unchanged and not since:
                    self._stopped.wait(POLL_S)
                    continue
                # A stamp is as coarse as the kernel's clock: one of just now may hide a file that comes yet.
                unchanged = stamp if time.time_ns() - stamp > COARSE_NS else 0
                fresh = sorted(_names(self._folder, done), key=by_number)
            except OSError:
                if not gone:
                    yield SourceLost("the folder is gone")
                gone = True
                self._stopped.wait(POLL_S)
                continue
            gone = False
            for name in fresh:
                now = time.monotonic()
                path = self._folder / name
                try:
                    run = _run_of(path) if _may_be_dicom(path) else _Run([read_any(path)], [0.0], None)
                except (ValueError, OSError, InputError) as error:
                    if now - since.setdefault(name, now) < GIVEN_UP_S:
                        break
                    done.add(name)
                    since.pop(name)
                    # What is said of it is kept, and the name of a file may be a patient's.
                    known = isinstance(error, InputError)
                    yield Unreadable(str(error).replace(name, NEW) if known else f"{NEW} is no picture")
                    continue
                done.add(name)
                since.pop(name, None)
                yield from self._pictures(run, number, begun)
                number += len(run.pixels)
            self._stopped.wait(POLL_S)

    def _pictures(self, run: _Run, number: int, begun: float) -> Iterator[Arrival]:
        """The frames of one file, at their own pace from now on."""
        now = time.monotonic()
        for pixels, time_s in zip(run.pixels, run.times_s, strict=True):
            if self._stopped.wait(max(now + time_s - time.monotonic(), 0.0)):
                return
            yield Frame(number, now + time_s - begun, pixels, run.geometry)
            number += 1

    def stop(self) -> None:
        """End ``arrivals``."""
        self._stopped.set()


def pictures_in(folder: Path) -> list[Path]:
    """The picture files of a folder by the numbers in their names, none that is hidden or temporary."""
    return [folder / name for name in sorted(_names(folder, set()), key=by_number)]


def read_any(path: Path) -> Grey:
    """A picture file of any kind; raises ``ValueError`` where it is none or not whole yet."""
    if path.suffix.lower() in PICTURES:
        return read_picture(path)
    return read_xa(path)


def _may_be_dicom(path: Path) -> bool:
    return path.suffix.lower() not in PICTURES


def _run_of(path: Path) -> _Run:
    """A DICOM file of one frame or many; raises ``ValueError`` where it is none or not whole yet.

    Raises
    ------
    InputError
        Where it is whole, and says what a watch cannot use.
    """
    file = XaFile(path)
    pixels, times = [], []
    for arrival in file.arrivals():
        if not isinstance(arrival, Frame):
            raise ValueError(f"{path.name} is no whole DICOM picture")
        pixels.append(arrival.pixels)
        times.append(arrival.time_s)
    if not pixels or len(pixels) != file.frames:
        raise ValueError(f"{path.name} is no whole DICOM picture")
    return _Run(pixels, times, file.geometry)


def holds_directory(folder: Path) -> bool:
    """Whether a DICOMDIR lies in it: the table of contents of a disc, no picture."""
    return any(_is_directory(path.name) for path in folder.iterdir())


def _is_directory(name: str) -> bool:
    return name.upper() == "DICOMDIR"


def _names(folder: Path, known: set[str]) -> list[str]:
    import os

    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name in known:
                continue
            suffix = Path(entry.name).suffix.lower()
            hidden = entry.name.startswith((".", "~")) or suffix in (".tmp", ".part")
            if hidden or _is_directory(entry.name) or not entry.is_file():
                continue
            if suffix in PICTURES or suffix == ".dcm" or is_dicom(Path(entry.path)):
                names.append(entry.name)
    return names
