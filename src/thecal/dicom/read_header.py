"""The header of a DICOM file, read as far as its pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

from thecal.dicom.elements import (
    MALFORMED,
    as_integer,
    as_number,
    integer_of,
    items_of,
    text_of,
    value_of,
    words_of,
)
from thecal.dicom.headers import CT_STORAGE, Frame, Header
from thecal.dicom.members import UNREADABLE, Member
from thecal.dicom.placed_frames import placed_frames

KEYWORDS = [
    "SOPClassUID",
    "SOPInstanceUID",
    "ImageType",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "SeriesDescription",
    "StudyDate",
    "SeriesDate",
    "AcquisitionDate",
    "ContentDate",
    "PatientName",
    "PatientBirthDate",
    "PatientAge",
    "PatientSex",
    "SliceThickness",
    "KVP",
    "ConvolutionKernel",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "TriggerTime",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
]
OVERLAY_BIT_POSITION = 0x60000102
WANTED: Any = [*KEYWORDS, OVERLAY_BIT_POSITION]


def read_header(member: Member) -> tuple[Header, list[Frame]] | None:
    """The header of a file and its placed frames; None where the file is not DICOM.

    Frames without a position, an orientation or a pixel spacing are left out.

    Raises
    ------
    EOFError
        Where the file begins as DICOM but its header is cut short or damaged.
    """
    import pydicom

    try:
        with member.open() as stream:
            start = stream.read(132)
            if not looks_like_dicom(start):
                return None
            stream.seek(0)
            dataset = pydicom.dcmread(
                stream,
                stop_before_pixels=True,
                force=True,
                specific_tags=WANTED,
            )
            at = stream.tell()
            next_tag = stream.read(4)
    except (*UNREADABLE, *MALFORMED) as error:
        raise EOFError("the header is damaged") from error
    syntax = text_of(dataset.file_meta, "TransferSyntaxUID") or _guessed_syntax(dataset)
    deflated = syntax == "1.2.840.10008.1.2.1.99"
    has_pixels = deflated or _is_pixel_tag(next_tag)
    header = _header(member, dataset, syntax, None if deflated else at, has_pixels)
    claimed = text_of(dataset.file_meta, "MediaStorageSOPClassUID")
    if not header.rows and CT_STORAGE & {header.sop_class, claimed}:
        raise EOFError("the header ends before the image's size")
    return header, placed_frames(header, dataset)


def looks_like_dicom(start: bytes) -> bool:
    """Whether a preamble or, in files that lack it, a first element of group 2 or 8 is there."""
    if start[128:132] == b"DICM":
        return True
    if len(start) < 12 or start[:2] not in (b"\x08\x00", b"\x02\x00"):
        return False
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    return explicit or int.from_bytes(start[4:8], "little") < 256


def _guessed_syntax(dataset: Any) -> str:
    implicit, little = dataset.original_encoding
    if implicit:
        return "1.2.840.10008.1.2"
    return "1.2.840.10008.1.2.1" if little else "1.2.840.10008.1.2.2"


def _is_pixel_tag(four: bytes) -> bool:
    return four in (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")


def _header(member: Member, dataset: Any, syntax: str, at: int | None, has_pixels: bool) -> Header:
    image_type = words_of(dataset, "ImageType")
    bits = integer_of(dataset, "BitsAllocated") or 16
    stored = integer_of(dataset, "BitsStored") or bits
    signed = integer_of(dataset, "PixelRepresentation") == 1
    kernels = words_of(dataset, "ConvolutionKernel", upper=False) or _words_in_groups(
        dataset, "CTReconstructionSequence", "ConvolutionKernel"
    )
    kvp = words_of(dataset, "KVP") or _words_in_groups(dataset, "CTXRayDetailsSequence", "KVP")
    sop_class = text_of(dataset, "SOPClassUID") or text_of(dataset.file_meta, "MediaStorageSOPClassUID")
    return Header(
        member=member,
        transfer_syntax=syntax,
        pixels_at=at,
        has_pixels=has_pixels,
        sop_class=sop_class,
        sop_instance=text_of(dataset, "SOPInstanceUID"),
        study_uid=text_of(dataset, "StudyInstanceUID"),
        series_uid=text_of(dataset, "SeriesInstanceUID"),
        series_number=integer_of(dataset, "SeriesNumber"),
        description=text_of(dataset, "SeriesDescription"),
        modality=text_of(dataset, "Modality").upper() or ("CT" if sop_class in CT_STORAGE else ""),
        maker=" ".join(text_of(dataset, word) for word in ("Manufacturer", "ManufacturerModelName")).strip(),
        image_type=image_type,
        kernel=kernels[0] if kernels else None,
        kvp=as_number(kvp[0]) if kvp else None,
        age=_age(dataset),
        sex=text_of(dataset, "PatientSex").upper()[:1] or None,
        patient_name=text_of(dataset, "PatientName") or None,
        rescale_type=text_of(dataset, "RescaleType").upper(),
        rows=integer_of(dataset, "Rows") or 0,
        columns=integer_of(dataset, "Columns") or 0,
        frame_count=integer_of(dataset, "NumberOfFrames") or 1,
        samples=integer_of(dataset, "SamplesPerPixel") or 1,
        photometric=text_of(dataset, "PhotometricInterpretation").upper(),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=integer_of(dataset, "HighBit") or stored - 1,
        signed=signed,
        padding=_padding(dataset, signed, bits),
        overlay_in_pixels=_overlay_in_pixels(dataset),
    )


def _padding(dataset: Any, signed: bool, bits: int) -> tuple[int, int] | None:
    """The stored values that mean "outside the field of view", both ends included."""
    low = integer_of(dataset, "PixelPaddingValue")
    if low is None:
        return None
    high = integer_of(dataset, "PixelPaddingRangeLimit")
    ends = [low, low if high is None else high]
    # Writers often give the value in the other signedness.
    if signed:
        ends = [value - (1 << bits) if value >= 1 << (bits - 1) else value for value in ends]
    else:
        ends = [value + (1 << bits) if value < 0 else value for value in ends]
    return min(ends), max(ends)


def _overlay_in_pixels(dataset: Any) -> bool:
    element = value_of(dataset, OVERLAY_BIT_POSITION)
    position = None if element is None else as_integer(element.value)
    return position is not None and position > 0


def _age(dataset: Any) -> float | None:
    """Age in years from "070Y", "018M", or the dates of birth and study."""
    text = text_of(dataset, "PatientAge").upper()
    per_year = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.25}
    if len(text) >= 2 and text[:-1].strip().isdigit() and text[-1] in per_year:
        return round(int(text[:-1]) / per_year[text[-1]], 2)
    born = _day(text_of(dataset, "PatientBirthDate"))
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        seen = _day(text_of(dataset, keyword))
        if born is not None and seen is not None and seen >= born:
            return round(float((seen - born).astype(int)) / 365.25, 2)
    return None


def _day(text: str) -> np.datetime64 | None:
    digits = text.replace(".", "").replace("-", "")
    if len(digits) != 8 or not digits.isdigit():
        return None
    try:
        return np.datetime64(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "D")
    except ValueError:
        return None


def _words_in_groups(dataset: Any, sequence: str, keyword: str) -> tuple[str, ...]:
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in items_of(dataset, groups)[:1]:
            for item in items_of(group, sequence):
                return words_of(item, keyword, upper=False)
    return ()
