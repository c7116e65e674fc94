"""The stored values of a fluoroscopy's frames, by the decoders that CT is read with where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.dicom.codecs import NATIVE, READABLE, decode
from thecal.errors import InputError


def check_decodable(header: Any, name: str) -> None:
    """Refuse a file whose compression nothing here reads, before its first picture.

    Raises
    ------
    InputError
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    syntax = _syntax(header)
    if syntax in READABLE:
        return
    try:
        readable = get_decoder(UID(syntax)).is_available
    except NotImplementedError:
        readable = False
    if not readable:
        raise InputError(f"{name} is compressed as {UID(syntax).name}, which thecal does not decode")


def stored_frames(path: Path) -> Iterator[npt.NDArray[Any]]:
    """Frame after frame as stored; raises whatever a decoder does on a damaged file.

    Parameters
    ----------
    path : Path
    """
    from pydicom import dcmread
    from pydicom.encaps import generate_frames
    from pydicom.pixels.utils import iter_pixels

    header = dcmread(path, stop_before_pixels=True)
    syntax = _syntax(header)
    if syntax in NATIVE or syntax not in READABLE or int(header.get("SamplesPerPixel", 1)) != 1:
        yield from iter_pixels(path)
        return
    frames = int(header.get("NumberOfFrames") or 1)
    form = int(header.Rows), int(header.Columns), int(header.BitsAllocated)
    for data in generate_frames(dcmread(path).PixelData, number_of_frames=frames):
        yield _sample_bits(decode(data, syntax, *form), header)


def _sample_bits(values: npt.NDArray[Any], header: Any) -> npt.NDArray[Any]:
    """Values freed of what lies above the stored bits, with their sign."""
    size = 8 * values.itemsize
    spare = size - min(int(header.BitsStored), size)
    if header.get("PixelRepresentation", 0):
        signed: npt.NDArray[Any] = np.left_shift(values.view(f"i{values.itemsize}"), spare) >> spare
        return signed
    plain: npt.NDArray[Any] = values & values.dtype.type((1 << (size - spare)) - 1)
    return plain


def _syntax(header: Any) -> str:
    return str(header.file_meta.TransferSyntaxUID)
