"""The door: decide what an input is, and bring it in as one volume or list its series."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from thecal.errors import InputError

if TYPE_CHECKING:
    from thecal.dicom.series import Series
    from thecal.volume import Volume

Kind = Literal["dicom", "nifti", "nrrd", "mha"]
Progress = Callable[[int, int], None]


def read(path: Path, *, series: str | None = None, progress: Progress | None = None) -> Volume:
    """One CT as a volume in HU, (z, y, x) = (caudal to cranial, anterior to posterior, right to left).

    Parameters
    ----------
    path : Path
        A DICOM folder or zip (searched recursively), a multi-frame DICOM file, or a NIfTI, NRRD or
        MetaImage volume.
    series : str, optional
        The series to take, as ``list_series`` names it, in place of the thinnest axial one that shows bone.
    progress : callable, optional
        Called with (slices done, slices in all) while pixels are decoded.

    Raises
    ------
    InputError
        Where there is no CT to use; the sentence names the file or series and the place.
    """
    path = Path(path)
    kind = kind_of(path)
    with _quiet():
        if kind == "dicom":
            from thecal.dicom.stack import read_dicom

            return read_dicom(path, series, progress)
        if series is not None:
            raise InputError(f"{path.name} is a volume file and holds no DICOM series to choose from.")
        from thecal.dicom.volume_files import read_volume_file

        return read_volume_file(path, kind)


def list_series(path: Path) -> list[Series]:
    """What the input holds, a line for each series, the one that ``read`` would take marked ``chosen``.

    Raises
    ------
    InputError
        Where there is nothing to list.
    """
    path = Path(path)
    kind = kind_of(path)
    with _quiet():
        if kind == "dicom":
            from thecal.dicom.stack import list_dicom

            return list_dicom(path)
        from thecal.dicom.series import Series
        from thecal.dicom.volume_files import read_volume_file

        volume = read_volume_file(path, kind)
    x, y, z = volume.hu.shape[::-1]
    dz, dy, dx = (float(v) for v in volume.grid.spacing_mm)
    ends = sorted(float(volume.grid.to_lps([k, (y - 1) / 2, (x - 1) / 2])[2]) for k in (0, z - 1))
    base = Series(uid="", number=None, description=path.name, modality="CT", images=1)
    return [
        replace(
            base,
            plane="axial",
            shape=(x, y, z),
            spacing_mm=(dx, dy, dz),
            coverage_mm=(round(ends[0], 2), round(ends[1], 2)),
            usable=True,
            chosen=True,
        )
    ]


def kind_of(path: Path) -> Kind:
    """What an input is, by its content rather than by its name.

    Raises
    ------
    InputError
        Where it does not exist, cannot be opened, or is of no kind that thecal reads.
    """
    try:
        if path.is_dir():
            return "dicom"
        if not path.exists():
            raise InputError(f"{path} does not exist.")
        if not path.is_file():
            raise InputError(f"{path.name} is neither a file nor a folder.")
        with path.open("rb") as stream:
            head = stream.read(1024)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened: {error.strerror or error}.") from error
    if not head:
        raise InputError(f"{path.name} is empty.")
    name = path.name.lower()
    if head[:2] == b"\x1f\x8b" or name.endswith((".nii", ".hdr", ".img")):
        if name.endswith(".img") and path.with_suffix(".hdr").exists():
            return "nifti"
        if name.endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz")) or _nifti_inside(path):
            return "nifti"
    if head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] in (b"n+2\0", b"ni2\0"):
        return "nifti"
    if head.startswith(b"NRRD"):
        return "nrrd"
    if b"ElementDataFile" in head or head.lstrip().startswith((b"ObjectType", b"NDims")):
        return "mha"
    from thecal.dicom.members import is_zip
    from thecal.dicom.read_header import looks_like_dicom

    if is_zip(path) or looks_like_dicom(head[:132]):
        return "dicom"
    raise InputError(
        f"{path.name} is neither a DICOM folder, zip or file nor a NIfTI, NRRD or MetaImage volume."
    )


def _nifti_inside(path: Path) -> bool:
    import gzip
    import zlib

    try:
        with gzip.open(path) as stream:
            head = stream.read(348)
    except (OSError, EOFError, zlib.error):
        return False
    return head[344:348] in (b"n+1\0", b"ni1\0") or head[4:8] == b"n+2\0"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the libraries' warnings on odd headers: what matters of them becomes a quality note."""
    import logging

    loggers = [logging.getLogger(name) for name in ("pydicom", "nibabel.global")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
