"""The slices of one DICOM file and where each lies: of a classic file one, of an enhanced one each frame."""

from __future__ import annotations

from typing import Any

import numpy as np

from thecal.dicom.elements import as_integer, as_number, as_vector, integer_of, items_of, many, value_of
from thecal.dicom.headers import Frame, Header
from thecal.volume import FloatArray


def placed_frames(header: Header, dataset: Any) -> list[Frame]:
    """The slices of a file in its own order; without those that say no position, orientation or spacing."""
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
