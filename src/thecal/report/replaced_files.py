"""Files in a folder of the user's, replaced all together or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from thecal.errors import InputError


def check_writable(out: Path) -> None:
    """Raise `InputError` now where ``out`` could not be written to after the long work.

    It is tried: the folder is made, a file is put into it, and both are taken away again.
    """
    try:
        if out.exists() and not out.is_dir():
            raise InputError(f"--out {out} is a file, not a folder")
        absolute = out.absolute()
        missing = [folder for folder in (absolute, *absolute.parents) if not folder.exists()]
    except OSError as error:
        raise InputError(f"--out {out} cannot be made: {error.strerror}") from error
    made: list[Path] = []
    try:
        for folder in reversed(missing):
            folder.mkdir()
            made.append(folder)
        with tempfile.TemporaryFile(dir=absolute):
            pass
    except OSError as error:
        raise InputError(f"--out {out} cannot be written to: {error.strerror}") from error
    finally:
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()


@contextmanager
def replaced_files(out: Path, names: Iterable[str]) -> Iterator[Path]:
    """A folder whose files of those names take their place in ``out`` when the block ends well, and else go.

    Raises
    ------
    InputError
        Where ``out`` cannot be written to.
    """
    check_writable(out)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".thecal-", dir=out if _is_island(out) else out.parent))
    except OSError as error:
        raise InputError(f"--out {out} cannot be made: {error.strerror}") from error
    try:
        yield folder
        out.mkdir(exist_ok=True)
        for name in names:
            # A file of an earlier run that this one did not write would speak of another scan.
            if (folder / name).exists():
                os.replace(folder / name, out / name)
            else:
                (out / name).unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"--out {out} cannot be written to: {error.strerror}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_island(out: Path) -> bool:
    """Whether files cannot be moved into ``out`` from beside it: a mounted folder, a closed parent."""
    if not out.exists():
        return False
    elsewhere = out.stat().st_dev != out.parent.stat().st_dev
    return elsewhere or not os.access(out.parent, os.W_OK | os.X_OK)
