"""Slices from their files to HU, several at a time."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.dicom.codecs import DAMAGED_FRAME, NATIVE, READABLE, decode
from thecal.dicom.decoders import Decode, decoders
from thecal.dicom.elements import MALFORMED, value_of
from thecal.dicom.headers import Frame, Header
from thecal.dicom.members import UNREADABLE
from thecal.errors import InputError
from thecal.volume import AIR_HU, IntArray

MAX_THREADS = 4
# Below this no tissue and no noise lies: the scanner's own mark for "nothing was measured here".
PADDING_BELOW_HU = -1500
# A declared padding value is believed where it is as dark as air, or brighter than any metal.
PADDING_AIR_HU = -900
PADDING_BRIGHT_HU = 20_000

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class Decoded:
    """Slices in HU.

    Attributes
    ----------
    hu : (n, rows, columns) int16
    padding_fraction : float
        Share of voxels outside the field of view, now air.
    ceiling_hu : float or None
        Highest HU that the stored bits can hold; None where that is beyond any cement or metal.
    """

    hu: IntArray
    padding_fraction: float
    ceiling_hu: float | None


def decode_frames(frames: Sequence[Frame], what: str, progress: Progress | None = None) -> Decoded:
    """The frames in HU, in their order.

    Parameters
    ----------
    frames : sequence of Frame
        Of one size.
    what : str
        How a message names the series.
    progress : callable, optional
        Called with (slices done, slices in all).

    Raises
    ------
    InputError
        Where a slice is cut short, damaged, or compressed in a way that no decoder here reads.
    """
    header = frames[0].header
    hu = np.empty((len(frames), header.rows, header.columns), np.int16)
    streams = _Streams(frames)
    padded = 0
    with (
        decoders(header.transfer_syntax, hu.size) as ready,
        ThreadPoolExecutor(min(MAX_THREADS, os.cpu_count() or 1)) as pool,
    ):

        def one(k: int) -> int:
            return _to_hu(streams.stored(frames[k], what, ready), frames[k], hu[k])

        for done, count in enumerate(pool.map(one, range(len(frames))), start=1):
            padded += count
            if progress is not None:
                progress(done, len(frames))
    return Decoded(hu, padded / hu.size, _ceiling(frames))


class _Streams:
    """The compressed or plain bytes of each frame; an enhanced file is split into its frames once."""

    def __init__(self, frames: Sequence[Frame]) -> None:
        self._syntax = frames[0].header.transfer_syntax
        shared = {frame.header for frame in frames if frame.header.frame_count > 1}
        self._split = {header: _split(header, header.member.name) for header in shared}

    def stored(self, frame: Frame, what: str, ready: queue.Queue[Decode]) -> npt.NDArray[Any]:
        """Stored values (rows, columns), signed where the header says so."""
        header = frame.header
        pieces = self._split.get(header) or _split(header, what)
        if frame.number >= len(pieces):
            raise InputError(f"{_file(header, what)} is truncated: frame {frame.number + 1} is missing.")
        data = pieces[frame.number]
        if header.transfer_syntax in NATIVE:
            order = NATIVE[header.transfer_syntax]
            size = header.bits_allocated // 8
            values: npt.NDArray[Any] = np.frombuffer(data, f"{order}u{size}").reshape(
                header.rows, header.columns
            )
        else:
            form = header.rows, header.columns, header.bits_allocated
            decoder = ready.get()
            try:
                if header.transfer_syntax == self._syntax:
                    values = decoder(bytes(data), *form)
                else:
                    values = decode(bytes(data), header.transfer_syntax, *form)
            except DAMAGED_FRAME as error:
                raise InputError(f"{_file(header, what)} is damaged or truncated.") from error
            finally:
                ready.put(decoder)
        return _sample_bits(values, header)


def _file(header: Header, what: str) -> str:
    return f"The file {header.member.name} of {what}"


def check_readable(header: Header, what: str) -> None:
    """Raise InputError where the pixels are of a kind that cannot be read."""
    if not header.has_pixels:
        raise InputError(f"{_file(header, what)} holds no image.")
    if header.transfer_syntax not in READABLE:
        from pydicom.uid import UID

        raise InputError(
            f"{_file(header, what)} is compressed as {UID(header.transfer_syntax).name}, "
            "which thecal does not decode."
        )
    if header.bits_allocated not in (8, 16, 32):
        raise InputError(f"{_file(header, what)} has {header.bits_allocated} bits a pixel, which no CT has.")


def check_whole(header: Header, what: str) -> None:
    """Raise InputError where a file's pixels are cut short; reads the file but decodes nothing."""
    _split(header, what)


def _split(header: Header, what: str) -> list[memoryview]:
    """The bytes of each frame of a file."""
    check_readable(header, what)
    data = header.member.read()
    encapsulated = header.transfer_syntax not in NATIVE
    if header.pixels_at is None:
        import io

        import pydicom

        try:
            pixels = value_of(pydicom.dcmread(io.BytesIO(data), force=True), "PixelData")
        except (*UNREADABLE, *MALFORMED) as error:
            raise InputError(f"{_file(header, what)} is damaged or truncated.") from error
        if not isinstance(pixels, bytes):
            raise InputError(f"{_file(header, what)} is damaged or truncated.")
        view = memoryview(pixels)
    else:
        view = memoryview(data)[header.pixels_at :]
        big = header.transfer_syntax == "1.2.840.10008.1.2.2"
        implicit = header.transfer_syntax == "1.2.840.10008.1.2"
        # Tag, then a length of 4 bytes; where the type is written out it takes another 4.
        start = 8 if implicit else 12
        length = int.from_bytes(view[start - 4 : start], "big" if big else "little")
        view = view[start:] if length == 0xFFFFFFFF else view[start : start + length]
    if encapsulated:
        pieces = _fragments(view, header.frame_count)
        if pieces is None:
            raise InputError(f"{_file(header, what)} is damaged or truncated.")
        return pieces
    size = header.rows * header.columns * header.bits_allocated // 8
    if len(view) < size * header.frame_count:
        raise InputError(f"{_file(header, what)} is truncated.")
    return [view[i * size : (i + 1) * size] for i in range(header.frame_count)]


def _fragments(view: memoryview, frame_count: int) -> list[memoryview] | None:
    """The compressed stream of each frame (PS3.5 A.4); None where it is cut short."""
    items: list[memoryview] = []
    at, ended = 0, False
    while at + 8 <= len(view):
        tag = bytes(view[at : at + 4])
        size = int.from_bytes(view[at + 4 : at + 8], "little")
        if tag == b"\xfe\xff\xdd\xe0":
            ended = True
            break
        if tag != b"\xfe\xff\x00\xe0" or at + 8 + size > len(view):
            return None
        items.append(view[at + 8 : at + 8 + size])
        at += 8 + size
    if not items or (not ended and at != len(view)):
        return None
    fragments = items[1:]
    if len(fragments) == frame_count:
        return fragments
    if frame_count == 1:
        return [memoryview(b"".join(fragments))]
    from pydicom.encaps import generate_frames

    try:
        frames = list(generate_frames(bytes(view[: at + 8]), number_of_frames=frame_count))
    except (ValueError, EOFError):
        return None
    return [memoryview(frame) for frame in frames] if len(frames) == frame_count else None


def _sample_bits(values: npt.NDArray[Any], header: Header) -> npt.NDArray[Any]:
    """Stored values freed of overlay bits, with their sign."""
    return sample_bits(
        values,
        bits_stored=header.bits_stored,
        high_bit=header.high_bit,
        signed=header.signed,
        overlay=header.overlay_in_pixels,
    )


def sample_bits(
    values: npt.NDArray[Any], *, bits_stored: int, high_bit: int, signed: bool, overlay: bool
) -> npt.NDArray[Any]:
    """Stored values freed of what lies beside their bits, with their sign.

    Parameters
    ----------
    values : array of unsigned integers
        As allocated.
    bits_stored, high_bit : int
        (0028,0101) and (0028,0102).
    signed : bool
        Pixel Representation (0028,0103) is 1.
    overlay : bool
        Whether bits above the stored ones may hold something else.
    """
    size = values.dtype.itemsize * 8
    stored = min(bits_stored, size)
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    low = high_bit + 1 - stored
    if low > 0 and high_bit < size:
        values = values >> low
    if signed:
        spare = size - stored
        with_sign = values.view(f"i{values.dtype.itemsize}")
        return (with_sign << spare) >> spare if spare else with_sign
    if overlay and stored < size:
        values = values & values.dtype.type((1 << stored) - 1)
    return values


def _to_hu(stored: npt.NDArray[Any], frame: Frame, out: IntArray) -> int:
    """Write one slice in HU; returns how many voxels were padding."""
    if frame.slope == 1 and float(frame.intercept).is_integer() and stored.dtype.itemsize <= 2:
        hu = stored.astype(np.int32)
        hu += int(frame.intercept)
    else:
        hu = np.rint(stored * np.float64(frame.slope) + frame.intercept)
    outside = hu < PADDING_BELOW_HU
    padding = frame.header.padding
    if padding is not None:
        edge = padding[0] * frame.slope + frame.intercept
        if edge <= PADDING_AIR_HU or edge >= PADDING_BRIGHT_HU:
            outside |= (stored >= padding[0]) & (stored <= padding[1])
    np.clip(hu, AIR_HU, np.iinfo(np.int16).max, out=hu)
    out[...] = hu
    out[outside] = AIR_HU
    return int(np.count_nonzero(outside))


def _ceiling(frames: Sequence[Frame]) -> float | None:
    """The lowest of the slices' highest possible HU, where that can clip cement or metal."""
    tops = [
        ((1 << (frame.header.bits_stored - frame.header.signed)) - 1) * frame.slope + frame.intercept
        for frame in frames
    ]
    top = min(tops)
    return top if top < 20_000 else None
