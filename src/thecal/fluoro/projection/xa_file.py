"""Simulated fluoroscopy as a DICOM X-Ray Angiographic multi-frame object."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from thecal.dicom.simulated import SIMULATED_MARK
from thecal.dicom.uids import uid_from
from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.xa_geometry import state_geometry
from thecal.terms import RESEARCH_USE

XA_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.12.1"
EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
FRAME_TIME: Final = 0x00181063


def write_xa(
    path: Path,
    frames: npt.NDArray[np.uint8] | npt.NDArray[np.uint16],
    c_arm: CArm,
    angles: Sequence[tuple[float, float]],
    *,
    frame_time_ms: float = 1000.0 / 7.5,
    bits: int = 8,
    kv: float = 80.0,
    patient_position: str = "HFP",
    note: str = "",
) -> None:
    """Write a run of pictures; nothing in it is a patient's, and its maker says that it is simulated.

    Parameters
    ----------
    path : Path
        Replaced only when the whole file is written.
    frames : (n, rows, columns) uint8 or uint16
        As displayed: dense things dark.
    c_arm : CArm
        Of that many rows and columns.
    angles : sequence of (float, float)
        Primary and secondary angle, for each frame or once for all.
    frame_time_ms : float
        From one frame to the next.
    bits : int
        Used of each pixel.
    kv : float
    patient_position : str
        Patient Position; vertebroplasty is done prone.
    note : str
        Image Comments, behind the words on research use.

    Raises
    ------
    InputError
        Where the sizes do not fit each other, or the file cannot be written.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    pixels = np.ascontiguousarray(frames)
    if pixels.ndim != 3 or pixels.shape[1:] != c_arm.shape:
        raise InputError(f"Frames of {pixels.shape[1:]} pixels do not fit a detector of {c_arm.shape}.")
    if len(angles) not in (1, len(pixels)):
        raise InputError(f"There are angles of {len(angles)} frames for {len(pixels)} frames.")
    if pixels.dtype not in (np.uint8, np.uint16) or not 8 <= bits <= 8 * pixels.dtype.itemsize:
        raise InputError(f"Pixels of {pixels.dtype} do not hold {bits} bits as XA objects can.")
    identity = hashlib.sha256(
        repr((pixels.shape, c_arm, tuple(angles), frame_time_ms, bits, kv, patient_position, note)).encode()
    )
    identity.update(pixels.data)
    key = identity.hexdigest()
    made = Dataset()
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    made.SOPClassUID, made.SOPInstanceUID = XA_IMAGE, uid_from("xa", key)
    made.ImageType = ["DERIVED", "PRIMARY", "SINGLE PLANE"]
    # A simulation has no date of its own, and the same one gives the same bytes.
    made.StudyDate = made.SeriesDate = made.ContentDate = "20000101"
    made.StudyTime = made.SeriesTime = made.ContentTime = "000000"
    made.AccessionNumber = made.ReferringPhysicianName = ""
    made.PatientName, made.PatientID = "Phantom^Thecal", "THECAL-PHANTOM"
    made.PatientBirthDate = made.PatientSex = ""
    made.PatientOrientation = ""
    made.StudyInstanceUID, made.SeriesInstanceUID = uid_from("xa study", key), uid_from("xa series", key)
    made.StudyID, made.SeriesNumber, made.InstanceNumber = "1", 1, 1
    made.Modality, made.Manufacturer, made.ManufacturerModelName = "XA", SIMULATED_MARK, SIMULATED_MARK
    made.DeviceSerialNumber, made.SoftwareVersions = "0", _version()
    made.SeriesDescription = "simulated fluoroscopy"
    made.BodyPartExamined, made.PatientPosition = "SPINE", patient_position
    made.ImageComments = " ".join(part for part in (RESEARCH_USE, note) if part)
    made.DerivationDescription = "projections computed from a CT"
    made.BurnedInAnnotation = "NO"
    made.KVP, made.RadiationSetting = round(float(kv), 3), "SC"
    made.XRayTubeCurrent = made.ExposureTime = made.Exposure = None
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.PixelIntensityRelationship = "DISP"
    made.BitsAllocated, made.BitsStored, made.HighBit = 8 * pixels.dtype.itemsize, bits, bits - 1
    made.PixelRepresentation = 0
    made.LossyImageCompression = "00"
    if len(pixels) > 1:
        made.NumberOfFrames, made.FrameIncrementPointer = len(pixels), FRAME_TIME
        made.FrameTime = round(float(frame_time_ms), 6)
    state_geometry(made, c_arm, angles)
    data = pixels.tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OW" if pixels.dtype == np.uint16 else "OB"
    half = path.with_name(f".{path.name}.part")
    try:
        made.save_as(half, enforce_file_format=True)
        os.replace(half, path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise InputError(f"{path} cannot be written: {error.strerror}") from error


def _version() -> str:
    import thecal

    return thecal.__version__
