"""A study from an archive into a folder: all of it, or nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from thecal.dicom.network.archive import Archive, Held, Wanted
from thecal.dicom.network.names import short_name
from thecal.dicom.whole_folder import whole_folder
from thecal.errors import InputError


@dataclass(frozen=True)
class Pulled:
    """What was fetched: so many images in so many series."""

    images: int
    series: int


def pull(
    archive: Archive,
    wanted: Wanted,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pulled:
    """Fetch one study, or one series of it.

    Parameters
    ----------
    archive : Archive
    wanted : Wanted
        Must match one study.
    out : Path
        A new folder; a folder a series lies in it, a file an image, named by short hashes of their UIDs.

    progress : callable, optional
        Called with (images here, images in all) as they come.

    Returns
    -------
    Pulled

    Raises
    ------
    InputError
        Where no study or several match, the archive fails, or fewer images came than it says it holds.
    """
    with whole_folder(out) as folder:
        studies = archive.studies(wanted)
        if not studies:
            raise InputError("The archive holds no study that matches")
        if len(studies) > 1:
            raise InputError(f"{len(studies)} studies of the archive match; name one with --study")
        held = archive.series_of(studies[0], wanted.series)
        if not held:
            raise InputError(f"The archive holds no images of this {'series' if wanted.series else 'study'}")
        came, total = itertools.count(1), sum(len(one.instances) for one in held)
        images = 0
        for one in held:
            place = folder / short_name(one.series)
            images += _fetch(archive, studies[0], one, place, lambda: progress(next(came), total))
    return Pulled(images, len(held))


def _fetch(archive: Archive, study: str, held: Held, folder: Path, came: Callable[[], None]) -> int:
    """Fetch a series into a folder of its own; how many images came."""
    folder.mkdir()
    got: set[str] = set()

    def keep(instance: str, file: bytes) -> None:
        (folder / f"{short_name(instance)}.dcm").write_bytes(file)
        got.add(instance)
        came()

    archive.fetch(study, held, keep)
    missing = len(set(held.instances) - got)
    if missing:
        said = len(held.instances)
        raise InputError(f"The archive sent {said - missing} of the {said} images of a series")
    return len(got)
