"""The files of a folder or a zip, one after the other, without ever unpacking to disk."""

from __future__ import annotations

import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Final

from thecal.errors import InputError

# A CT of 4000 slices of 512 x 512 is 2 GiB.
MAX_ZIP_TOTAL_BYTES = 8 << 30
MAX_ZIP_MEMBERS = 200_000
# Deflate shrinks real CT by 1.5 to 5, an empty slice by several hundred; beyond this, over a size that
# could hurt, it is no scan.
MAX_ZIP_RATIO = 200
RATIO_COUNTS_ABOVE_BYTES = 64 << 20
# All that reading raises where a file, or the zip that holds it, is damaged; bzip2 raises the first.
UNREADABLE: Final = (OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class Member:
    """One file of the input.

    Attributes
    ----------
    name : str
        Its last name, for messages.
    path : str
        Its path on disk, or inside the zip.
    archive : zipfile.ZipFile or None
    """

    name: str
    path: str
    archive: zipfile.ZipFile | None = None

    def open(self) -> IO[bytes]:
        """The file's bytes as a stream; opening and reading raise the errors of ``UNREADABLE`` alone."""
        if self.archive is None:
            return open(self.path, "rb")
        try:
            return self.archive.open(self.path)
        except (NotImplementedError, RuntimeError, UnicodeDecodeError) as error:
            # A packing that Python does not know, encryption, and a name that is no text: the zip's own list
            # of its files has been checked, so this file's header disagrees with it.
            raise zipfile.BadZipFile("the zip disagrees with itself") from error

    def read(self) -> bytes:
        """All of the file's bytes.

        Raises
        ------
        InputError
            Where it cannot be read to its end.
        """
        try:
            with self.open() as stream:
                return stream.read()
        except UNREADABLE as error:
            raise InputError(f"{self.name} cannot be read to its end.") from error


@contextmanager
def members_of(path: Path) -> Iterator[list[Member]]:
    """The files of a folder (searched recursively), of a zip, or the one file itself, in a fixed order."""
    if path.is_dir():
        yield _in_folder(path)
    elif is_zip(path):
        with _opened(path) as archive:
            yield _in_zip(archive, path.name)
    else:
        yield [Member(path.name, str(path))]


def is_zip(path: Path) -> bool:
    """Whether a file is a zip, whole or truncated."""
    with path.open("rb") as stream:
        return stream.read(4) == b"PK\x03\x04" or zipfile.is_zipfile(path)


def _in_folder(folder: Path) -> list[Member]:
    def refuse(error: OSError) -> None:
        where = Path(error.filename or folder).name
        raise InputError(f"The folder {where} cannot be opened: {error.strerror or error}.") from error

    found: list[Member] = []
    for root, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        found += [
            Member(name, os.path.join(root, name))
            for name in sorted(names)
            if os.path.isfile(os.path.join(root, name))
        ]
    if not found:
        raise InputError(f"The folder {folder.name} is empty.")
    return found


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
        # The last two: a version of zip that Python does not know, and a name that is no text.
        raise InputError(f"{path.name} is a zip that cannot be opened; it may be truncated.") from error


def _in_zip(archive: zipfile.ZipFile, zip_name: str) -> list[Member]:
    entries = [entry for entry in archive.infolist() if entry.filename and not entry.is_dir()]
    if not entries:
        raise InputError(f"The zip {zip_name} is empty.")
    if len(entries) > MAX_ZIP_MEMBERS:
        raise InputError(f"The zip {zip_name} holds {len(entries)} files, too many for a CT.")
    total = 0
    for entry in entries:
        if _leaves(entry.filename):
            raise InputError(f"The zip {zip_name} holds a path that leaves it, so it is not opened.")
        if entry.flag_bits & 1:
            raise InputError(f"The zip {zip_name} is encrypted.")
        if _is_bomb(entry.file_size, entry.compress_size):
            raise InputError(f"The zip {zip_name} holds a file that unpacks out of all proportion.")
        total += entry.file_size
    if total > MAX_ZIP_TOTAL_BYTES:
        raise InputError(f"The zip {zip_name} would unpack to {total / 2**30:.0f} GiB, too much for a CT.")
    if _is_bomb(total, sum(entry.compress_size for entry in entries)):
        raise InputError(f"The zip {zip_name} unpacks out of all proportion.")
    starts = [entry.header_offset for entry in entries]
    if len(set(starts)) < len(starts):
        raise InputError(f"The zip {zip_name} holds files that overlap, so it is not opened.")
    return [
        Member(PurePosixPath(entry.filename).name, entry.filename, archive)
        for entry in sorted(entries, key=lambda entry: entry.filename)
    ]


def _leaves(name: str) -> bool:
    windows = PureWindowsPath(name)
    return windows.is_absolute() or bool(windows.drive or windows.root) or ".." in windows.parts


def _is_bomb(size: int, packed: int) -> bool:
    return size > RATIO_COUNTS_ABOVE_BYTES and size > MAX_ZIP_RATIO * max(packed, 1)
