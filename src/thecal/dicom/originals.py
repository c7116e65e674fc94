"""What DICOM outputs take over from the images that were read: patient, study, place and references."""

from __future__ import annotations

import re
import warnings
import zipfile
from dataclasses import dataclass
from typing import Any, Final

from thecal.dicom.elements import MALFORMED, text_of
from thecal.dicom.headers import CT_STORAGE
from thecal.dicom.members import UNREADABLE
from thecal.dicom.uids import uid_from
from thecal.errors import InputError
from thecal.volume import Source, SourceImage

# Patient, Patient Study, Clinical Trial and General Study modules, and the equipment of the acquisition.
_TEXTS: Final = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "DeidentificationMethod",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "ReferringPhysicianName",
    "ClinicalTrialSponsorName",
    "ClinicalTrialProtocolID",
    "ClinicalTrialProtocolName",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialTimePointID",
    "PositionReferenceIndicator",
    "Manufacturer",
    "ManufacturerModelName",
    "StationName",
    "DeviceSerialNumber",
    "InstitutionName",
    "StudyInstanceUID",
    "FrameOfReferenceUID",
)
# Type 2 of the modules that every DICOM output has.
_NEVER_ABSENT: Final = ("PatientName", "PatientID", "AccessionNumber", "StudyID", "ReferringPhysicianName")
_WHEN: Final = ("Content", "Acquisition", "Series", "Study")
# Where the images bear no date at all: no clock is read, so that the same input gives the same bytes.
NO_DATE: Final = "19000101"
NO_TIME: Final = "000000"
_DATE = re.compile(r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_AGE = re.compile(r"\d{3}[DWMY]")
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?")


def why_not_referable(source: Source) -> str | None:
    """Why no DICOM output can refer to a source's images, as a clause; None where one can."""
    images = source.images
    if not images:
        return "the images of the series are not known one by one"
    if any(image.sop_class not in CT_STORAGE for image in images):
        return "the images of the series are not stored as CT images"
    if not source.study_uid or not source.series_uid or not all(image.sop_instance for image in images):
        return "the images of the series lack the UIDs to refer to"
    multi = {image.sop_instance for image in images if image.frame is not None}
    if multi and (len(multi) > 1 or any(image.frame is None for image in images)):
        return "the series is spread over several multi-frame files"
    names = {(image.sop_instance, image.frame) for image in images}
    if len(names) < len(images):
        return "several images of the series bear the same UID"
    return None


@dataclass(frozen=True, eq=False)
class Originals:
    """The images that an output refers to.

    Attributes
    ----------
    source : Source
    header : pydicom dataset
        Patient, study, frame of reference and equipment.
    images : list of pydicom datasets
        The images without their pixels.
    """

    source: Source
    header: Any
    images: list[Any]

    @property
    def slice_thickness_mm(self) -> float:
        """As the images state it, else their spacing."""
        return float(self.source.slice_thickness_mm or self.source.grid.spacing_mm[2])


def originals_of(source: Source) -> Originals:
    """What the outputs of a source refer to.

    Parameters
    ----------
    source : Source
        One for which ``why_not_referable`` is None.

    Raises
    ------
    InputError
        Where the first image can no longer be read.
    """
    with warnings.catch_warnings():
        # What a header says against its own types is dropped or carried on; nobody can mend it here.
        warnings.simplefilter("ignore")
        header = study_header(source)
        return Originals(source, header, image_datasets(source, header))


def patients_differ(first: Source, second: Source) -> bool:
    """Whether both sources state a patient's number and the numbers differ; the numbers are not kept."""
    if not first.images or not second.images:
        return False
    own, other = (text_of(_header_of(s.images[0]), "PatientID").strip() for s in (first, second))
    return bool(own) and bool(other) and own != other


def study_header(source: Source) -> Any:
    """Patient, study, frame of reference and equipment of the source, cleaned, as a pydicom dataset.

    ``ContentDate`` and ``ContentTime`` are the first image's: of its content, else its acquisition, series
    or study.

    Raises
    ------
    InputError
        Where the first image can no longer be read.
    """
    from pydicom.dataset import Dataset
    from pydicom.valuerep import PersonName

    first = _header_of(source.images[0])
    clean = Dataset()
    clean.SpecificCharacterSet = "ISO_IR 192"
    for keyword in _TEXTS:
        text = text_of(first, keyword)
        if text or keyword in _NEVER_ABSENT:
            setattr(
                clean, keyword, PersonName(text) if keyword.endswith("Name") and "Pati" in keyword else text
            )
    clean.PatientBirthDate = _matched(_DATE, text_of(first, "PatientBirthDate"))
    age = _matched(_AGE, text_of(first, "PatientAge"))
    if age:
        clean.PatientAge = age
    removed = text_of(first, "PatientIdentityRemoved").upper()
    if removed in ("YES", "NO"):
        clean.PatientIdentityRemoved = removed
    sex = text_of(first, "PatientSex").upper()
    clean.PatientSex = sex if sex in ("M", "F", "O") else ""
    clean.StudyDate = _matched(_DATE, text_of(first, "StudyDate"))
    clean.StudyTime = _matched(_TIME, text_of(first, "StudyTime"))
    clean.ContentDate, clean.ContentTime = NO_DATE, NO_TIME
    for event in _WHEN:
        date = _matched(_DATE, text_of(first, f"{event}Date"))
        if date:
            clean.ContentDate = date
            clean.ContentTime = _matched(_TIME, text_of(first, f"{event}Time")) or NO_TIME
            break
    if "FrameOfReferenceUID" not in clean:
        clean.FrameOfReferenceUID = uid_from("frame of reference", source.series_uid or "")
    clean.Modality = "CT"
    return clean


def image_datasets(source: Source, header: Any) -> list[Any]:
    """The source images as pydicom datasets that hold what references and geometry need, and no pixels.

    One a slice; for a multi-frame file one in all, whose frames are those that were read, in slice order.
    """
    from pydicom.dataset import Dataset
    from pydicom.valuerep import DSfloat

    def ds(values: Any) -> list[Any]:
        return [DSfloat(float(value), auto_format=True) for value in values]

    def bare(image: SourceImage) -> Any:
        data = Dataset()
        data.update(header)
        data.SOPClassUID, data.SOPInstanceUID = image.sop_class, image.sop_instance
        data.SeriesInstanceUID = source.series_uid
        columns, rows, _ = image.plane.shape
        data.Rows, data.Columns = rows, columns
        return data

    first = source.images[0].plane
    spacing = first.spacing_mm
    orientation = ds([*(first.affine[:3, 0] / spacing[0]), *(first.affine[:3, 1] / spacing[1])])
    measures = Dataset()
    measures.PixelSpacing = ds([spacing[1], spacing[0]])
    thickness = source.slice_thickness_mm or float(source.grid.spacing_mm[2])
    measures.SliceThickness = DSfloat(thickness, auto_format=True)
    if source.images[0].frame is None:
        made = []
        for image in source.images:
            data = bare(image)
            data.ImageOrientationPatient = orientation
            data.ImagePositionPatient = ds(image.plane.affine[:3, 3])
            data.PixelSpacing, data.SliceThickness = measures.PixelSpacing, measures.SliceThickness
            made.append(data)
        return made
    whole = bare(source.images[0])
    whole.NumberOfFrames = len(source.images)
    shared, turned = Dataset(), Dataset()
    turned.ImageOrientationPatient = orientation
    shared.PlaneOrientationSequence = [turned]
    shared.PixelMeasuresSequence = [measures]
    whole.SharedFunctionalGroupsSequence = [shared]
    frames = []
    for image in source.images:
        group, at = Dataset(), Dataset()
        at.ImagePositionPatient = ds(image.plane.affine[:3, 3])
        group.PlanePositionSequence = [at]
        frames.append(group)
    whole.PerFrameFunctionalGroupsSequence = frames
    return [whole]


def _header_of(image: SourceImage) -> Any:
    import pydicom

    try:
        if image.archive is None:
            return pydicom.dcmread(image.path, stop_before_pixels=True, force=True)
        with zipfile.ZipFile(image.archive) as archive, archive.open(image.path) as stream:
            return pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    except (*UNREADABLE, *MALFORMED, KeyError) as error:
        # The file was read before; it, or the zip and its list of files, has changed since.
        raise InputError("The first image of the series can no longer be read.") from error


def _matched(pattern: re.Pattern[str], text: str) -> str:
    """The text where it is what its type allows, else nothing."""
    return text if pattern.fullmatch(text) else ""
