"""A file that only grows: records with a checksum each, whole up to the last one however its writer ended."""

from __future__ import annotations

import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from thecal.errors import InputError

MAGIC: Final = b"thecal.recording/1\n"
HEADER: Final = struct.Struct("<4sQI")
"""Kind, length of the content in bytes, CRC-32 of kind and content."""
SYNC_EVERY_S: Final = 1.0
"""It is forced onto the disk so often; what is written outlives the process at once, a power cut then."""


@dataclass(frozen=True)
class Record:
    """One record and the byte at which it begins."""

    kind: str
    content: bytes
    at: int


class RecordFile:
    """Appends records.

    Parameters
    ----------
    path : Path
        Must not exist.

    Raises
    ------
    InputError
        Where it cannot be made.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            os.write(self._file, MAGIC)
        except OSError as error:
            raise InputError(f"The recording {path} cannot be made: {error.strerror}") from error
        self._synced_s = time.monotonic()

    def append(self, kind: str, content: bytes) -> None:
        """Write one record; raises ``OSError`` where the disk is full or gone."""
        name = kind.encode("ascii")
        head = HEADER.pack(name, len(content), zlib.crc32(content, zlib.crc32(name)))
        whole = memoryview(head + content)
        while whole:
            whole = whole[os.write(self._file, whole) :]
        now = time.monotonic()
        if now - self._synced_s >= SYNC_EVERY_S:
            os.fsync(self._file)
            self._synced_s = now

    def close(self) -> None:
        """Force the rest onto the disk."""
        try:
            os.fsync(self._file)
        finally:
            os.close(self._file)


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file up to the last whole one.

    Raises
    ------
    InputError
        Where it is no recording, and where a record in its middle is damaged; a last one that was cut short
        is left out without a word.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"The recording {path} cannot be read: {error.strerror}") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        if file.read(len(MAGIC)) != MAGIC:
            raise InputError(f"{path} is no recording of thecal watch")
        while True:
            at = file.tell()
            head = file.read(HEADER.size)
            if len(head) < HEADER.size:
                return
            name, length, checksum = HEADER.unpack(head)
            if at + HEADER.size + length > size:
                return
            content = file.read(length)
            if zlib.crc32(content, zlib.crc32(name)) != checksum:
                raise InputError(f"The recording {path} is damaged at byte {at}")
            yield Record(name.decode("ascii", "replace"), content, at)
