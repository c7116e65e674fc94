"""A folder that is written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from thecal.errors import InputError


def check_new_folder(out: Path) -> None:
    """Raise `InputError` where ``out`` holds something: what is there must not mix with what comes."""
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"--out {out} is a file, not a folder")
        if out.exists() and any(out.iterdir()):
            raise InputError(f"--out {out} is not empty; name a new folder")
    except OSError as error:
        raise InputError(f"--out {out} cannot be opened: {error.strerror}") from error


@contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """A folder beside ``out`` that becomes ``out`` when the block ends well, and else goes.

    Parameters
    ----------
    out : Path
        Does not exist, or is empty.

    Raises
    ------
    InputError
        Where it cannot be made.
    """
    check_new_folder(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".thecal-", dir=out.parent))
    except OSError as error:
        raise InputError(f"--out {out} cannot be made: {error.strerror}") from error
    try:
        yield folder
        os.chmod(folder, 0o777 & ~_umask())
        if out.exists():
            out.rmdir()
        os.replace(folder, out)
    except OSError as error:
        raise InputError(f"--out {out} cannot be written to: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _umask() -> int:
    """What the user withholds; a temporary folder withholds all from others."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
