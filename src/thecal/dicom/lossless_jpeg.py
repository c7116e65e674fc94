"""Lossless JPEG (process 14, any predictor): ITU-T T.81 annex H, one component, up to 16 bits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

SOI, SOF3, DHT, SOS, DRI, EOI, TEM = 0xD8, 0xC3, 0xC4, 0xDA, 0xDD, 0xD9, 0x01
# Of a frame's or a scan's header that names one component.
SHORTEST_HEADER_BYTES = 6
OTHER_FRAMES = {0xC0, 0xC1, 0xC2, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
LOOKUP_BITS = 16


@dataclass(frozen=True, eq=False)
class _Scan:
    rows: int
    columns: int
    precision: int
    predictor: int
    point_transform: int
    restart_interval: int
    table: npt.NDArray[np.uint16]
    entropy_coded_at: int


def decode(data: bytes) -> npt.NDArray[np.uint16]:
    """Decode one lossless JPEG image of one component.

    Parameters
    ----------
    data : bytes
        From SOI to EOI.

    Returns
    -------
    (rows, columns) uint16

    Raises
    ------
    ValueError
        Where the data is not such an image, or ends too soon.
    """
    scan = _read_markers(data)
    out = np.empty((scan.rows, scan.columns), np.uint16)
    coded = np.frombuffer(data, np.uint8, offset=scan.entropy_coded_at)
    complete = _decode_scan(
        coded,
        scan.table,
        scan.precision - scan.point_transform,
        scan.predictor,
        scan.restart_interval,
        out,
    )
    if not complete:
        raise ValueError("the image data ends too soon")
    if scan.point_transform:
        out <<= scan.point_transform
    return out


def _read_markers(data: bytes) -> _Scan:
    if data[:2] != b"\xff\xd8":
        raise ValueError("no JPEG start marker")
    at, restart = 2, 0
    rows = columns = precision = 0
    tables: dict[int, npt.NDArray[np.uint16]] = {}
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            raise ValueError("a JPEG marker is missing")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == TEM or 0xD0 <= marker <= 0xD7:
            at += 2
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + size]
        if len(body) != size - 2:
            break
        at += 2 + size
        if marker in (SOF3, SOS) and len(body) < SHORTEST_HEADER_BYTES:
            raise ValueError("a JPEG header is cut short")
        if marker == SOF3:
            precision = body[0]
            rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            if body[5] != 1 or not 2 <= precision <= 16 or not rows or not columns:
                raise ValueError("not a lossless JPEG of one component")
        elif marker in OTHER_FRAMES:
            raise ValueError("not a lossless JPEG")
        elif marker == DHT:
            tables |= _huffman_tables(body)
        elif marker == DRI:
            restart = int.from_bytes(body[:2], "big")
        elif marker == SOS:
            if not rows or body[0] != 1 or body[2] >> 4 not in tables:
                raise ValueError("the JPEG scan has no frame or no table")
            predictor, transform = body[3], body[5] & 15
            if not 1 <= predictor <= 7 or transform >= precision:
                raise ValueError("the JPEG predictor is unknown")
            return _Scan(rows, columns, precision, predictor, transform, restart, tables[body[2] >> 4], at)
        elif marker == EOI:
            break
    raise ValueError("the JPEG data ends too soon")


def _huffman_tables(body: bytes) -> dict[int, npt.NDArray[np.uint16]]:
    """Tables by number: for each next 16 bits, (code length << 8 | difference category), 0 where no code."""
    tables, at = {}, 0
    while at + 17 <= len(body):
        number, counts = body[at] & 15, body[at + 1 : at + 17]
        symbols = body[at + 17 : at + 17 + sum(counts)]
        if len(symbols) != sum(counts):
            raise ValueError("a JPEG table is cut short")
        at += 17 + len(symbols)
        table = np.zeros(1 << LOOKUP_BITS, np.uint16)
        code, used = 0, 0
        for length, count in enumerate(counts, start=1):
            for _ in range(count):
                first = code << (LOOKUP_BITS - length)
                past = (code + 1) << (LOOKUP_BITS - length)
                if past > 1 << LOOKUP_BITS or symbols[used] > 16:
                    raise ValueError("a JPEG table is not valid")
                table[first:past] = length << 8 | symbols[used]
                code += 1
                used += 1
            code <<= 1
        tables[number] = table
    return tables


@njit(cache=True, nogil=True)
def _decode_scan(
    coded: npt.NDArray[np.uint8],
    table: npt.NDArray[np.uint16],
    precision: int,
    predictor: int,
    restart_interval: int,
    out: npt.NDArray[np.uint16],
) -> bool:
    rows, columns = out.shape
    at = 0
    window = np.uint64(0)
    held = np.int64(0)
    fed = 0
    left = restart_interval
    fresh = True
    start = np.int64(1) << (precision - 1)
    top = 0
    prediction = np.int64(0)
    for y in range(rows):
        for x in range(columns):
            if restart_interval > 0:
                if left == 0:
                    while at + 1 < coded.size and not (
                        coded[at] == 0xFF and coded[at + 1] >= 0xD0 and coded[at + 1] <= 0xD7
                    ):
                        at += 1
                    at += 2
                    window = np.uint64(0)
                    held = np.int64(0)
                    fed = 0
                    left = restart_interval
                    fresh = True
                left -= 1
            while held <= 40:
                byte = np.uint64(0)
                if at < coded.size and not (
                    coded[at] == 0xFF and (at + 1 >= coded.size or coded[at + 1] != 0)
                ):
                    byte = np.uint64(coded[at])
                    at += 2 if coded[at] == 0xFF else 1
                else:
                    fed += 8
                window = (window << np.uint64(8)) | byte
                held += 8
            entry = table[(window >> np.uint64(held - 16)) & np.uint64(0xFFFF)]
            length = np.int64(entry >> 8)
            if length == 0:
                return False
            held -= length
            category = np.int64(entry & 255)
            difference = np.int64(0)
            if category == 16:
                difference = np.int64(32768)
            elif category > 0:
                held -= category
                difference = np.int64((window >> np.uint64(held)) & np.uint64((np.int64(1) << category) - 1))
                if difference < 1 << (category - 1):
                    difference -= (1 << category) - 1
            if held < fed:
                return False
            if fresh:
                prediction = np.int64(start)
                top = y
                fresh = False
            elif y == top:
                prediction = np.int64(out[y, x - 1])
            elif x == 0:
                prediction = np.int64(out[y - 1, 0])
            else:
                a = np.int64(out[y, x - 1])
                b = np.int64(out[y - 1, x])
                c = np.int64(out[y - 1, x - 1])
                if predictor == 1:
                    prediction = a
                elif predictor == 2:
                    prediction = b
                elif predictor == 3:
                    prediction = c
                elif predictor == 4:
                    prediction = a + b - c
                elif predictor == 5:
                    prediction = a + ((b - c) >> 1)
                elif predictor == 6:
                    prediction = b + ((a - c) >> 1)
                else:
                    prediction = (a + b) >> 1
            out[y, x] = (prediction + difference) & 0xFFFF
    return True
