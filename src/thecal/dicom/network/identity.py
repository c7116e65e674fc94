"""The UIDs by which an archive knows an object, read without a word about what else a header holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, Any

from thecal.dicom.elements import MALFORMED
from thecal.dicom.members import UNREADABLE

_STUDY, _SOP_CLASS, _SOP_INSTANCE, _TRANSFER_SYNTAX = 0x0020000D, 0x00080016, 0x00080018, 0x00020010


@dataclass(frozen=True)
class Identity:
    """UIDs of one object; empty text where it lacks them."""

    study: str
    sop_class: str
    sop_instance: str
    transfer_syntax: str


def identity_of(file: IO[bytes]) -> Identity | None:
    """The UIDs of a DICOM file; None where it is none, or its header cannot be read."""
    import pydicom

    try:
        dataset: Any = pydicom.dcmread(
            file, stop_before_pixels=True, specific_tags=[_STUDY, _SOP_CLASS, _SOP_INSTANCE]
        )
        return Identity(
            _uid(dataset, _STUDY),
            _uid(dataset, _SOP_CLASS),
            _uid(dataset, _SOP_INSTANCE),
            _uid(dataset.file_meta, _TRANSFER_SYNTAX),
        )
    except (pydicom.errors.InvalidDicomError, *UNREADABLE, *MALFORMED, AttributeError, KeyError):
        return None


def _uid(dataset: Any, tag: int) -> str:
    """A UID as it stands in the file: decoding it would warn of an odd one, and repeat it."""
    value = dataset.get_item(tag).value if tag in dataset else ""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value or "")
    return text.strip(" \0")
