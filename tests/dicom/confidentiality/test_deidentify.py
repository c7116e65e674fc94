"""Nothing of the patient is left in any place of a file, and the picture and its place are as they were."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pydicom
import pytest
from identified import ROOT, SECRETS, item, read_all, write_identified
from pydicom.datadict import DicomDictionary
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from scans import trunk, write_enhanced

from thecal.cli import run
from thecal.dicom import read
from thecal.dicom.confidentiality.dataset import Plan, deidentify_dataset
from thecal.dicom.confidentiality.pseudonyms import secret_of_this_run

pytest.importorskip("dicomanonymizer", reason="The extra [net] is not installed.")

# What says where the picture lies and what its numbers mean.
OF_THE_PICTURE = [
    *("Rows", "Columns", "PixelSpacing", "SliceThickness", "ImagePositionPatient", "ImageOrientationPatient"),
    *("RescaleSlope", "RescaleIntercept", "BitsStored", "PixelRepresentation", "KVP", "ConvolutionKernel"),
    *("Modality", "ImageType", "InstanceNumber", "SeriesNumber", "AcquisitionNumber", "SOPClassUID"),
]


def walked(dataset: Dataset) -> Iterator[tuple[Dataset, pydicom.DataElement]]:
    for element in dataset:
        yield dataset, element
        if element.VR == "SQ":
            for one in element.value:
                yield from walked(one)


def cleaned(folder: Path, out: Path, *options: str) -> list[Dataset]:
    assert run(["deidentify", str(folder), "--out", str(out), *options]) == 0
    return read_all(out)


def pixels_of(image: Dataset) -> np.ndarray:
    return np.frombuffer(image.PixelData[: image.Rows * image.Columns * 2], "<u2")


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("a secret of sixteen signs or more\n")
    return path


@pytest.mark.parametrize("options", [[], ["--keep-intervals"]], ids=["dates removed", "dates moved"])
def test_nothing_identifying_is_left_in_any_byte_of_any_file(tmp_path: Path, options: list[str]) -> None:
    write_identified(tmp_path / "in")
    raw = b"".join(p.read_bytes() for p in sorted((tmp_path / "in").iterdir())).lower()
    assert all(word.lower().encode() in raw for word in SECRETS), "the test's own files"
    cleaned(tmp_path / "in", tmp_path / "out", *options)
    for path in (tmp_path / "out").rglob("*"):
        assert not any(word.lower() in str(path.relative_to(tmp_path)).lower() for word in SECRETS)
        if path.is_file():
            content = path.read_bytes()
            assert content[:128] == bytes(128)
            for word in SECRETS:
                assert word.lower().encode() not in content.lower(), word


@pytest.mark.parametrize("options", [[], ["--keep-intervals"]], ids=["dates removed", "dates moved"])
def test_no_element_is_left_that_could_identify(tmp_path: Path, options: list[str]) -> None:
    write_identified(tmp_path / "in")
    for image in cleaned(tmp_path / "in", tmp_path / "out", *options):
        for _, element in walked(image):
            assert not element.tag.is_private
            assert not 0x5000 <= element.tag.group <= 0x60FF
            if element.VR == "PN":
                assert str(element.value) in ("", "REMOVED", str(image.PatientID))
            if element.VR == "UI" and element.keyword not in ("SOPClassUID", "ReferencedSOPClassUID"):
                values = [element.value] if isinstance(element.value, str) else element.value
                assert all(str(uid).startswith("2.25.") for uid in values), element.keyword
            if element.VR in ("DA", "DT") and not options:
                assert str(element.value)[:8] in ("", "None", "19000101"), element.keyword
            assert element.VR not in ("UN", "ST", "UT", "UR"), element.keyword
        assert {e.keyword for e in image.file_meta} == {
            "FileMetaInformationGroupLength",
            "FileMetaInformationVersion",
            "MediaStorageSOPClassUID",
            "MediaStorageSOPInstanceUID",
            "TransferSyntaxUID",
            "ImplementationClassUID",
            "ImplementationVersionName",
        }
        assert image.file_meta.MediaStorageSOPInstanceUID == image.SOPInstanceUID
        assert image.PatientIdentityRemoved == "YES"
        codes = [one.CodeValue for one in image.DeidentificationMethodCodeSequence]
        assert codes == (["113100", "113107"] if options else ["113100"])


def test_the_picture_is_as_it_was(tmp_path: Path) -> None:
    write_identified(tmp_path / "in")
    before = read_all(tmp_path / "in")
    after = cleaned(tmp_path / "in", tmp_path / "out")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(pixels_of(old), pixels_of(new))
        for keyword in OF_THE_PICTURE:
            assert old[keyword].value == new[keyword].value, keyword


def test_images_that_say_their_class_and_uid_in_the_file_meta_information_alone(tmp_path: Path) -> None:
    def half(ds: Dataset, k: int) -> None:
        ds.SOPClassUID = ds.SOPInstanceUID = ds.StudyInstanceUID = ""

    write_identified(tmp_path / "in", edit=half)
    images = cleaned(tmp_path / "in", tmp_path / "out")
    assert len({image.SOPInstanceUID for image in images}) == 4


def test_two_patients_who_were_nobody_stay_two(tmp_path: Path, secret: Path) -> None:
    def nobody(ds: Dataset, k: int) -> None:
        ds.PatientName = ds.PatientID = ds.PatientBirthDate = ds.IssuerOfPatientID = ""
        ds.StudyInstanceUID = f"{ROOT}.{1 + k // 2}"

    write_identified(tmp_path / "in", edit=nobody)
    images = cleaned(tmp_path / "in", tmp_path / "out", "--secret", str(secret))
    assert len({image.PatientID for image in images}) == 2


def test_codes_of_a_house_go_and_those_of_everybody_stay(tmp_path: Path) -> None:
    write_identified(tmp_path / "in")
    image = cleaned(tmp_path / "in", tmp_path / "out")[0]
    assert [code.CodingSchemeDesignator for code in image.ProcedureCodeSequence] == ["DCM"]
    assert "SeriesDescriptionCodeSequence" not in image


def test_references_still_refer(tmp_path: Path) -> None:
    write_identified(tmp_path / "in")
    images = cleaned(tmp_path / "in", tmp_path / "out")
    first = images[0].SOPInstanceUID
    assert len({image.SOPInstanceUID for image in images}) == len(images)
    for image in images:
        assert image.ReferencedImageSequence[0].ReferencedSOPInstanceUID == first
        assert image.ReferencedImageSequence[0].ReferencedSOPClassUID == images[0].SOPClassUID
        nested = image.ProcedureCodeSequence[0].PurposeOfReferenceCodeSequence[0]
        assert nested.ReferencedSOPInstanceUID == image.SOPInstanceUID
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "PatientID"):
        assert len({image[keyword].value for image in images}) == 1


def test_with_a_secret_every_run_gives_the_same_files(tmp_path: Path, secret: Path) -> None:
    write_identified(tmp_path / "in")
    runs = []
    for name in ("one", "two"):
        cleaned(tmp_path / "in", tmp_path / name, "--secret", str(secret), "--keep-intervals")
        runs.append(
            {p.relative_to(tmp_path / name): p.read_bytes() for p in (tmp_path / name).rglob("*.dcm")}
        )
    assert runs[0] == runs[1]


def test_the_secret_may_be_in_the_environment(
    tmp_path: Path, secret: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_identified(tmp_path / "in")
    by_file = cleaned(tmp_path / "in", tmp_path / "one", "--secret", str(secret))
    monkeypatch.setenv("THECAL_DEIDENTIFY_SECRET", secret.read_text().strip())
    by_environment = cleaned(tmp_path / "in", tmp_path / "two")
    assert by_file == by_environment


def test_without_a_secret_two_runs_cannot_be_linked(tmp_path: Path) -> None:
    write_identified(tmp_path / "in")
    one, two = (cleaned(tmp_path / "in", tmp_path / name)[0] for name in ("one", "two"))
    for keyword in ("PatientID", "StudyInstanceUID", "SOPInstanceUID"):
        assert one[keyword].value != two[keyword].value


def test_intervals_between_the_examinations_of_a_patient_are_kept(tmp_path: Path, secret: Path) -> None:
    def later(ds: Dataset, k: int) -> None:
        ds.StudyDate = "20240429"
        ds.AcquisitionDateTime = "20240429101500"

    write_identified(tmp_path / "in" / "before")
    write_identified(tmp_path / "later", edit=later)
    one = cleaned(tmp_path / "in", tmp_path / "one", "--secret", str(secret), "--keep-intervals")[0]
    two = cleaned(tmp_path / "later", tmp_path / "two", "--secret", str(secret), "--keep-intervals")[0]

    def day(text: str) -> date:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))

    assert (day(two.StudyDate) - day(one.StudyDate)).days == 60
    assert (day(two.AcquisitionDateTime) - day(one.AcquisitionDateTime)).days == 60
    assert two.AcquisitionDateTime[8:] == "101500"
    assert day(one.StudyDate) < date(2024, 2, 29)
    assert one.StudyTime == "081500"
    assert not one.PatientBirthDate


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"BurnedInAnnotation": "YES"}, "burned-in annotation"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "secondary captures"),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "secondary captures"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.88.22"}, "not CT images"),
        ({"SamplesPerPixel": 3}, "in colour"),
    ],
)
def test_what_may_show_the_patient_is_left_out_and_counted(
    tmp_path: Path, edit: dict[str, object], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def one_of_them(ds: Dataset, k: int) -> None:
        if k == 1:
            for keyword, value in edit.items():
                setattr(ds, keyword, value)

    write_identified(tmp_path / "in", edit=one_of_them)
    assert len(cleaned(tmp_path / "in", tmp_path / "out")) == 3
    told = capsys.readouterr().err
    assert told.startswith("Left out: 1 ")
    assert said in told


VALUES = {
    **dict.fromkeys(("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT", "CS"), "PAT-4711"),
    **{"DA": "20240229", "DT": "20240229081500", "TM": "081500.4711", "UI": f"{ROOT}.77"},
    **dict.fromkeys(("OB", "OW", "UN"), b"PAT-4711"),
}


@pytest.mark.parametrize("keep_intervals", [False, True])
def test_whatever_element_of_the_dictionary_says_it_nothing_is_left(keep_intervals: bool) -> None:
    """Every element that can hold text, a date, a UID or bytes, at the top and in an item."""
    image, nested = Dataset(), Dataset()
    for place in (image, nested):
        for tag, (vr, *_) in DicomDictionary.items():
            if vr in VALUES and tag >> 16 > 0x0004 and tag != 0x7FE00010:
                place.add(pydicom.DataElement(tag, vr, VALUES[vr], validation_mode=0))
        place.SpecificCharacterSet = "ISO_IR 100"
        place.CodingSchemeDesignator = "DCM"
    image.ReferencedImageSequence = Items([nested])
    deidentify_dataset(image, Plan(secret_of_this_run(), keep_intervals))
    assert len(image.ReferencedImageSequence[0]) > 10
    for _, element in walked(image):
        if element.VR != "SQ" and not (keep_intervals and element.VR == "TM"):
            told = str(element.value)
            for word in ("4711", "20240229", ROOT):
                assert word not in told, element


def test_where_nothing_can_be_shared_there_is_one_sentence_and_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_identified(tmp_path / "in", BurnedInAnnotation="YES")
    assert run(["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    assert "4 images with burned-in annotation" in told
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in"]


def test_an_overlay_in_unused_bits_of_the_pixels_goes_and_the_picture_stays(tmp_path: Path) -> None:
    plain = write_identified(tmp_path / "plain")

    def overlaid(ds: Dataset, k: int) -> None:
        pixels = np.frombuffer(ds.PixelData[: 20 * 24 * 2], "<u2").copy()
        pixels[::3] |= 0x8000
        ds.PixelData = pixels.tobytes()
        ds.add_new(0x60000100, "US", 16)
        ds.add_new(0x60000102, "US", 15)

    write_identified(tmp_path / "in", edit=overlaid)
    assert plain
    before = read_all(tmp_path / "plain")
    for old, new in zip(before, cleaned(tmp_path / "in", tmp_path / "out"), strict=True):
        assert np.array_equal(pixels_of(old), pixels_of(new))
        assert new.PixelData == old.PixelData[: 20 * 24 * 2]


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"])
def test_every_uncompressed_encoding_is_cleaned(tmp_path: Path, syntax: str) -> None:
    def encode(ds: Dataset, k: int) -> None:
        ds.file_meta.TransferSyntaxUID = syntax

    write_identified(tmp_path / "in", edit=encode, syntax=syntax)
    for image in cleaned(tmp_path / "in", tmp_path / "out"):
        assert image.file_meta.TransferSyntaxUID == syntax
        assert not any(word in str(image) for word in SECRETS)


def test_a_name_in_a_comment_of_the_compressed_pixels_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def packed(ds: Dataset, k: int) -> None:
        ds.compress("1.2.840.10008.1.2.4.80", generate_instance_uid=False)
        if k == 2:
            ds.PixelData = ds.PixelData[:-8] + b"Mustermann" + ds.PixelData[-8:]

    write_identified(tmp_path / "in", edit=packed)
    assert len(cleaned(tmp_path / "in", tmp_path / "out")) == 3
    assert "1 images with a name in compressed pixels" in capsys.readouterr().err


def test_frames_of_a_multi_frame_file_are_cleaned(tmp_path: Path) -> None:
    path = write_enhanced(tmp_path / "ct.dcm", trunk((4, 20, 24)))
    ds = pydicom.dcmread(path)
    ds.PatientName, ds.PatientID = "Mustermann^Erika", "PAT-4711"
    for group in ds.PerFrameFunctionalGroupsSequence:
        content = item(FrameAcquisitionDateTime="20240229081500", FrameComments="Mustermann")
        group.FrameContentSequence = Items([content])
        source = item(ReferencedSOPInstanceUID=f"{ROOT}.5")
        group.DerivationImageSequence = Items([item(SourceImageSequence=Items([source]))])
    ds.save_as(path)
    assert run(["deidentify", str(path), "--out", str(tmp_path / "out")]) == 0
    (made,) = (tmp_path / "out").rglob("*.dcm")
    content = made.read_bytes()
    assert not any(word.encode() in content for word in SECRETS)
    image = pydicom.dcmread(made)
    assert image.PixelData == ds.PixelData
    assert len(image.PerFrameFunctionalGroupsSequence) == 4
    for old, new in zip(
        ds.PerFrameFunctionalGroupsSequence, image.PerFrameFunctionalGroupsSequence, strict=True
    ):
        assert old.PlanePositionSequence == new.PlanePositionSequence


def test_a_zip_with_other_files_beside_the_images(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = write_identified(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "case.zip", "w") as archive:
        for path in paths:
            archive.write(path, f"Mustermann/{path.name}")
        archive.writestr("Mustermann/readme.txt", "for Dr Brinkmann")
    assert len(cleaned(tmp_path / "case.zip", tmp_path / "out")) == 4
    assert "1 files that are not DICOM" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--secret", "missing"], "cannot be read"),
        (["--secret", "short"], "16 at least"),
    ],
)
def test_a_secret_that_cannot_be_used(
    tmp_path: Path,
    words: list[str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_identified(tmp_path / "in")
    (tmp_path / "short").write_text("too short")
    assert run(["deidentify", "in", "--out", "out", *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_not_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_identified(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    assert run(["deidentify", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert "not empty" in capsys.readouterr().err
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["mine"]


def test_a_kernel_that_is_called_like_the_patient_stays(tmp_path: Path) -> None:
    def sharp(ds: Dataset, k: int) -> None:
        ds.PatientName, ds.ConvolutionKernel, ds.FilterType = "Sharp^Becky", "Sharp", "Becky Sharp"

    write_identified(tmp_path / "in", edit=sharp)
    image = cleaned(tmp_path / "in", tmp_path / "out")[0]
    assert image.ConvolutionKernel == "Sharp"
    assert not image.FilterType


def test_sex_and_age_stay_where_they_are_asked_for(tmp_path: Path) -> None:
    def old(ds: Dataset, k: int) -> None:
        ds.PatientAge = "093Y"

    write_identified(tmp_path / "in")
    write_identified(tmp_path / "old", edit=old)
    image = cleaned(tmp_path / "in", tmp_path / "out")[0]
    assert (image.PatientSex, "PatientAge" in image) == ("", False)
    image = cleaned(tmp_path / "in", tmp_path / "kept", "--keep-characteristics")[0]
    assert (image.PatientSex, image.PatientAge) == ("F", "070Y")
    assert [one.CodeValue for one in image.DeidentificationMethodCodeSequence] == ["113100", "113108"]
    image = cleaned(tmp_path / "old", tmp_path / "aged", "--keep-characteristics")[0]
    assert image.PatientAge == "090Y", "the very old are few"


def test_what_is_read_of_the_shared_images_is_what_was_read_before(tmp_path: Path) -> None:
    write_identified(tmp_path / "in", Manufacturer="GE MEDICAL SYSTEMS")
    cleaned(tmp_path / "in", tmp_path / "out", "--keep-characteristics")
    before, after = (read(tmp_path / name) for name in ("in", "out"))
    assert np.array_equal(before.hu, after.hu)
    assert np.array_equal(before.grid.affine, after.grid.affine)
    for name in ("kernel", "kvp", "slice_thickness_mm", "age", "sex", "simulated", "hu_clipped_at"):
        assert getattr(before.source, name) == getattr(after.source, name), name


@pytest.mark.slow
def test_the_report_on_what_is_shared_is_the_report_on_the_original(tmp_path: Path) -> None:
    made = [
        "--levels",
        "T12-L1",
        "--fov",
        "90",
        "--spacing",
        "1.2,1.2,2.0",
        "--leak",
        "epidural@T12:0.4ml:left",
    ]
    assert run(["phantom", "make", "--out", str(tmp_path / "patient"), *made]) == 0
    reports = []
    scan, shared = tmp_path / "patient" / "dicom", tmp_path / "shared"
    assert run(["deidentify", str(scan), "--out", str(shared), "--keep-characteristics"]) == 0
    for folder in (scan, shared):
        out = tmp_path / f"{folder.name}-report"
        assert run(["assess", str(folder), "--out", str(out)]) == 0
        report = json.loads((out / "report.json").read_bytes())
        report["input"].pop("series_uid")
        report.pop("timings_s")
        reports.append(report)
        assert (out / "segmentation.dcm").exists()
        assert (out / "report.dcm").exists()
    assert reports[0]["deposits"]
    assert reports[0] == reports[1]
    for name in ("segmentation.dcm", "report.dcm"):
        made = pydicom.dcmread(tmp_path / "shared-report" / name)
        assert made.PatientIdentityRemoved == "YES"
        assert str(made.PatientID).startswith("THECAL-")
