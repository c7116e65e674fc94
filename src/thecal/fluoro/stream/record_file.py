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

MAGIC: Final = b"thecal.recording/2\n"
HEADER: Final = struct.Struct("<4sQI")
"""Kind, length of the content in bytes, CRC-32 of kind, length and content."""
KINDS: Final = (b"HEAD", b"TARG", b"STEP", b"FRAM")
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
        head = HEADER.pack(name, len(content), _checksum(name, len(content), content))
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
        Where it is no recording, and where a record is damaged; a last one that was cut short is left out
        without a word, unless a whole record lies behind it.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"The recording {path} cannot be read: {error.strerror}") from error
    with file:
        size = os.fstat(file.fileno()).st_size
        magic = file.read(len(MAGIC))
        if magic != MAGIC and magic.startswith(MAGIC.partition(b"/")[0]):
            raise InputError(f"The recording {path} is of another version of thecal")
        if magic != MAGIC:
            raise InputError(f"{path} is no recording of thecal watch")
        while True:
            at = file.tell()
            head = file.read(HEADER.size)
            if len(head) < HEADER.size:
                return
            name, length, checksum = HEADER.unpack(head)
            if at + HEADER.size + length > size:
                file.seek(at + 1)
                if name not in KINDS or _holds_record(file.read()):
                    raise InputError(f"The recording {path} is damaged at byte {at}")
                return
            content = file.read(length)
            if _checksum(name, length, content) != checksum:
                raise InputError(f"The recording {path} is damaged at byte {at}")
            yield Record(name.decode("ascii", "replace"), content, at)


def _checksum(name: bytes, length: int, content: bytes) -> int:
    return zlib.crc32(content, zlib.crc32(struct.pack("<4sQ", name, length)))


def _holds_record(rest: bytes) -> bool:
    """Whether a whole record lies in these bytes: then what is before it was not cut, but damaged."""
    for kind in KINDS:
        at = rest.find(kind)
        while at >= 0:
            if at + HEADER.size <= len(rest):
                name, length, checksum = HEADER.unpack_from(rest, at)
                begins = at + HEADER.size
                content = rest[begins : begins + length]
                if len(content) == length and _checksum(name, length, content) == checksum:
                    return True
            at = rest.find(kind, at + 1)
    return False
