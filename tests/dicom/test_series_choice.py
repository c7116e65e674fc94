"""Which of several series is taken, and what is said of the others."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid
from scans import save, trunk, write_series

from thecal.dicom import list_series, read
from thecal.errors import InputError


@pytest.fixture
def study(tmp_path):
    """A folder as a PACS exports it: thin and thick series, a scout, an MR, a capture, a dose report."""
    thin, thick = trunk((30, 24, 28)), trunk((12, 24, 28), seed=1)
    write_series(tmp_path / "S1" / "deep", thin, uid="1.2.1", spacing=(1.25, 0.8, 0.8))
    write_series(tmp_path / "S2", thick, uid="1.2.2", spacing=(5.0, 0.8, 0.8), ConvolutionKernel="Br60")
    write_series(
        tmp_path / "S3", trunk((2, 24, 28)), uid="1.2.3", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
        axes=((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
    )  # fmt: skip
    mr = trunk((40, 24, 28)).astype(int) + 1024
    write_series(tmp_path / "S4", mr, uid="1.2.4", spacing=(0.5, 0.8, 0.8), Modality="MR")
    write_series(tmp_path / "S5", trunk((4, 24, 28)), uid="1.2.5", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.67"
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID = generate_uid()
    report.Modality, report.SeriesInstanceUID, report.StudyInstanceUID = "SR", "1.2.6", "1.2"
    save(report, tmp_path / "S6" / "dose.dcm")
    (tmp_path / "README.txt").write_text("exported by the department of radiology")
    return tmp_path, thin, thick


def test_the_thinnest_axial_ct_is_taken_and_the_others_are_listed(study):
    folder, thin, _ = study
    volume = read(folder)
    assert np.array_equal(volume.hu, thin)
    assert volume.source.series_uid == "1.2.1"
    note = next(note for note in volume.quality if note.code == "series_chosen")
    assert "the thinnest axial one that shows bone" in note.message
    for said in ("1.2.2", "Br60", "localizer", "MR, not CT", "secondary capture"):
        assert said in note.message
    assert "Doe" not in note.message
    assert "secret" not in note.message


def test_a_named_series_overrides_the_choice(study):
    folder, _, thick = study
    volume = read(folder, series="1.2.2")
    assert np.array_equal(volume.hu, thick)


def test_info_lists_every_series_with_the_chosen_one_first(study):
    listed = list_series(study[0])
    assert [one.chosen for one in listed] == [True] + [False] * 4
    assert listed[0].uid == "1.2.1"
    assert listed[0].spacing_mm == pytest.approx((0.8, 0.8, 1.25))
    assert listed[0].coverage_mm == pytest.approx((300, 300 + 29 * 1.25))
    assert listed[0].plane == "axial"
    reasons = {one.uid: one.reason for one in listed}
    assert reasons["1.2.2"] == ""
    assert reasons["1.2.4"] == "MR, not CT"


def test_an_unknown_series_is_refused(study):
    with pytest.raises(InputError, match=r"^The input holds no series 9\.9\.9; it holds .+\.$"):
        read(study[0], series="9.9.9")


def test_an_mr_asked_for_by_name_is_refused(study):
    with pytest.raises(InputError, match=r"Series 1\.2\.4 cannot be used: MR, not CT\."):
        read(study[0], series="1.2.4")


def test_a_zip_reads_like_its_folder(study):
    folder, thin, _ = study
    archive = folder.parent / f"{folder.name}.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                packed.write(path, path.relative_to(folder))
    volume = read(archive)
    assert np.array_equal(volume.hu, thin)
    assert volume.quality == read(folder).quality


def test_a_thin_series_without_bone_is_passed_over(tmp_path):
    bony = trunk((20, 24, 28))
    soft = np.minimum(bony, 60)
    write_series(tmp_path / "a", soft[:, ::-1], uid="1.2.1", spacing=(1.6, 0.8, 0.8))
    write_series(tmp_path / "b", bony, uid="1.2.2", spacing=(3.0, 0.8, 0.8))
    assert read(tmp_path).source.series_uid == "1.2.2"


def test_a_soft_kernel_is_taken_before_a_sharp_one(tmp_path):
    for uid, kernel in (("1.2.1", "Br69"), ("1.2.2", "Br36")):
        write_series(tmp_path / uid, trunk(), uid=uid, ConvolutionKernel=kernel)
    assert read(tmp_path).source.series_uid == "1.2.2"


def test_a_short_bolus_series_is_not_taken_for_its_thin_slices(tmp_path):
    write_series(tmp_path / "a", trunk((5, 24, 28)), uid="1.2.1", spacing=(0.6, 0.8, 0.8))
    write_series(tmp_path / "b", trunk((20, 24, 28)), uid="1.2.2", spacing=(3.0, 0.8, 0.8))
    assert read(tmp_path).source.series_uid == "1.2.2"


def test_a_sagittal_reformat_is_not_taken_before_the_axial_slices(tmp_path):
    hu = trunk((20, 48, 56))
    write_series(
        tmp_path / "a", hu.transpose(2, 0, 1)[:, ::-1], uid="1.2.1", spacing=(0.8, 2.0, 0.8),
        axes=((0.0, 1.0, 0.0), (0.0, 0.0, -1.0)), step=(0.8, 0.0, 0.0),
    )  # fmt: skip
    write_series(tmp_path / "b", hu, uid="1.2.2")
    assert read(tmp_path).source.series_uid == "1.2.2"


def test_a_scout_inside_the_series_is_left_out(tmp_path):
    hu = trunk()
    write_series(tmp_path / "a", hu, uid="1.2.1")
    write_series(
        tmp_path / "b", trunk((1, 60, 60)), uid="1.2.1", axes=((1.0, 0.0, 0.0), (0.0, 0.0, -1.0)),
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )  # fmt: skip
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert volume.quality == ()


def test_files_without_uids_are_sorted_by_what_else_they_say(tmp_path):
    hu = trunk()

    def forget(ds, k):
        ds.SeriesInstanceUID = ds.StudyInstanceUID = ds.SOPClassUID = ds.SOPInstanceUID = ""

    write_series(tmp_path / "a", hu, edit=forget, SeriesDescription="thin")
    write_series(
        tmp_path / "b", trunk((10, 24, 28)), edit=forget, SeriesDescription="thick", spacing=(5, 1, 1)
    )
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert volume.source.series_uid is None
    names = [one.uid for one in list_series(tmp_path)]
    assert read(tmp_path, series=names[1]).hu.shape == (10, 24, 28)
