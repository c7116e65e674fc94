"""What pixels carry besides the picture: overlays in unused bits, bytes behind the last frame, comments."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thecal.dicom.codecs import NATIVE
from thecal.dicom.elements import integer_of

_FEWEST_SIGNS_IN_BYTES: Final = 5
# Element of the overlay groups 60xx.
_OVERLAY_BIT_POSITION: Final = 0x0102


def has_overlay_bits(dataset: Any) -> bool:
    """Whether an overlay says that it lies in unused bits of the pixels (retired, still met)."""
    return any(
        tag.group % 2 == 0
        and 0x6000 <= tag.group <= 0x60FF
        and tag.element == _OVERLAY_BIT_POSITION
        and (dataset[tag].value or 0) > 0
        for tag in dataset.keys()  # noqa: SIM118 — iterating a dataset would decode it
    )


def clean_pixels(dataset: Any, syntax: str, words: frozenset[str], *, overlay_bits: bool) -> str | None:
    """Take out of native pixels what is not picture, in place.

    Parameters
    ----------
    dataset : pydicom dataset
    syntax : str
        Transfer syntax UID.
    words : frozenset of str
        Names and numbers that must not stand in compressed pixels, as a comment of an encoder's.
    overlay_bits : bool
        As :func:`has_overlay_bits` says of the dataset before its overlays were removed.

    Returns
    -------
    str or None
        Why the pixels cannot be shared, as words after "images"; None where they can.
    """
    if "PixelData" not in dataset:
        return None
    data = dataset.PixelData
    if syntax not in NATIVE:
        if overlay_bits:
            return "with overlays in compressed pixels"
        low = data.lower()
        named = any(word.encode() in low for word in words if len(word) >= _FEWEST_SIGNS_IN_BYTES)
        return "with a name in compressed pixels" if named else None
    allocated = integer_of(dataset, "BitsAllocated") or 16
    pixels = (integer_of(dataset, "Rows") or 0) * (integer_of(dataset, "Columns") or 0)
    size = pixels * (integer_of(dataset, "NumberOfFrames") or 1) * allocated // 8
    if len(data) > size:
        data = data[:size] + b"\0" * (size % 2)
    if overlay_bits and allocated in (8, 16, 32):
        data = _without_overlay_bits(dataset, data, allocated, NATIVE[syntax])
    vr = dataset["PixelData"].VR
    dataset.PixelData = data
    dataset["PixelData"].VR = vr
    return None


def _without_overlay_bits(dataset: Any, data: bytes, allocated: int, order: str) -> bytes:
    """The stored bits alone, with the sign carried on where there is one."""
    values = np.frombuffer(data, f"{order}u{allocated // 8}").astype(f"u{allocated // 8}")
    stored = min(integer_of(dataset, "BitsStored") or allocated, allocated)
    low = max((integer_of(dataset, "HighBit") or stored - 1) - stored + 1, 0)
    values &= values.dtype.type(((1 << stored) - 1) << low)
    if integer_of(dataset, "PixelRepresentation") and low == 0 and stored < allocated:
        negative = (values >> (stored - 1)) & 1 == 1
        values[negative] |= values.dtype.type(((1 << allocated) - 1) ^ ((1 << stored) - 1))
    return values.astype(f"{order}u{allocated // 8}").tobytes()
