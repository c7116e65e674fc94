"""DICOM X-ray angiography and fluoroscopy (XA, RF): one file of many frames, or many files of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from threading import Event
from typing import Any, Final

import numpy as np

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.xa_enhanced import as_classic
from thecal.fluoro.projection.xa_geometry import states, xa_geometry
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry, Unreadable
from thecal.fluoro.sources.grey import Grey, to_grey
from thecal.fluoro.sources.xa_pixels import check_decodable, stored_frames

FRAMES_PER_S: Final = 7.5
"""Where a file does not state its rate: pulses a second in 189 vertebroplasties (Ortiz 2006, abstract)."""
STILL_DEG: Final = 0.5
"""A C-arm that turns by less stands still."""
MOST_NAMED: Final = 12
"""Runs of a folder that are named."""
TURNS: Final = "The C-arm turns during this run; a watch needs one that stands"


class XaFile:
    """A multi-frame file.

    Parameters
    ----------
    path : Path
    rate_hz : float
        Pictures a second where it states none.

    Raises
    ------
    InputError
        Where it is no DICOM picture.
    """

    name = "a DICOM file"
    live = False

    def __init__(self, path: Path, rate_hz: float = FRAMES_PER_S) -> None:
        self._path = path
        self._stopped = Event()
        header = _header(path)
        self.geometry: SourceGeometry | None = geometry_of(header)
        self.frames = int(header.get("NumberOfFrames") or 1)
        times = frame_times_s(header, self.frames)
        self.states_times = times is not None or self.frames == 1
        self._times = times or [n / rate_hz for n in range(self.frames)]

    def arrivals(self) -> Iterator[Arrival]:
        """The frames by the file's own times, each decoded when it is asked for."""
        header = _header(self._path)
        try:
            for number, raw in enumerate(stored_frames(self._path)):
                if self._stopped.is_set():
                    return
                yield Frame(number, self._times[number], as_displayed(raw, header))
        # Whatever a decoder raises on a damaged file: the frames before it were shown.
        except Exception as error:  # noqa: BLE001
            yield Unreadable(f"a frame of the file could not be decoded ({type(error).__name__})")

    def stop(self) -> None:
        """End ``arrivals``."""
        self._stopped.set()


class XaFolder:
    """A folder of single-frame files, in the order of their instance numbers, at the times of their exposure.

    Parameters
    ----------
    paths : list of Path
    rate_hz : float
        Pictures a second where they state no time and no rate.
    """

    name = "a folder of DICOM files"
    live = False

    def __init__(self, paths: list[Path], rate_hz: float = FRAMES_PER_S) -> None:
        self._stopped = Event()
        headers = [(_header(path), path) for path in paths]
        ordered = sorted(
            headers, key=lambda pair: (int(pair[0].get("InstanceNumber") or 0), by_number(pair[1].name))
        )
        self._paths = [path for _, path in ordered]
        stated = [geometry_of(header) for header, _ in ordered]
        self.geometry: SourceGeometry | None = stated[0]
        for angle in ("primary_deg", "secondary_deg"):
            degrees = [value for one in stated if (value := getattr(one, angle)) is not None]
            if degrees and max(degrees) - min(degrees) > STILL_DEG:
                raise InputError(TURNS)
        times = _times_of_files([header for header, _ in ordered])
        self.states_times = times is not None
        self._times = times or [n / rate_hz for n in range(len(ordered))]

    def arrivals(self) -> Iterator[Arrival]:
        """The files one after the other."""
        for number, (path, time_s) in enumerate(zip(self._paths, self._times, strict=True)):
            if self._stopped.is_set():
                return
            try:
                yield Frame(number, time_s, read_xa(path))
            except ValueError:
                yield Unreadable(f"file {number + 1} of the folder is no whole DICOM picture")

    def stop(self) -> None:
        """End ``arrivals``."""
        self._stopped.set()


def read_xa(path: Path) -> Grey:
    """The picture of a single-frame file; raises ``ValueError`` where it is none."""
    try:
        header = _header(path)
        (raw,) = stored_frames(path)
        return as_displayed(raw, header)
    # Whatever a reader or a decoder raises on a file that is damaged or not whole yet.
    except Exception as error:
        raise ValueError(f"{path.name} is no whole DICOM picture") from error


def as_displayed(raw: Any, header: Any) -> Grey:
    """Greys with dense things dark.

    MONOCHROME1, and stored values that grow where less comes through (Pixel Intensity Relationship Sign of
    the enhanced forms), are turned over within their stored bits.
    """
    pixels = np.asarray(raw)
    if header.get("PixelRepresentation", 0):
        pixels = pixels.astype(np.int64) - np.int64(-(2 ** (int(header.BitsStored) - 1)))
    grey = to_grey(pixels)
    inverse = header.get("PixelIntensityRelationshipSign") == -1
    if header.get("PhotometricInterpretation") == "MONOCHROME1" or inverse:
        top = grey.dtype.type(2 ** int(header.get("BitsStored", 8 * grey.itemsize)) - 1)
        grey = top - np.minimum(grey, top)
    return grey


def frame_times_s(header: Any, frames: int) -> list[float] | None:
    """When each frame was taken, s after the first: Frame Time Vector, Frame Time, or a rate; or None."""
    vector = header.get("FrameTimeVector")
    if vector is not None and not isinstance(vector, int | float):
        steps = [float(step) for step in vector]
        if len(steps) == frames and all(step >= 0 for step in steps) and sum(steps[1:]) > 0:
            return [float(t) for t in np.cumsum([0.0, *steps[1:]]) / 1000.0]
    step_s = float(header.get("FrameTime") or 0.0) / 1000.0
    if step_s <= 0:
        stated = [float(header.get(name) or 0.0) for name in ("CineRate", "RecommendedDisplayFrameRate")]
        rate = next((rate for rate in stated if rate > 0.0), None)
        if rate is None:
            return None
        step_s = 1.0 / rate
    return [n * step_s for n in range(frames)]


def geometry_of(header: Any) -> SourceGeometry:
    """What the file states of the C-arm.

    Raises
    ------
    InputError
        Where its pixels are not square or turned, or the C-arm turns during the run.
    """
    read = xa_geometry(header, CArm())
    angles = np.array(read.angles)
    if np.abs(angles - angles[0]).max() > STILL_DEG:
        raise InputError(TURNS)
    arm = read.c_arm
    return SourceGeometry(
        arm.sid_mm if states(header, "DistanceSourceToDetector") else None,
        arm.sod_mm if states(header, "DistanceSourceToPatient") else None,
        arm.pitch_mm if states(header, "ImagerPixelSpacing") else None,
        float(angles[0, 0]) if states(header, "PositionerPrimaryAngle") else None,
        float(angles[0, 1]) if states(header, "PositionerSecondaryAngle") else None,
        arm.shape,
        read.flipped,
    )


def one_run(paths: list[Path]) -> None:
    """Refuse a folder in which a run of many frames lies beside other pictures: a watch follows one.

    Parameters
    ----------
    paths : list of Path
        DICOM files.

    Raises
    ------
    InputError
        Names the runs.
    """
    if len(paths) < 2:
        return
    frames = [(path.name, _frames_of(path)) for path in paths]
    runs = [f"{name} ({count} frames)" for name, count in frames if count > 1]
    if runs:
        more = [f"{len(runs) - MOST_NAMED} more"] if len(runs) > MOST_NAMED else []
        said = ", ".join([*runs[:MOST_NAMED], *more])
        raise InputError(
            f"The folder holds runs of many frames; a watch follows one, so name one file: {said}"
        )


def _frames_of(path: Path) -> int:
    """Frames of a DICOM file; 0 where it is no picture (a dose report lies beside many a run)."""
    from pydicom import dcmread

    try:
        header = dcmread(path, stop_before_pixels=True, specific_tags=["Rows", "NumberOfFrames"])
        return int(header.get("NumberOfFrames") or 1) if header.get("Rows") else 0
    # What is wrong with it is said where it is read.
    except Exception:  # noqa: BLE001
        return 0


def by_number(name: str) -> list[tuple[int, str]]:
    """What names are sorted by, so that picture 9 comes before picture 10."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), part) if n % 2 else (0, part) for n, part in enumerate(parts)]


def is_dicom(path: Path) -> bool:
    """Whether a file says of itself that it is DICOM."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _times_of_files(headers: list[Any]) -> list[float] | None:
    """When each file was exposed, s after the first, else by the stated rate; None where there is neither."""
    for kind in ("Acquisition", "Content"):
        taken = [_taken(header, kind) for header in headers]
        times = [(moment - taken[0]).total_seconds() for moment in taken if moment and taken[0]]
        if len(times) == len(headers) and all(a < b for a, b in pairwise(times)):
            return times
    by_rate = frame_times_s(headers[0], 2)
    return None if by_rate is None else [n * by_rate[1] for n in range(len(headers))]


def _taken(header: Any, kind: str) -> datetime | None:
    """Acquisition or Content Date and Time without their zone; None where they are not stated."""
    from pydicom.valuerep import DA, DT, TM

    try:
        stated = header.get(f"{kind}DateTime")
        if stated:
            whole = DT(str(stated))
            return None if whole is None else whole.replace(tzinfo=None)
        day, time = DA(str(header[f"{kind}Date"].value)), TM(str(header[f"{kind}Time"].value))
        return None if day is None or time is None else datetime.combine(day, time)
    except (KeyError, ValueError, TypeError):
        return None


def _header(path: Path) -> Any:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    try:
        header = dcmread(path, stop_before_pixels=True)
        if not header.get("Rows") or not header.get("Columns"):
            raise InputError(f"{path.name} holds no picture")
        check_decodable(header, path.name)
        return as_classic(header)
    except (OSError, InvalidDicomError, ValueError, TypeError) as error:
        raise InputError(f"{path.name} cannot be read as DICOM") from error
