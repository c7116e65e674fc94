"""DICOM Segmentations with every freedom that the standard leaves to their writers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from thecal.volume import Grid

SEG, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"


def item(**elements) -> Dataset:
    ds = Dataset()
    for keyword, value in elements.items():
        setattr(ds, keyword, value)
    return ds


def code(value: str, meaning: str = "x", scheme: str = "SCT") -> Dataset:
    return item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)


def write_seg(
    path: Path,
    labels: np.ndarray,
    grid: Grid,
    names: dict[int, str],
    *,
    form: str = "BINARY",
    order: Sequence[int] | None = None,
    codes: dict[int, str] | None = None,
    drop: Sequence[int] = (),
    edit=None,
) -> Path:
    """``labels`` (plane, row, column) as a DICOM Segmentation.

    ``order`` shuffles the frames; ``codes`` are SCT property types by label; planes in ``drop`` get no frame.
    """
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = LABEL_MAP if form == "LABELMAP" else SEG
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.Modality, ds.SegmentationType = "SEG", form
    ds.Rows, ds.Columns = labels.shape[1:]
    numbers = {label: n for n, label in enumerate(names, start=1)}
    ds.SegmentSequence = Items(
        [
            item(
                SegmentNumber=n,
                SegmentLabel=names[label],
                SegmentedPropertyCategoryCodeSequence=Items([code("91723000", "Anatomical Structure")]),
                SegmentedPropertyTypeCodeSequence=Items([code((codes or {}).get(label, "272673000"))]),
            )
            for label, n in numbers.items()
        ]
    )
    spacing = grid.spacing_mm
    turn = [*(grid.affine[:3, 2] / spacing[2]), *(grid.affine[:3, 1] / spacing[1])]
    shared = item(
        PlaneOrientationSequence=Items([item(ImageOrientationPatient=[float(f"{v:.9f}") for v in turn])]),
        PixelMeasuresSequence=Items(
            [item(PixelSpacing=[float(spacing[1]), float(spacing[2])], SliceThickness=1.0)]
        ),
    )
    ds.SharedFunctionalGroupsSequence = Items([shared])
    planes = [k for k in range(len(labels)) if k not in drop]
    if form == "LABELMAP":
        table = np.zeros(int(labels.max()) + 1, np.uint8)
        for label, n in numbers.items():
            table[label] = n
        frames = [(k, 0, table[labels[k]]) for k in planes]
    else:
        frames = [
            (k, n, (labels[k] == label).astype(np.uint8))
            for label, n in numbers.items()
            for k in planes
            if (labels[k] == label).any()
        ]
    frames = (
        frames
        if order is None
        else [frames[i] for i in np.random.default_rng(order).permutation(len(frames))]
    )
    ds.NumberOfFrames = len(frames)
    per_frame = []
    for k, number, _ in frames:
        at = [float(f"{v:.6f}") for v in grid.to_lps([k, 0, 0])]
        group = item(PlanePositionSequence=Items([item(ImagePositionPatient=at)]))
        if number:
            group.SegmentIdentificationSequence = Items([item(ReferencedSegmentNumber=number)])
        per_frame.append(group)
    ds.PerFrameFunctionalGroupsSequence = Items(per_frame)
    pixels = np.stack([frame for _, _, frame in frames])
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    if form == "BINARY":
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 1, 1, 0
        data = np.packbits(pixels.ravel(), bitorder="little").tobytes()
    else:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit = 8, 8, 7
        if form == "FRACTIONAL":
            ds.MaximumFractionalValue, ds.SegmentationFractionalType = 200, "PROBABILITY"
            pixels = pixels * 140 + 60 * (1 - pixels)
        data = pixels.astype(np.uint8).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    if edit is not None:
        edit(ds)
    ds.save_as(path, enforce_file_format=True)
    return path
