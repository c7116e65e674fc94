"""What outputs take over from the images: cleaned, and nothing where a reference would dangle."""

from __future__ import annotations

import pytest
from scans import trunk, write_enhanced, write_series

from thecal.dicom import read
from thecal.dicom.originals import NO_DATE, NO_TIME, originals_of, patients_differ, why_not_referable
from thecal.errors import InputError

SLICES = trunk((6, 24, 28))


def stored(folder, **options):
    write_series(folder, SLICES, **options)
    return read(folder).source


def test_images_of_a_series_are_known_in_slice_order(tmp_path):
    source = stored(tmp_path)
    assert why_not_referable(source) is None
    originals = originals_of(source)
    heights = [float(image.ImagePositionPatient[2]) for image in originals.images]
    assert heights == sorted(heights)
    assert len({str(image.SOPInstanceUID) for image in originals.images}) == len(SLICES)
    assert originals.header.PatientID == "secret-42"
    assert "PixelData" not in originals.images[0]


def test_without_a_date_no_clock_is_read(tmp_path):
    header = originals_of(stored(tmp_path)).header
    assert (header.ContentDate, header.ContentTime) == (NO_DATE, NO_TIME)


def test_a_name_in_another_character_set_is_kept(tmp_path):
    def edit(ds, k):
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.PatientName = "Müller^Änne"

    header = originals_of(stored(tmp_path, edit=edit)).header
    assert str(header.PatientName) == "Müller^Änne"
    assert header.SpecificCharacterSet == "ISO_IR 192"


@pytest.mark.filterwarnings("ignore:Invalid value")
def test_values_against_their_own_type_are_dropped(tmp_path):
    def edit(ds, k):
        ds.PatientBirthDate, ds.StudyDate, ds.StudyTime = "00000000", "2024-02-29", "26"
        ds.PatientSex, ds.PatientAge = "W", "70 years"

    header = originals_of(stored(tmp_path, edit=edit)).header
    assert (header.PatientBirthDate, header.StudyDate, header.StudyTime) == ("", "", "")
    assert header.PatientSex == ""
    assert "PatientAge" not in header


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
def test_images_without_uids_are_not_referred_to(tmp_path, keyword):
    source = stored(tmp_path, edit=lambda ds, k: delattr(ds, keyword))
    assert why_not_referable(source) == "the images of the series lack the UIDs to refer to"


def test_images_that_share_a_uid_are_not_referred_to(tmp_path):
    source = stored(tmp_path, SOPInstanceUID="1.2.3")
    assert why_not_referable(source) == "several images of the series bear the same UID"


def test_images_of_another_storage_class_are_not_referred_to(tmp_path):
    source = stored(tmp_path, SOPClassUID="1.2.840.10008.5.1.4.1.1.128")
    assert why_not_referable(source) == "the images of the series are not stored as CT images"


def test_a_multi_frame_file_is_one_image_of_many_frames(tmp_path):
    path = write_enhanced(tmp_path / "ct.dcm", SLICES, order=[5, 4, 3, 2, 1, 0])
    source = read(path).source
    assert [image.frame for image in source.images] == [5, 4, 3, 2, 1, 0]
    originals = originals_of(source)
    assert [image.NumberOfFrames for image in originals.images] == [6]


def test_images_that_have_gone_are_said_to_have_gone(tmp_path):
    source = stored(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    with pytest.raises(InputError, match="can no longer be read"):
        originals_of(source)


def test_two_patients_are_told_apart_by_their_numbers_and_nobody_is_no_other_patient(tmp_path):
    def numbered(name, number):
        (tmp_path / name).mkdir()
        return stored(tmp_path / name, edit=lambda ds, k: setattr(ds, "PatientID", number))

    first, same, other, none = (
        numbered(name, number) for name, number in (("a", "17"), ("b", "17 "), ("c", "18"), ("d", ""))
    )
    assert not patients_differ(first, same)
    assert patients_differ(first, other)
    assert not patients_differ(first, none)
