"""Key images and the page for paper in the archive: whose they are, what they name, and what they show."""

from __future__ import annotations

import numpy as np
import pydicom
import pytest

from thecal.report.archive_pictures import with_words, write_key_images, write_pdf_document
from thecal.report.html import PICTURES, draw_pictures

OURS = ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "AccessionNumber", "StudyDate")
PDF = b"%PDF-1.4 seven"


class Sent:
    """What goes to the archive beside SEG and SR, of one layout of slices."""

    def __init__(self, shelf, layout, folder, pictures=None) -> None:
        self.case, _ = shelf[layout]
        self.pictures = pictures or draw_pictures(self.case.volume, self.case.spine, self.case.leakage)
        self.folder = folder
        self.put(folder)
        self.images = {name: pydicom.dcmread(self.folder / f"key_image_{name}.dcm") for name in self.pictures}
        self.document = pydicom.dcmread(self.folder / "report_pdf.dcm")

    def put(self, folder) -> None:
        write_key_images(folder, self.case.volume, self.pictures)
        write_pdf_document(folder, self.case.volume, PDF, identified=False)


@pytest.fixture(scope="module")
def sent(shelf, tmp_path_factory) -> Sent:
    return Sent(shelf, "axial", tmp_path_factory.mktemp("sent"))


def test_every_picture_of_the_page_goes_to_the_archive(sent):
    assert sorted(path.name for path in sent.folder.iterdir()) == sorted(
        [*(f"key_image_{name}.dcm" for name in PICTURES), "report_pdf.dcm"]
    )


def test_they_belong_to_the_patient_and_the_study_of_the_images(sent):
    image = pydicom.dcmread(next(sent.case.path.iterdir()))
    for made in (*sent.images.values(), sent.document):
        for keyword in OURS:
            assert made.get(keyword) == image.get(keyword), keyword
        assert made.SeriesInstanceUID != image.SeriesInstanceUID
        assert made.Manufacturer == "thecal"
        assert "research use only" in made.SeriesDescription


def test_the_key_images_are_one_series_in_the_order_of_the_page(sent):
    assert len({image.SeriesInstanceUID for image in sent.images.values()}) == 1
    assert [int(image.InstanceNumber) for image in sent.images.values()] == [1, 2, 3]
    uids = {made.SOPInstanceUID for made in (*sent.images.values(), sent.document)}
    assert len(uids) == 4


def test_what_the_archive_shows_is_the_picture_with_its_words(sent):
    for name, image in sent.images.items():
        picture = sent.pictures[name]
        assert (image.pixel_array == with_words(picture)).all()
        high, wide = picture.pixels.shape[:2]
        inside = image.pixel_array[24 : 24 + high, 24 : 24 + wide]
        assert (inside == picture.pixels).all()
        written = image.pixel_array[24 + high :]
        assert (written < 128).any(), "words under the picture"
        assert image.ImageComments == picture.caption


def test_nobody_can_be_known_from_the_pixels_and_the_header_says_so(sent):
    assert {image.BurnedInAnnotation for image in sent.images.values()} == {"NO"}
    assert sent.document.BurnedInAnnotation == "NO"


def test_nothing_can_be_measured_on_pictures_of_several_scales(sent):
    for image in sent.images.values():
        assert "PixelSpacing" not in image
        assert "FrameOfReferenceUID" not in image


def test_they_name_every_image_that_they_were_made_from(sent):
    read = {image.sop_instance for image in sent.case.volume.source.images}
    for made in sent.images.values():
        assert {item.ReferencedSOPInstanceUID for item in made.SourceImageSequence} == read
        (series,) = made.ReferencedSeriesSequence
        assert series.SeriesInstanceUID == sent.case.volume.source.series_uid
        assert {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence} == read
    assert {i.ReferencedSOPInstanceUID for i in sent.document.SourceInstanceSequence} == read


def test_of_a_multi_frame_scan_they_name_the_frames(shelf, sent, tmp_path):
    made = Sent(shelf, "multi-frame", tmp_path, {"axial": sent.pictures["axial"]})
    frames = len(made.case.volume.source.images)
    for image in made.images.values():
        (item,) = image.SourceImageSequence
        assert list(item.ReferencedFrameNumber) == list(range(1, frames + 1))


def test_the_document_holds_the_very_bytes_of_the_pdf(sent):
    held = sent.document
    assert held.EncapsulatedDocumentLength == len(PDF)
    assert bytes(held.EncapsulatedDocument)[: len(PDF)] == PDF
    assert (held.Modality, held.MIMETypeOfEncapsulatedDocument) == ("DOC", "application/pdf")
    assert held.VerificationFlag == "UNVERIFIED"


def test_a_page_with_a_name_says_so_in_the_header(sent, tmp_path):
    write_pdf_document(tmp_path, sent.case.volume, PDF, identified=True)
    assert pydicom.dcmread(tmp_path / "report_pdf.dcm").BurnedInAnnotation == "YES"


def test_the_same_scan_gives_the_same_bytes_and_another_picture_another_object(sent, tmp_path):
    sent.put(tmp_path)
    for path in sent.folder.iterdir():
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()
    fewer = {"axial": sent.pictures["axial"]}
    write_key_images(tmp_path, sent.case.volume, fewer)
    other = pydicom.dcmread(tmp_path / "key_image_axial.dcm")
    assert other.SOPInstanceUID != sent.images["axial"].SOPInstanceUID
    assert np.array_equal(other.pixel_array, sent.images["axial"].pixel_array)
