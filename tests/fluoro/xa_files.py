"""Toy files of a fluoroscopy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

XA = "1.2.840.10008.5.1.4.1.1.12.1"


def xa(path: Path, pixels: np.ndarray, **elements: object) -> Path:
    """A DICOM XA file of (frames, rows, columns) or (rows, columns)."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.file_meta.MediaStorageSOPClassUID = XA
    header.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    header.SOPClassUID, header.Modality = XA, "XA"
    header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID
    header.Rows, header.Columns = pixels.shape[-2:]
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = 8 * pixels.itemsize
    header.BitsStored = 12 if pixels.itemsize == 2 else 8
    header.HighBit, header.PixelRepresentation = header.BitsStored - 1, 0
    if pixels.ndim == 3:
        header.NumberOfFrames = len(pixels)
    for name, value in elements.items():
        setattr(header, name, value)
    header.PixelData = pixels.tobytes()
    header.save_as(path, enforce_file_format=True)
    return path
