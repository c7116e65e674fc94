"""What one DICOM file says of itself, short of its pixels: its header, and the slices that it places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thecal.dicom.members import Member
from thecal.volume import FloatArray

ENHANCED_STORAGE = {"1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2"}
CT_STORAGE = {"1.2.840.10008.5.1.4.1.1.2"} | ENHANCED_STORAGE


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
