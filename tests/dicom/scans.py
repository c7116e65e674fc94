"""Synthetic CT for the tests of reading: a crude trunk, and a writer of series with every fault known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

MARKER_HU = 1600
AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))


def trunk(shape=(24, 48, 56), *, seed=0):
    """A trunk in HU, (z, y, x) int16: air, fat, muscle, a vertebra; a marker left, anterior, cranial."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    hu = np.full(shape, -1000.0)
    hu[(x / 0.95) ** 2 + (y / 0.9) ** 2 < 1] = -100
    hu[(x / 0.8) ** 2 + (y / 0.75) ** 2 < 1] = 50
    hu[(x / 0.3) ** 2 + ((y - 0.2) / 0.3) ** 2 < 1] = 220
    hu[((x / 0.3) ** 2 + ((y - 0.2) / 0.3) ** 2 < 1) & (np.abs(z) > 0.75)] = 700
    hu += rng.normal(0, 12, shape)
    hu[marker(shape)] += MARKER_HU - 50
    return np.rint(np.clip(hu, -1024, 3071)).astype(np.int16)


def marker(shape):
    """Where the trunk's marker is: more to the left, the front and the head than the middle."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return ((x - 0.35) / 0.15) ** 2 + ((y + 0.3) / 0.18) ** 2 + ((z - 0.4) / 0.3) ** 2 < 1


def write_series(
    folder: Path,
    slices,
    *,
    spacing=(2.0, 0.8, 0.8),
    origin=(-20.0, -150.0, 300.0),
    axes=AXIAL,
    step=None,
    positions: Sequence[Sequence[float]] | None = None,
    uid: str | None = None,
    syntax: str = ExplicitVRLittleEndian,
    signed: bool = False,
    bits: int = 12,
    intercept: float = -1024,
    slope: float = 1,
    edit: Callable[[Dataset, int], None] | None = None,
    **elements,
) -> list[Path]:
    """Write slices (n, rows, columns) in HU as one CT series, one file a slice; the paths in slice order.

    ``spacing`` is (slice, row, column) mm; ``step`` the vector from slice to slice (along the normal if not
    given); ``edit(dataset, k)`` has the last word on each file before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    row, column = (np.asarray(axis, float) for axis in axes)
    step = np.cross(row, column) * spacing[0] if step is None else np.asarray(step, float)
    uid = uid or generate_uid()
    study = generate_uid(entropy_srcs=["study"])
    paths = []
    for k, image in enumerate(slices):
        ds = _dataset(image, bits=bits, signed=signed, slope=slope, intercept=intercept, syntax=syntax)
        ds.Modality = "CT"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study, uid
        ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = 3, k + 1, 1
        ds.SeriesDescription = "spine"
        ds.PatientName, ds.PatientID = "Doe^Jane", "secret-42"
        ds.PixelSpacing = [spacing[1], spacing[2]]
        ds.SliceThickness = spacing[0]
        ds.KVP = 120
        ds.ConvolutionKernel = "Br40"
        where = origin + k * step if positions is None else positions[k]
        ds.ImagePositionPatient = [float(f"{v:.6f}") for v in where]
        ds.ImageOrientationPatient = [float(f"{v:.9f}") for v in (*row, *column)]
        for keyword, value in elements.items():
            setattr(ds, keyword, value)
        if edit is not None:
            edit(ds, k)
        paths.append(save(ds, folder / f"{uid[-6:]}_{k:04d}.dcm"))
    return paths


def write_enhanced(path: Path, slices, *, spacing=(2.0, 0.8, 0.8), origin=(-20.0, -150.0, 300.0), order=None):
    """Write slices as one enhanced multi-frame CT, its frames in ``order``."""
    order = range(len(slices)) if order is None else order
    ds = _dataset(slices[0], bits=12, signed=False, slope=1, intercept=0, syntax=ExplicitVRLittleEndian)
    del ds.RescaleSlope, ds.RescaleIntercept
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    ds.Modality, ds.SeriesInstanceUID, ds.StudyInstanceUID = "CT", generate_uid(), generate_uid()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.NumberOfFrames = len(order)
    ds.PixelData = b"".join((slices[k].astype(np.int32) + 1024).astype("<u2").tobytes() for k in order)
    shared = Dataset()
    shared.PlaneOrientationSequence = Items([_item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])])
    measures = _item(PixelSpacing=[spacing[1], spacing[2]], SliceThickness=spacing[0])
    shared.PixelMeasuresSequence = Items([measures])
    ds.SharedFunctionalGroupsSequence = Items([shared])
    per_frame = []
    for k in order:
        item = Dataset()
        at = [origin[0], origin[1], origin[2] + k * spacing[0]]
        item.PlanePositionSequence = Items([_item(ImagePositionPatient=at)])
        value = _item(RescaleSlope=1, RescaleIntercept=-1024, RescaleType="HU")
        item.PixelValueTransformationSequence = Items([value])
        per_frame.append(item)
    ds.PerFrameFunctionalGroupsSequence = Items(per_frame)
    return save(ds, path)


def save(ds: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def _item(**elements) -> Dataset:
    item = Dataset()
    for keyword, value in elements.items():
        setattr(item, keyword, value)
    return item


def _dataset(image, *, bits, signed, slope, intercept, syntax) -> Dataset:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.Rows, ds.Columns = image.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = 16, bits, bits - 1
    ds.PixelRepresentation = int(signed)
    ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
    stored = np.rint((image.astype(float) - intercept) / slope)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    order = ">" if syntax == "1.2.840.10008.1.2.2" else "<"
    ds.PixelData = np.clip(stored, low, high).astype(f"{order}i2" if signed else f"{order}u2").tobytes()
    ds["PixelData"].VR = "OW"
    return ds
