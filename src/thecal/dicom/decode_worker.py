"""A process that decodes frames for another: ``python -m thecal.dicom.decode_worker SYNTAX``.

Reads frames from stdin and writes their samples to stdout until stdin ends. A frame is four little-endian
uint32 (bytes, rows, columns, bits allocated) and its stream; an answer is one uint32, the bytes of a sample
or 0 where the frame is damaged, and the samples.
"""

from __future__ import annotations

import struct
import sys

from thecal.dicom.codecs import DAMAGED_FRAME, decode

REQUEST = struct.Struct("<4I")
ANSWER = struct.Struct("<I")


def main() -> None:
    """Serve frames until stdin ends."""
    syntax = sys.argv[1]
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        size, rows, columns, bits = REQUEST.unpack(head)
        try:
            values = decode(source.read(size), syntax, rows, columns, bits)
        except DAMAGED_FRAME:
            target.write(ANSWER.pack(0))
        else:
            target.write(ANSWER.pack(values.dtype.itemsize))
            target.write(values.tobytes())
        target.flush()


if __name__ == "__main__":
    main()
