"""All that is needed to run a watch again bit for bit."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.machine import machine
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.record_file import RecordFile, read_records
from thecal.fluoro.target import Target
from thecal.fluoro.target_file import target_from_bytes, target_to_bytes

QUEUE: Final = 64
"""Steps that may wait to be written."""
PATIENCE_S: Final = 0.5
"""How long a live watch waits for a disk that is too slow, before it goes on without a recording."""
NAME: Final = "recording.thecal"


@dataclass(frozen=True, eq=False)
class Opening:
    """What a recording begins with.

    Attributes
    ----------
    thecal : str
        The version that recorded.
    source : str
        As it is said.
    options : WatchOptions
    geometry : SourceGeometry or None
    target : Target
    machine : str
        The kind of computer that recorded; empty where it is not known.
    """

    thecal: str
    source: str
    options: WatchOptions
    geometry: SourceGeometry | None
    target: Target
    machine: str = ""


@dataclass(frozen=True, eq=False)
class Step:
    """One thing that happened, in its order.

    Attributes
    ----------
    kind : str
        "frame", "told", "broke", "tick", "lost", "unreadable", "passed", "noted", "end", or "said" for the
        lines that the steps before it led to.
    at_s : float
    frame : Frame or None
        With "frame": as it came.
    values : dict
        The rest.
    """

    kind: str
    at_s: float
    frame: Frame | None
    values: dict[str, Any]


class Recorder:
    """Writes a recording in a thread of its own.

    A disk that is full or gone ends the recording, never the watch: ``failed`` then says why.

    Parameters
    ----------
    path : Path
        Must not exist.
    opening : Opening
    patience_s : float or None
        How long a full queue is waited for; None for ever, where nothing is live.
    """

    def __init__(self, path: Path, opening: Opening, patience_s: float | None = PATIENCE_S) -> None:
        self._file = RecordFile(path)
        self._patience_s = patience_s
        self.failed: str | None = None
        self._queue: queue.Queue[tuple[dict[str, Any], Frame | None] | None] = queue.Queue(QUEUE)
        head = {
            "thecal": opening.thecal,
            "source": opening.source,
            "machine": opening.machine or machine(),
            "options": asdict(opening.options),
            "geometry": None if opening.geometry is None else asdict(opening.geometry),
        }
        self._file.append("HEAD", _json(head))
        self._file.append("TARG", target_to_bytes(opening.target))
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def step(self, kind: str, at_s: float, frame: Frame | None = None, **values: Any) -> None:
        """Put one step down."""
        if self.failed is not None:
            return
        try:
            self._queue.put(({"kind": kind, "at_s": at_s, **values}, frame), timeout=self._patience_s)
        except queue.Full:
            self.failed = "the disk is too slow"

    def close(self) -> None:
        """Write what waits, and end."""
        self._queue.put(None)
        self._thread.join()

    def _write(self) -> None:
        while (waiting := self._queue.get()) is not None:
            if self.failed is not None:
                continue
            values, frame = waiting
            try:
                if frame is None:
                    self._file.append("STEP", _json(values))
                else:
                    self._file.append("FRAM", _packed_frame(values, frame))
            except OSError as error:
                self.failed = error.strerror or type(error).__name__
            # A thread that dies would be waited for.
            except Exception as error:  # noqa: BLE001
                self.failed = f"a defect in thecal ({type(error).__name__})"
        try:
            self._file.close()
        except OSError as error:
            self.failed = self.failed or error.strerror


def read_opening(path: Path) -> Opening:
    """What a recording begins with.

    Raises
    ------
    InputError
        Where it is no recording, or ends before its first picture.
    """
    head: dict[str, Any] | None = None
    for record in read_records(path):
        if record.kind == "HEAD":
            head = json.loads(record.content)
        elif record.kind == "TARG" and head is not None:
            return _opening(head, target_from_bytes(record.content, str(path)), path)
        else:
            break
    raise InputError(f"The recording {path} ends before its first picture")


def _opening(head: dict[str, Any], target: Target, path: Path) -> Opening:
    try:
        where = head["geometry"]
        return Opening(
            head["thecal"],
            head["source"],
            _options(head["options"]),
            None if where is None else _geometry(where),
            target,
            head["machine"],
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"The recording {path} is of another version of thecal") from error


def _options(values: dict[str, Any]) -> WatchOptions:
    lists = {name: tuple(values[name]) for name in ("at", "walls", "mixing") if values.get(name) is not None}
    return WatchOptions(**values | lists)


def _geometry(values: dict[str, Any]) -> SourceGeometry:
    return SourceGeometry(**values | {"shape": tuple(values["shape"])})


def read_steps(path: Path) -> Iterator[Step]:
    """What happened, step by step, up to the last that is whole."""
    for record in read_records(path):
        if record.kind == "STEP":
            values = json.loads(record.content)
            yield Step(values.pop("kind"), values.pop("at_s"), None, values)
        elif record.kind == "FRAM":
            yield _unpacked_frame(record.content)


def digest(reading: Reading) -> str:
    """A hash of everything in a reading, to the last bit."""
    told = hashlib.sha256()
    plain = {name: value for name, value in vars(reading).items() if name not in ("outlines", "cement")}
    # repr of a float is its bits.
    told.update(repr(sorted(plain.items())).encode())
    for outline in reading.outlines:
        told.update(repr((outline.name, outline.closed, outline.pixels.shape)).encode())
        told.update(np.ascontiguousarray(outline.pixels).tobytes())
    if reading.cement is not None:
        told.update(repr(reading.cement.shape).encode() + np.packbits(reading.cement).tobytes())
    return told.hexdigest()


def _json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":")).encode()


def _packed_frame(values: dict[str, Any], frame: Frame) -> bytes:
    """Differences along the rows, high and low bytes apart, zlib: as small as PNG and no slower."""
    pixels = np.ascontiguousarray(frame.pixels)
    packed = zlib.compress(_bytes_apart(_steps_along_rows(pixels)), 1)
    about = _json(
        values
        | {
            "number": frame.number,
            "time_s": frame.time_s,
            "shape": list(pixels.shape),
            "bits": 8 * pixels.itemsize,
        }
        | ({} if frame.geometry is None else {"geometry": asdict(frame.geometry)})
    )
    return about + b"\n" + packed


def _unpacked_frame(content: bytes) -> Step:
    about, _, packed = content.partition(b"\n")
    values = json.loads(about)
    shape = tuple(values.pop("shape"))
    kind = np.uint8 if values.pop("bits") == 8 else np.uint16
    flat = np.frombuffer(zlib.decompress(packed), np.uint8)
    size = np.dtype(kind).itemsize
    steps = np.ascontiguousarray(flat.reshape(size, -1).T).view(kind).reshape(shape)
    pixels = np.add.accumulate(steps, axis=-1, dtype=kind)
    where = values.pop("geometry", None)
    geometry = None if where is None else _geometry(where)
    frame = Frame(values.pop("number"), values.pop("time_s"), pixels, geometry)
    return Step(values.pop("kind"), values.pop("at_s"), frame, values)


def _steps_along_rows(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    steps = pixels.copy()
    steps[..., 1:] -= pixels[..., :-1]
    return steps


def _bytes_apart(pixels: npt.NDArray[Any]) -> bytes:
    return np.ascontiguousarray(pixels.reshape(-1, 1).view(np.uint8).T).tobytes()
