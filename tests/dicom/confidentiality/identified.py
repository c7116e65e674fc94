"""A CT series that says who the patient is wherever a CT can."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from scans import trunk, write_series

# Every one of these in any case stands somewhere in the files, and must stand nowhere in the output.
SECRETS = (
    "Mustermann",
    "Erika",
    "PAT-4711",
    "19530401",
    "ACC-0815",
    "Freudenstadt",
    "Klinikum",
    "Brinkmann",
    "Doktorspiel",
    "20240229",
    "071234567",
    "1.2.276.0.7230010",
    "ROOM12",
    "SCANNER-AE",
)
ROOT = "1.2.276.0.7230010"


def item(**elements: object) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def write_identified(folder: Path, *, slices: int = 4, edit=None, **more: object) -> list[Path]:
    def identify(ds: Dataset, k: int) -> None:
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName, ds.PatientID = "Mustermann^Erika", "PAT-4711"
        ds.IssuerOfPatientID, ds.OtherPatientIDs = "Klinikum Freudenstadt", ["PAT-4711", "ACC-0815"]
        ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19530401", "F", "070Y"
        ds.PatientAddress, ds.PatientTelephoneNumbers = "Freudenstadt", "071234567"
        ds.PatientComments = "Frau Mustermann wants her CT"
        ds.AccessionNumber, ds.StudyID = "ACC-0815", "ACC-0815"
        ds.ReferringPhysicianName = ds.OperatorsName = "Brinkmann^Klaus"
        ds.NameOfPhysiciansReadingStudy = ["Brinkmann^Klaus", "Doktorspiel^Anna"]
        ds.InstitutionName, ds.InstitutionAddress = "Klinikum Freudenstadt", "Freudenstadt"
        ds.StationName, ds.DeviceSerialNumber = "ROOM12", "071234567"
        ds.StudyDescription = ds.SeriesDescription = "CT for Mustermann"
        ds.ProtocolName, ds.ImageComments = "Brinkmann spine", "Erika, PAT-4711"
        # Not meant for a name, and not in the table of the profile.
        ds.FilterType = "for MUSTERMANN"
        ds.GantryDetectorTilt = 0
        ds.PositionReferenceIndicator = "PAT-4711"
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = "20240229"
        ds.AcquisitionDateTime = "20240229081500.5+0100"
        ds.InstanceCreationDate = "20240229"
        ds.StudyTime = ds.ContentTime = "081500"
        ds.DateOfLastCalibration = ["20240229", "20240229"]
        ds.StudyInstanceUID, ds.SeriesInstanceUID = f"{ROOT}.1", f"{ROOT}.1.1"
        ds.FrameOfReferenceUID = f"{ROOT}.2"
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.1.1.{k + 1}"
        ds.IrradiationEventUID = [f"{ROOT}.3", f"{ROOT}.4"]
        ds.ReferencedImageSequence = Items(
            [item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=f"{ROOT}.1.1.1")]
        )
        deep = item(
            ReferencedSOPInstanceUID=f"{ROOT}.1.1.{k + 1}", PersonName="Brinkmann^Klaus", Date="20240229"
        )
        code = item(CodeValue="T12", CodingSchemeDesignator="DCM", CodeMeaning="spine of Mustermann")
        code.add_new(0x00091001, "LO", "Mustermann")
        code.PurposeOfReferenceCodeSequence = Items([deep])
        local = item(CodeValue="77", CodingSchemeDesignator="FREUDENSTADT", CodeMeaning="our CT of the spine")
        ds.ProcedureCodeSequence = Items([code, local])
        ds.SeriesDescriptionCodeSequence = Items([local])
        ds.RequestedProcedureCodeSequence = Items([local])
        ds.PatientBirthDateInAlternativeCalendar = "Freudenstadt 19530401"
        ds.NTPSourceAddress, ds.DeviceID = "ROOM12", "ROOM12"
        ds.RequestAttributesSequence = Items([item(RequestedProcedureID="ACC-0815")])
        ds.OriginalAttributesSequence = Items([item(ModifyingSystem="Klinikum", SourceOfPreviousValues="x")])
        ds.private_block(0x0029, "SIEMENS MUSTERMANN", create=True).add_new(1, "UN", b"Mustermann 20240229")
        ds.add_new(0x60000010, "US", 8)
        ds.add_new(0x60000011, "US", 8)
        ds.add_new(0x60000022, "LO", "Mustermann")
        ds.add_new(0x60003000, "OW", b"Mustermann  ")
        ds.add_new(0x00187FFF, "LO", "Mustermann")
        ds.add_new(0xFFFCFFFC, "OB", b"Mustermann")
        ds.PixelData = ds.PixelData + b"Mustermann"
        ds.preamble = b"Mustermann".ljust(128, b" ")
        ds.file_meta.SourceApplicationEntityTitle = "SCANNER-AE"
        ds.file_meta.PrivateInformationCreatorUID = f"{ROOT}.9"
        ds.file_meta.PrivateInformation = b"Mustermann"
        if edit is not None:
            edit(ds, k)

    return write_series(folder, trunk((slices, 20, 24)), edit=identify, **more)


def read_all(folder: Path) -> list[pydicom.Dataset]:
    found = [pydicom.dcmread(path) for path in sorted(folder.rglob("*.dcm"))]
    return sorted(found, key=lambda ds: float(ds.ImagePositionPatient[2]))
