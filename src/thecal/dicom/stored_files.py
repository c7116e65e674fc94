"""NIfTI and NRRD files as they are stored, or one sentence on why they cannot be read."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.volume import FloatArray


@contextmanager
def nifti_image(path: Path) -> Iterator[Any]:
    """The image by its content, also where its name says nothing; its voxels not yet read.

    Raises
    ------
    InputError
        Also for what is raised in the block: voxels and units are read there.
    """
    import gzip

    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError
    from nibabel.spatialimages import HeaderDataError

    try:
        if path.name.lower().endswith((".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")):
            yield nib.load(path)
            return
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            second = stream.read(8)[4:8] == b"n+2\0"
            stream.seek(0)
            yield (nib.Nifti2Image if second else nib.Nifti1Image).from_stream(stream)
    except (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error, ValueError, KeyError) as error:
        # What nibabel and gzip raise on damaged files, found by damaging files at random; the last is a unit
        # of length that NIfTI does not have.
        raise InputError(f"{path.name} cannot be read as NIfTI; it may be damaged or truncated.") from error


def read_nrrd(path: Path) -> tuple[npt.NDArray[Any], dict[str, Any]]:
    """Voxels, the first axis the fastest, and header.

    Raises
    ------
    InputError
        Where the file is damaged, or its voxels lie outside its folder.
    """
    import nrrd

    try:
        header: dict[str, Any] = dict(nrrd.read_header(str(path)))
        beside = header.get("data file", header.get("datafile"))
        if beside is not None and (path.parent / str(beside)).resolve().parent != path.resolve().parent:
            raise InputError(f"The voxels of {path.name} lie outside its folder, so they are not read.")
        stored, header = nrrd.read(str(path), index_order="F")
    except (
        nrrd.NRRDError,
        OSError,
        EOFError,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AssertionError,
        IndexError,
    ) as error:
        # What pynrrd and gzip raise on damaged files, found by damaging files at random.
        raise InputError(f"{path.name} cannot be read as NRRD; it may be damaged or truncated.") from error
    return stored, dict(header)


def space_to_lps(space: str) -> FloatArray | None:
    """The flip from an NRRD space to LPS, (4, 4); None where the space says nothing of the patient."""
    names = {
        "lps": "left-posterior-superior",
        "ras": "right-anterior-superior",
        "las": "left-anterior-superior",
    }
    words = names.get(space, space).split("-")
    if len(words) != 3:
        return None
    signs = [{"left": 1, "right": -1}, {"posterior": 1, "anterior": -1}, {"superior": 1, "inferior": -1}]
    found = [options.get(word) for options, word in zip(signs, words, strict=True)]
    if None in found:
        return None
    return np.diag([*(float(sign or 0) for sign in found), 1.0])
