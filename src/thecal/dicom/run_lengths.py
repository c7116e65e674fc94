"""DICOM's run-length encoding (PS3.5 annex G) to stored values.

pylibjpeg-rle is not used: on a damaged stream it panics, which no program can catch as an error.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

# Fifteen offsets follow the count of the byte planes.
HEADER_BYTES: Final = 64
MOST_PLANES: Final = 15


def decode(data: bytes, rows: int, columns: int, bits_allocated: int) -> npt.NDArray[np.unsignedinteger]:
    """Decode one frame of one sample a pixel.

    Parameters
    ----------
    data : bytes
        From the header to the end of the last byte plane.
    rows, columns, bits_allocated : int

    Returns
    -------
    (rows, columns) array of little-endian unsigned integers of ``bits_allocated`` bits

    Raises
    ------
    ValueError
        Where the data is not such a frame, or ends too soon.
    """
    size = bits_allocated // 8
    if len(data) < HEADER_BYTES:
        raise ValueError("the header of the frame is cut short")
    planes, *starts = np.frombuffer(data, "<u4", 1 + MOST_PLANES).tolist()
    if planes != size:
        raise ValueError("the frame has another number of byte planes than its pixels have bytes")
    ends = [*starts[1:planes], len(data)]
    coded = np.frombuffer(data, np.uint8)
    out = np.empty((rows * columns, size), np.uint8)
    for plane, (start, end) in enumerate(zip(starts, ends, strict=False)):
        # The most significant byte comes first.
        whole = HEADER_BYTES <= start <= end and _unpack(coded[start:end], out[:, size - 1 - plane])
        if not whole:
            raise ValueError("a byte plane of the frame is damaged or ends too soon")
    return out.view(f"<u{size}").reshape(rows, columns)


@njit(cache=True, nogil=True)
def _unpack(coded: npt.NDArray[np.uint8], out: npt.NDArray[np.uint8]) -> bool:
    """Write a byte plane's runs; False where they do not fill it to the byte."""
    at, done = 0, 0
    while done < len(out):
        if at >= len(coded):
            return False
        control = int(coded[at])
        at += 1
        if control == 128:
            continue
        literal = control < 128
        count = control + 1 if literal else 257 - control
        taken = count if literal else 1
        if at + taken > len(coded) or done + count > len(out):
            return False
        for i in range(count):
            out[done + i] = coded[at + i] if literal else coded[at]
        at += taken
        done += count
    return True
