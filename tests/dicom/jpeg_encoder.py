"""A plain lossless JPEG encoder, written from ITU-T T.81 for the tests of the decoder."""

from __future__ import annotations

import numpy as np

# The same length for every category: a valid code for differences of up to 16 bits.
CODE_BITS = 5


def encode_lossless(image, *, precision=12, predictor=1, restart_rows=0, point_transform=0) -> bytes:
    """Lossless JPEG (process 14) of a (rows, columns) image of unsigned samples."""
    samples = np.asarray(image).astype(np.int64) >> point_transform
    rows, columns = samples.shape
    out = bytearray(b"\xff\xd8")
    frame = bytes([precision, *divmod(rows, 256), *divmod(columns, 256), 1, 1, 0x11, 0])
    out += b"\xff\xc3" + (len(frame) + 2).to_bytes(2, "big") + frame
    counts = [0] * 16
    counts[CODE_BITS - 1] = 17
    table = bytes([0, *counts, *range(17)])
    out += b"\xff\xc4" + (len(table) + 2).to_bytes(2, "big") + table
    if restart_rows:
        out += b"\xff\xdd\x00\x04" + (restart_rows * columns).to_bytes(2, "big")
    scan = bytes([1, 1, 0, predictor, 0, point_transform])
    out += b"\xff\xda" + (len(scan) + 2).to_bytes(2, "big") + scan
    step = restart_rows or rows
    for number, top in enumerate(range(0, rows, step)):
        if number:
            out += bytes([0xFF, 0xD0 + (number - 1) % 8])
        start = 1 << (precision - point_transform - 1)
        out += _entropy_coded(samples[top : top + step], predictor, start)
    return bytes(out + b"\xff\xd9")


def _entropy_coded(samples, predictor: int, start: int) -> bytes:
    bits: list[str] = []
    rows, columns = samples.shape
    for y in range(rows):
        for x in range(columns):
            if y == 0:
                prediction = start if x == 0 else samples[y, x - 1]
            elif x == 0:
                prediction = samples[y - 1, 0]
            else:
                a, b, c = (int(v) for v in (samples[y, x - 1], samples[y - 1, x], samples[y - 1, x - 1]))
                prediction = (
                    a, b, c, a + b - c, a + ((b - c) >> 1), b + ((a - c) >> 1), (a + b) >> 1
                )[predictor - 1]  # fmt: skip
            difference = (int(samples[y, x]) - int(prediction) + 32767) % 65536 - 32767
            category = abs(difference).bit_length()
            bits.append(f"{category:0{CODE_BITS}b}")
            if 0 < category < 16:
                value = difference if difference > 0 else difference + (1 << category) - 1
                bits.append(f"{value:0{category}b}")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    plain = int(text, 2).to_bytes(len(text) // 8, "big")
    return plain.replace(b"\xff", b"\xff\x00")
