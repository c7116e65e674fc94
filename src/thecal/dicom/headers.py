"""What one DICOM file says of itself, short of its pixels."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from thecal.dicom.elements import (
    as_integer,
    as_number,
    as_vector,
    integer_of,
    items_of,
    many,
    text_of,
    value_of,
    words_of,
)
from thecal.dicom.members import Member
from thecal.volume import FloatArray

LOCALIZER_WORDS = {"LOCALIZER", "SCOUT", "TOPOGRAM"}
PROJECTION_WORDS = {"MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VRT", "VOLUME_RENDER"}
ENHANCED_STORAGE = {"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"}
CT_STORAGE = {"1.2.840.10008.5.1.4.1.1.2"} | ENHANCED_STORAGE
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
HU_TYPES = {"", "HU", "US", "HU_MOD"}

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


@dataclass(frozen=True, eq=False)
class Header:
    """One DICOM file, its patient and its pixel format.

    ``pixels_at`` is where the pixel element begins in the file; None where the file is deflated as a
    whole; ``has_pixels`` says whether there is one.
    """

    member: Member
    transfer_syntax: str
    pixels_at: int | None
    has_pixels: bool
    sop_class: str
    sop_instance: str
    study_uid: str
    series_uid: str
    series_number: int | None
    description: str
    modality: str
    maker: str
    image_type: tuple[str, ...]
    kernel: str | None
    kvp: float | None
    age: float | None
    sex: str | None
    patient_name: str | None
    rescale_type: str
    rows: int
    columns: int
    frame_count: int
    samples: int
    photometric: str
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, int] | None
    overlay_in_pixels: bool

    @property
    def multi_frame(self) -> bool:
        """Whether its slices are frames, which others must name by their number."""
        return self.frame_count > 1 or self.sop_class in ENHANCED_STORAGE


@dataclass(frozen=True, eq=False)
class Frame:
    """One slice: a classic file, or one frame of an enhanced one.

    Attributes
    ----------
    header : Header
    number : int
        Index of the frame within its file.
    position : (3,) float64
        Centre of the first voxel, LPS mm.
    along_row, along_column : (3,) float64
        Unit vectors in which the column index and the row index grow.
    spacing_mm : (row spacing, column spacing)
    thickness_mm : float or None
    slope, intercept : float
        Stored value to HU.
    instance, acquisition, temporal : int or None
    kind : tuple of str
        The frame's image type.
    """

    header: Header
    number: int
    position: FloatArray
    along_row: FloatArray
    along_column: FloatArray
    spacing_mm: tuple[float, float]
    thickness_mm: float | None
    slope: float
    intercept: float
    instance: int | None
    acquisition: int | None
    temporal: float | None
    kind: tuple[str, ...]

    @property
    def normal(self) -> FloatArray:
        """Unit normal of the slice, LPS."""
        return np.cross(self.along_row, self.along_column)


def read_header(member: Member) -> tuple[Header, list[Frame]] | None:
    """The header of a file and its placed frames; None where the file is not DICOM.

    Frames without a position, an orientation or a pixel spacing are left out.

    Raises
    ------
    EOFError
        Where the file begins as DICOM but its header is cut short.
    """
    import pydicom
    from pydicom.errors import BytesLengthException, InvalidDicomError

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
            syntax = str(getattr(dataset.file_meta, "TransferSyntaxUID", "") or _guessed_syntax(dataset))
            deflated = syntax == "1.2.840.10008.1.2.1.99"
            at = stream.tell()
            has_pixels = deflated or _is_pixel_tag(stream.read(4))
    except (InvalidDicomError, BytesLengthException, NotImplementedError, ValueError, KeyError) as error:
        raise EOFError(str(error)) from error
    except (OSError, zipfile.BadZipFile, zlib.error, AttributeError, TypeError) as error:
        raise EOFError(str(error)) from error
    header = _header(member, dataset, syntax, None if deflated else at, has_pixels)
    claimed = str(getattr(dataset.file_meta, "MediaStorageSOPClassUID", ""))
    if not header.rows and CT_STORAGE & {header.sop_class, claimed}:
        raise EOFError("the header ends before the image's size")
    return header, _frames(header, dataset)


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
    sop_class = text_of(dataset, "SOPClassUID") or str(
        getattr(dataset.file_meta, "MediaStorageSOPClassUID", "") or ""
    )
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


def _frames(header: Header, dataset: Any) -> list[Frame]:
    shared = items_of(dataset, "SharedFunctionalGroupsSequence")[:1]
    per_frame = items_of(dataset, "PerFrameFunctionalGroupsSequence")
    if not per_frame and header.frame_count > 1 and not shared:
        return []
    frames = []
    for number in range(header.frame_count):
        groups = per_frame[number : number + 1] + shared
        frame = _frame(header, dataset, groups, number)
        if frame is not None:
            frames.append(frame)
    return frames


def _frame(header: Header, dataset: Any, groups: list[Any], number: int) -> Frame | None:
    def of(sequence: str, keyword: str) -> Any:
        for group in groups:
            for item in items_of(group, sequence):
                value = value_of(item, keyword)
                if value is not None:
                    return value
        return value_of(dataset, keyword)

    position = as_vector(of("PlanePositionSequence", "ImagePositionPatient"), 3)
    turned = as_vector(of("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    spacing = as_vector(of("PixelMeasuresSequence", "PixelSpacing"), 2)
    if position is None or turned is None or spacing is None or min(spacing) <= 0:
        return None
    axes = _right_angled(turned)
    if axes is None:
        return None
    slope = as_number(of("PixelValueTransformationSequence", "RescaleSlope"))
    intercept = as_number(of("PixelValueTransformationSequence", "RescaleIntercept"))
    frame_type = of("CTImageFrameTypeSequence", "FrameType") or of("MRImageFrameTypeSequence", "FrameType")
    kind = header.image_type if frame_type is None else tuple(str(word).upper() for word in many(frame_type))
    temporal = of("FrameContentSequence", "TemporalPositionIndex")
    if temporal is None:
        temporal = of("TemporalPositionSequence", "TemporalPositionIdentifier")
    return Frame(
        header=header,
        number=number,
        position=position,
        along_row=axes[0],
        along_column=axes[1],
        spacing_mm=(float(spacing[0]), float(spacing[1])),
        thickness_mm=as_number(of("PixelMeasuresSequence", "SliceThickness")),
        slope=1.0 if slope is None or slope == 0 else slope,
        intercept=0.0 if intercept is None else intercept,
        instance=number + 1 if groups else integer_of(dataset, "InstanceNumber"),
        acquisition=as_integer(of("FrameContentSequence", "FrameAcquisitionNumber"))
        if groups
        else as_integer(value_of(dataset, "AcquisitionNumber")),
        temporal=as_number(temporal),
        kind=kind,
    )


def _right_angled(turned: FloatArray) -> tuple[FloatArray, FloatArray] | None:
    """The row and column directions as unit vectors at right angles; None where they are no plane."""
    row, column = turned[:3], turned[3:]
    length = float(np.linalg.norm(row))
    if not 0.9 < length < 1.1 or not 0.9 < float(np.linalg.norm(column)) < 1.1:
        return None
    row = row / length
    column = column / np.linalg.norm(column)
    if abs(float(row @ column)) > 0.05:
        return None
    column = column - (column @ row) * row
    return row, column / np.linalg.norm(column)


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
    element = dataset.get(OVERLAY_BIT_POSITION)
    try:
        return element is not None and int(element.value) > 0
    except (TypeError, ValueError):
        return False


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
