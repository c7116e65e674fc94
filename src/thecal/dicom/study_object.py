"""A new object in the study of the images that were read: what captures and documents have in common."""

from __future__ import annotations

from typing import Any, Final

from thecal.dicom.originals import Originals
from thecal.dicom.segmentation import MANUFACTURER, RESEARCH

# What the header of the images says of their own equipment and geometry.
_THEIRS: Final = frozenset(
    {
        "Manufacturer",
        "ManufacturerModelName",
        "StationName",
        "DeviceSerialNumber",
        "InstitutionName",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "Modality",
    }
)
EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
MADE_AT_A_WORKSTATION: Final = "WSD"


def study_object(
    originals: Originals,
    *,
    sop_class: str,
    sop_instance: str,
    series: str,
    series_number: int,
    instance_number: int,
    modality: str,
    version: str,
) -> Any:
    """Patient, study, series, equipment and identity of an object that shows no patient by itself.

    Parameters
    ----------
    originals : Originals
        Whose patient, study and dates it takes over.
    sop_class, sop_instance, series : str
        UIDs.
    series_number, instance_number : int
    modality : str
    version : str
        Of thecal.

    Returns
    -------
    pydicom.dataset.Dataset
        With its file meta information; what the object is about is yet to come.
    """
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import UID

    made = Dataset()
    made.update({e.tag: e for e in originals.header if e.keyword not in _THEIRS})
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    made.SOPClassUID, made.SOPInstanceUID = sop_class, sop_instance
    made.SeriesInstanceUID, made.SeriesNumber = series, series_number
    made.SeriesDescription = RESEARCH
    made.SeriesDate, made.SeriesTime = made.ContentDate, made.ContentTime
    made.InstanceNumber = instance_number
    made.Modality = modality
    made.Manufacturer = made.ManufacturerModelName = MANUFACTURER
    made.SoftwareVersions = version
    made.DeviceSerialNumber = "0"
    made.ConversionType = MADE_AT_A_WORKSTATION
    # Names, numbers and dates of the patient stand in the header alone.
    made.BurnedInAnnotation = "NO"
    return made


def references_to(originals: Originals, *, frames: bool) -> list[Any]:
    """An item for each image that was read; for a multi-frame file one, with its frames where asked."""
    from pydicom.dataset import Dataset

    source = originals.source
    made = []
    for image in source.images if source.images[0].frame is None else source.images[:1]:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.sop_class, image.sop_instance
        if frames and image.frame is not None:
            item.ReferencedFrameNumber = sorted((shown.frame or 0) + 1 for shown in source.images)
        made.append(item)
    return made
