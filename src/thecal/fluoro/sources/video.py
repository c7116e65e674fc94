"""A video file, a capture device, or a stream by RTSP, read by OpenCV."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any, Final
from urllib.parse import urlsplit

from thecal.errors import InputError
from thecal.extras import load_extra
from thecal.fluoro.frame import Frame
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry, SourceLost, Unreadable
from thecal.fluoro.sources.grey import to_grey
from thecal.fluoro.sources.xa import FRAMES_PER_S

RETRY_S: Final = 0.3
FASTEST_HZ: Final = 1000.0
"""A film that states more frames a second states none."""
OPEN_MS: Final = 3000
READ_MS: Final = 1000
"""How long OpenCV waits for a stream; the timer of the watch does not wait for it."""


class VideoFile:
    """A film, at the times that it states of its frames, or by its rate.

    Parameters
    ----------
    path : Path
    rate_hz : float
        Pictures a second where it states neither.

    Raises
    ------
    InputError
        Where OpenCV is not installed or does not read it.
    """

    name = "a film"
    live = False
    geometry: SourceGeometry | None = None

    def __init__(self, path: Path, rate_hz: float = FRAMES_PER_S) -> None:
        self._path = path
        self._stopped = Event()
        cv2 = _cv2()
        film = cv2.VideoCapture(str(path))
        if not film.isOpened():
            raise InputError(f"{path.name} is no film that can be read")
        rate = float(film.get(cv2.CAP_PROP_FPS))
        self.states_times = 0.0 < rate < FASTEST_HZ
        self._rate_hz = rate if self.states_times else rate_hz
        film.release()

    def arrivals(self) -> Iterator[Arrival]:
        """The frames one after the other."""
        cv2 = _cv2()
        film = cv2.VideoCapture(str(self._path))
        number, began_s, time_s = 0, 0.0, 0.0
        try:
            while not self._stopped.is_set():
                came, pixels = film.read()
                if not came:
                    return
                own_s = float(film.get(cv2.CAP_PROP_POS_MSEC)) / 1000.0
                if number == 0:
                    began_s = own_s
                else:
                    # Frames of one time are as far apart as the rate says.
                    later = own_s - began_s > time_s
                    time_s = own_s - began_s if later else time_s + 1.0 / self._rate_hz
                yield Frame(number, time_s, to_grey(pixels[..., ::-1] if pixels.ndim == 3 else pixels))
                number += 1
        finally:
            film.release()

    def stop(self) -> None:
        """End ``arrivals``."""
        self._stopped.set()


class Stream:
    """A capture device or a stream: it is opened again and again while it is lost.

    Parameters
    ----------
    where : int or str
        Number or path of a device, or an rtsp:// address.
    name : str
    """

    live = True
    states_times = True
    geometry: SourceGeometry | None = None

    def __init__(self, where: int | str, name: str) -> None:
        _cv2()
        self.name = name
        self._where = where
        self._stopped = Event()

    def arrivals(self) -> Iterator[Arrival]:
        """Pictures until it is stopped."""
        begun = time.monotonic()
        number, opened = 0, None
        try:
            while not self._stopped.is_set():
                if opened is None:
                    opened = self._opened()
                if opened is None:
                    yield SourceLost(f"{self.name} cannot be opened")
                    self._stopped.wait(RETRY_S)
                    continue
                came, pixels = opened.read()
                if not came:
                    opened.release()
                    opened = None
                    yield SourceLost(f"{self.name} gives no picture any more")
                    self._stopped.wait(RETRY_S)
                    continue
                try:
                    grey = to_grey(pixels[..., ::-1] if pixels.ndim == 3 else pixels)
                except ValueError:
                    yield Unreadable(f"{self.name} gave something that is no picture")
                    continue
                yield Frame(number, time.monotonic() - begun, grey)
                number += 1
        finally:
            if opened is not None:
                opened.release()

    def stop(self) -> None:
        """End ``arrivals`` with the next picture, or when the wait for it ends."""
        self._stopped.set()

    def _opened(self) -> Any | None:
        cv2 = _cv2()
        if isinstance(self._where, str) and "://" in self._where:
            waits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
            opened = cv2.VideoCapture(self._where, cv2.CAP_FFMPEG, waits)
        else:
            opened = cv2.VideoCapture(self._where)
            opened.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        if opened.isOpened():
            return opened
        opened.release()
        return None


def check_host(address: str, *, network: bool) -> None:
    """Refuse a stream from another computer unless that was asked for.

    Raises
    ------
    InputError
        Where the address names no host, or another computer's and ``network`` is false.
    """
    try:
        host = urlsplit(address).hostname
        # A port that is no number is found here.
        _ = urlsplit(address).port
    except ValueError:
        host = None
    if not host:
        raise InputError("The address of a stream is rtsp://HOST:PORT/PATH")
    if network or host == "localhost":
        return
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise InputError(f"{host} is another computer: --network allows a stream from it")


def stream_name(address: str) -> str:
    """The computer that an address is of: without names, passwords and the path, which may be a patient's."""
    parts = urlsplit(address)
    port = f":{parts.port}" if parts.port else ""
    return f"a stream of {parts.hostname}{port}"


def _cv2() -> Any:
    import os

    # Over TCP a picture is whole or late, never half; set before OpenCV is loaded.
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    return load_extra("cv2", "watch")
