"""The DICOM files of a folder to an archive."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Final

from thecal.dicom.network.archive import Archive, Outgoing
from thecal.dicom.network.identity import identity_of
from thecal.errors import InputError

# A DICOMDIR, which speaks of files on a medium.
_DIRECTORY: Final = "1.2.840.10008.1.3.10"


def push(
    archive: Archive, path: Path, progress: Callable[[int, int], None] = lambda done, total: None
) -> int:
    """Put a DICOM file, or all of a folder and its subfolders, into an archive.

    An archive that already holds an object keeps one of it: the UIDs of thecal's outputs follow from what
    they say, so pushing again changes nothing.

    Parameters
    ----------
    archive : Archive
    path : Path
    progress : callable, optional
        Called with (files taken, files in all) after each that the archive has taken.

    Returns
    -------
    int
        How many files.

    Raises
    ------
    InputError
        Where there is nothing to push, or the archive does not take all of it; what it took stays there.
    """
    files = outgoing_files(path)
    if not files:
        raise InputError(f"{path.name} holds no DICOM file to push")
    taken = itertools.count(1)
    archive.store(files, lambda file: progress(next(taken), len(files)))
    return len(files)


def outgoing_files(path: Path) -> list[Outgoing]:
    """The DICOM files of a folder and its subfolders, or the one file, in a fixed order.

    Raises
    ------
    InputError
        Where the path does not exist, or a DICOM file in it is damaged.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist")
    found = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    try:
        return [file for file in map(_outgoing, found) if file is not None]
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _outgoing(path: Path) -> Outgoing | None:
    """What an archive must know of a file before it comes; None where it is not DICOM."""
    with path.open("rb") as stream:
        if stream.read(132)[128:] != b"DICM":
            return None
        stream.seek(0)
        known = identity_of(stream)
    if known is None:
        raise InputError(f"{path.name} is a DICOM file that cannot be read")
    if known.sop_class == _DIRECTORY:
        return None
    if not (known.sop_class and known.sop_instance and known.study and known.transfer_syntax):
        raise InputError(f"{path.name} lacks the UIDs that an archive needs")
    return Outgoing(path, known.study, known.sop_class, known.sop_instance, known.transfer_syntax)
