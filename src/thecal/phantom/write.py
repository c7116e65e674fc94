"""A simulated scan as a CT Image Storage series or a NIfTI file, with its truth beside it.

Both say that they are simulated where any reader finds it: in DICOM, ``Manufacturer`` is "thecal phantom" and
ImageType DERIVED; in NIfTI, ``descrip`` is "thecal phantom". Identifiers follow from the voxels, so that the
same seed gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.volume import Grid, Volume

Format = Literal["dicom", "nifti"]
MARK: Final = "thecal phantom"
_TWELVE_BIT_TOP: Final = 3071
_EXTENDED_INTERCEPT: Final = -8192


def write_scan(volume: Volume, out: Path, form: Format, *, note: str = "synthetic patient") -> Path:
    """Write the scan under ``out``: ``dicom/`` with one file a slice, or ``ct.nii.gz``.

    Returns
    -------
    Path
        What ``thecal assess`` takes as its input.
    """
    out.mkdir(parents=True, exist_ok=True)
    if form == "nifti":
        path = out / "ct.nii.gz"
        write_nifti(volume.hu, volume.grid, path)
        return path
    folder = out / "dicom"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.dcm"):
        old.unlink()
    _write_series(volume, folder, note)
    return folder


def write_nifti(array: npt.NDArray[Any], grid: Grid, path: Path) -> None:
    """Write an array (z, y, x) as NIfTI in the usual (x, y, z) order, RAS."""
    import gzip

    import nibabel as nib

    to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    swap = np.eye(4)[[2, 1, 0, 3]]
    picture = nib.Nifti1Image(np.ascontiguousarray(array.transpose(2, 1, 0)), to_ras @ grid.affine @ swap)
    picture.header["descrip"] = MARK.encode()
    picture.header.set_xyzt_units("mm")
    # No clock and no file name in the gzip header: the same seed gives the same bytes.
    with path.open("wb") as raw, gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as packed:
        packed.write(picture.to_bytes())


def write_truth(truth: dict[str, Any], out: Path) -> Path:
    """Write ``truth.json``."""
    path = out / "truth.json"
    path.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    return path


def _write_series(volume: Volume, folder: Path, note: str) -> None:
    from pydicom.uid import generate_uid

    digest = hashlib.sha256(
        np.ascontiguousarray(volume.hu).tobytes() + volume.grid.affine.tobytes()
    ).hexdigest()
    study, series, frame = (
        generate_uid(entropy_srcs=[digest, word]) for word in ("study", "series", "frame")
    )
    for k in range(volume.hu.shape[0]):
        slice_uid = generate_uid(entropy_srcs=[digest, "slice", str(k)])
        data = _slice(volume, k, note, digest, (str(study), str(series), str(frame), str(slice_uid)))
        data.save_as(folder / f"CT_{k + 1:04d}.dcm", enforce_file_format=True)


def _slice(volume: Volume, k: int, note: str, digest: str, uids: tuple[str, str, str, str]) -> Any:
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

    spacing = volume.grid.spacing_mm
    across = volume.grid.affine[:3, 2] / spacing[2]
    down = volume.grid.affine[:3, 1] / spacing[1]
    at = volume.grid.to_lps([k, 0, 0])
    source = volume.source
    study, series, frame, instance = uids
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = Dataset()
    data.file_meta = meta
    data.SpecificCharacterSet = "ISO_IR 192"
    data.ImageType = ["DERIVED", "SECONDARY", "AXIAL"]
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = instance
    data.StudyDate = data.SeriesDate = data.ContentDate = "20250101"
    data.StudyTime = data.ContentTime = "120000"
    data.AccessionNumber = ""
    data.Modality = "CT"
    data.Manufacturer = MARK
    data.ManufacturerModelName = "thecal phantom scanner"
    data.ReferringPhysicianName = ""
    data.StudyDescription = "Simulated CT of the spine"
    data.SeriesDescription = f"Simulated: {note}"[:64]
    data.PatientName = "Phantom^Synthetic"
    data.PatientID = f"PHANTOM-{digest[:12].upper()}"
    data.PatientBirthDate = ""
    data.PatientSex = source.sex or ""
    if source.age is not None:
        data.PatientAge = f"{round(source.age):03d}Y"
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "Simulated by thecal phantom"
    data.BodyPartExamined = "SPINE"
    data.SliceThickness = _ds(source.slice_thickness_mm or float(spacing[0]))
    data.SpacingBetweenSlices = _ds(float(spacing[0]))
    data.KVP = _ds(source.kvp or 120.0)
    data.ConvolutionKernel = source.kernel or "soft"
    data.PatientPosition = "HFS"
    data.StudyInstanceUID = study
    data.SeriesInstanceUID = series
    data.StudyID = "1"
    data.SeriesNumber = 1
    data.AcquisitionNumber = 1
    data.InstanceNumber = k + 1
    data.ImagePositionPatient = [_ds(float(x)) for x in at]
    data.ImageOrientationPatient = [_ds(float(x)) for x in (*across, *down)]
    data.FrameOfReferenceUID = frame
    data.PositionReferenceIndicator = ""
    data.SliceLocation = _ds(float(at[2]))
    data.ImageComments = "thecal phantom: simulated, not a patient"
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = volume.hu.shape[1:]
    data.PixelSpacing = [_ds(float(spacing[1])), _ds(float(spacing[2]))]
    twelve = int(volume.hu.max()) <= _TWELVE_BIT_TOP
    intercept = -1024 if twelve else _EXTENDED_INTERCEPT
    data.BitsAllocated = 16
    data.BitsStored = 12 if twelve else 16
    data.HighBit = data.BitsStored - 1
    data.PixelRepresentation = 0
    data.RescaleIntercept = intercept
    data.RescaleSlope = 1
    data.RescaleType = "HU"
    data.WindowCenter = 300
    data.WindowWidth = 1500
    stored = np.clip(volume.hu[k].astype(np.int32) - intercept, 0, 65535).astype("<u2")
    data.PixelData = stored.tobytes()
    return data


def _ds(value: float) -> str:
    """A decimal string of at most 16 characters."""
    return f"{value:.6f}".rstrip("0").rstrip(".") or "0"
