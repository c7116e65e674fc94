"""The stored values of a fluoroscopy's frames, by the decoders that CT is read with where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from thecal.dicom.codecs import NATIVE, READABLE, decode
from thecal.dicom.pixels import sample_bits
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
    stored = int(header.BitsStored)
    bits: dict[str, Any] = {
        "bits_stored": stored,
        "high_bit": int(header.get("HighBit", stored - 1)),
        "signed": bool(header.get("PixelRepresentation", 0)),
        "overlay": True,
    }
    for data in generate_frames(dcmread(path).PixelData, number_of_frames=frames):
        yield sample_bits(decode(data, syntax, *form), **bits)


def _syntax(header: Any) -> str:
    return str(header.file_meta.TransferSyntaxUID)
