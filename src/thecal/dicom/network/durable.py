"""Files and folders that are there whole, or not at all, after the power fails or the process is killed."""

from __future__ import annotations

import os
import uuid
from pathlib import Path


def write_durably(path: Path, content: bytes, by_way_of: Path) -> None:
    """Write a file under a temporary name, bring it to the disk, then give it its name.

    Parameters
    ----------
    path : Path
        Replaced where it exists.
    content : bytes
    by_way_of : Path
        A folder on the same file system, for the temporary file.
    """
    temporary = by_way_of / f"{uuid.uuid4().hex}.part"
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, and bring their names to the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
        sync_folder(folder.parent)


def move_folder(path: Path, to: Path) -> None:
    """Bring a folder with all that it holds to the disk, then give it its name."""
    for root, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(root, name), "rb+") as file:
                os.fsync(file.fileno())
        sync_folder(Path(root))
    os.replace(path, to)
    sync_folder(to.parent)


def sync_folder(folder: Path) -> None:
    """Bring the names in a folder to the disk; some systems do so by themselves and allow no asking."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
