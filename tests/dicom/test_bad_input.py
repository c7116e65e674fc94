"""What cannot be read is refused with one sentence, never with a traceback."""

from __future__ import annotations

import gzip
import zipfile
from contextlib import suppress

import nibabel as nib
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scans import trunk, write_enhanced, write_series

from thecal.dicom import list_series, read
from thecal.errors import InputError


def refused(path, match):
    with pytest.raises(InputError, match=match) as caught:
        read(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "Doe" not in sentence
    assert "secret" not in sentence


def test_a_path_that_does_not_exist(tmp_path):
    refused(tmp_path / "nothing", "does not exist")


def test_an_empty_folder(tmp_path):
    refused(tmp_path, "empty")


def test_an_empty_file(tmp_path):
    (tmp_path / "a.dcm").touch()
    refused(tmp_path / "a.dcm", "empty")


def test_a_text_file(tmp_path):
    (tmp_path / "notes.txt").write_text("the patient had pain " * 100)
    refused(tmp_path / "notes.txt", "neither a DICOM folder")
    refused(tmp_path, "holds no DICOM images")


def test_a_folder_that_may_not_be_opened(tmp_path, monkeypatch):
    import os

    (tmp_path / "inner").mkdir()
    scandir = os.scandir

    def deny(path):
        if str(path).endswith("inner"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", deny)
    refused(tmp_path, "inner cannot be opened: Permission denied")


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_truncated_slice(tmp_path, share):
    path = write_series(tmp_path, trunk(), uid="1.2.3")[8]
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refused(tmp_path, f"{path.name} of series 1.2.3 is truncated")


def test_a_slice_cut_within_its_header(tmp_path):
    hu = trunk()
    path = write_series(tmp_path, hu, uid="1.2.3")[0]
    path.write_bytes(path.read_bytes()[:400])
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu[1:])
    assert any(note.code == "damaged_files" and "1 DICOM file is" in note.message for note in volume.quality)


@pytest.mark.parametrize(
    ("element", "damaged"),
    [
        pytest.param(
            b"\x20\0\x11\0IS\2\0003 ", b"\x20\0\x11\0ZZ\2\0003 ", id="a type that DICOM does not have"
        ),
        pytest.param(b"\x20\0\x11\0IS\2\0003 ", b"\x20\0\x11\0UL\2\0003 ", id="a length that does not fit"),
        pytest.param(
            b"\x18\0\x50\0DS\4\0002.0 ", b"\x18\0\x50\0IS\6\0001e400 ", id="a whole number beyond all bounds"
        ),
        pytest.param(b"\x08\0\x60\0CS\2\0CT", b"\x08\0\5\0US\2\0CT", id="a character set that is a number"),
        pytest.param(
            b"\x08\0\x60\0CS\2\0CT",
            b"\x08\0\5\0CS\x10\0\\ISO 2022 IR 87 " + b"\x08\0\x70\0LO\4\0\x1b$B;",
            id="a name that ends within a character",
        ),
        pytest.param(
            b"\x08\0\x60\0CS\2\0CT",
            b"\x08\0\x60\0CS\2\0CT"
            + b"\0\x52\x29\x92SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 2000,
            id="sequences nested without end",
        ),
    ],
)
def test_a_slice_with_a_damaged_element(tmp_path, element, damaged):
    hu = trunk()
    path = write_series(tmp_path, hu, uid="1.2.3")[0]
    data = path.read_bytes()
    assert data.count(element) == 1
    path.write_bytes(data.replace(element, damaged))
    whole, without = read(tmp_path).hu, hu[1:]
    assert np.array_equal(whole, hu) or np.array_equal(whole, without)


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_within_a_zip_whose_end_is_damaged(tmp_path, packing):
    path, _ = damaged_zip(tmp_path, packing, slice(-600, None))
    with suppress(InputError):
        # Where the whole file must be unpacked to read its header, the slice is left out.
        assert any(note.code == "damaged_files" for note in read(path).quality)
        return
    refused(path, r"cannot be read to its end\.")


@pytest.mark.parametrize("packing", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_within_a_zip_whose_header_is_damaged_is_left_out(tmp_path, packing):
    path, hu = damaged_zip(tmp_path, packing, slice(80, 120))
    volume = read(path)
    assert np.array_equal(volume.hu, hu[1:])
    assert any(note.code == "damaged_files" for note in volume.quality)


def damaged_zip(folder, packing, where):
    """A zip of a series; in its first file the bytes at ``where`` are nought."""
    hu = trunk()
    paths = write_series(folder / "ct", hu, uid="1.2.3")
    zipped = folder / "ct.zip"
    with zipfile.ZipFile(zipped, "w", packing) as archive:
        for path in paths:
            archive.write(path, path.name)
        second = archive.infolist()[1].header_offset
    data = bytearray(zipped.read_bytes())
    first = data[:second]
    first[where] = bytes(len(first[where]))
    zipped.write_bytes(first + data[second:])
    return zipped, hu


@pytest.mark.parametrize(
    ("at", "damage"),
    [
        pytest.param(344, b"n 2\0", id="magic"),
        pytest.param(123, b"\xff", id="unit of length"),
        pytest.param(40, b"\3\0\xff\xff", id="size below nought"),
        pytest.param(70, b"\xff\x7f", id="voxels of no kind"),
        pytest.param(280, b"\0\0\x80\x7f", id="axes without end"),
        pytest.param(280, b"\0\0\x80\x68", id="axes beyond any scanner"),
    ],
)
def test_a_nifti_with_a_damaged_header(tmp_path, at, damage):
    image = nib.Nifti1Image(trunk().T.astype(np.int16), np.diag([-0.8, -0.8, 2, 1]))
    nib.save(image, tmp_path / "a.nii")
    data = bytearray((tmp_path / "a.nii").read_bytes())
    data[at : at + len(damage)] = damage
    (tmp_path / "a.nii").write_bytes(data)
    refused(tmp_path / "a.nii", "a.nii")


@pytest.mark.parametrize(
    "header",
    [
        "type: short\ndimension: 3\nsizes: 4 4 4\nspace origin: \nencoding: raw",
        "type: short\ndimension: 3\nsizes: 4 4\nencoding: raw",
        "type: nothing\ndimension: 3\nsizes: 4 4 4\nencoding: raw",
        "type: short\ndimension: 3\nsizes: 4 4 99999999999999\nencoding: raw",
    ],
)
def test_an_nrrd_with_a_damaged_header(tmp_path, header):
    (tmp_path / "a.nrrd").write_bytes(f"NRRD0005\n{header}\n\n".encode() + bytes(128))
    refused(tmp_path / "a.nrrd", "a.nrrd")


@pytest.mark.parametrize("line", ["ElementDataFile = a\0b", "HeaderSize = x\nElementDataFile = b.raw"])
def test_a_metaimage_with_a_damaged_header(tmp_path, line):
    head = f"ObjectType = Image\nNDims = 3\nDimSize = 4 4 4\nElementType = MET_SHORT\n{line}\n"
    (tmp_path / "a.mha").write_bytes(head.encode())
    refused(tmp_path / "a.mha", "a.mha")


@pytest.mark.parametrize("share", [0.4, 0.8, 0.98])
def test_a_truncated_compressed_slice(tmp_path, share):
    def compress(ds, k):
        ds.compress("1.2.840.10008.1.2.4.90", generate_instance_uid=False)

    path = write_series(tmp_path, trunk(), edit=compress, uid="1.2.3")[8]
    data = path.read_bytes()
    pixels = data.index(b"\xe0\x7f\x10\x00")
    path.write_bytes(data[: pixels + int((len(data) - pixels) * share)])
    refused(tmp_path, f"{path.name} of series 1.2.3 is (damaged or )?truncated")


def test_a_truncated_multi_frame_file(tmp_path):
    path = write_enhanced(tmp_path / "ct.dcm", trunk())
    path.write_bytes(path.read_bytes()[:-5000])
    refused(path, "truncated")


def test_slices_without_pixels(tmp_path):
    write_series(tmp_path, trunk(), edit=lambda ds, k: delattr(ds, "PixelData"))
    refused(tmp_path, "no images in its files|holds no image")


def test_one_slice_without_pixels(tmp_path):
    write_series(tmp_path, trunk(), edit=lambda ds, k: delattr(ds, "PixelData") if k == 9 else None)
    refused(tmp_path, "holds no image")


def test_scouts_alone(tmp_path):
    write_series(tmp_path, trunk((2, 24, 28)), ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    refused(tmp_path, "no CT series that can be used .*localizer")


def test_one_slice_alone(tmp_path):
    paths = write_series(tmp_path, trunk())
    refused(paths[3], "a single slice")


def test_an_mr_alone(tmp_path):
    write_series(tmp_path, trunk(), Modality="MR")
    refused(tmp_path, "MR, not CT")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda hu: hu + 1024, id="shifted to start at nought"),
        pytest.param(lambda hu: np.where(hu < -900, -3024, hu + 1024), id="shifted, with padding"),
        pytest.param(lambda hu: hu - 1024, id="shifted twice"),
        pytest.param(lambda hu: hu // 2 + 500, id="cone-beam off its scale"),
        pytest.param(lambda hu: (hu + 1024) * 16, id="uncalibrated cone-beam"),
        pytest.param(lambda hu: (hu + 1024) // 8, id="mr-like"),
        pytest.param(lambda hu: hu * 0 - 1000, id="constant"),
        pytest.param(lambda hu: (hu.astype(float) - hu.mean()) / hu.std() * 10, id="normalised"),
        pytest.param(lambda hu: (hu > 200) * 20 + (hu > 600), id="label map"),
    ],
)
def test_values_that_are_not_hu(tmp_path, change):
    write_series(tmp_path, change(trunk().astype(int)), signed=True, bits=16, intercept=0, uid="1.2.3")
    refused(tmp_path, "series 1.2.3")


@pytest.mark.parametrize("fat", [False, True])
def test_a_tight_crop_of_a_vertebra_without_air_is_hu(tmp_path, fat):
    hu = trunk((24, 96, 112))[:, 40:74, 35:78]
    if fat:
        hu[4:20, 0:6, 0:10] -= 140
    assert hu.min() > -300
    write_series(tmp_path, hu)
    assert read(tmp_path).hu.shape == hu.shape


@pytest.mark.parametrize("air", [-1000, -1024])
def test_a_clean_drawing_of_a_ct_is_hu(tmp_path, air):
    hu = np.full((12, 40, 40), air, np.int16)
    hu[:, 5:35, 5:35] = 40
    hu[:, 15:25, 15:25] = 500
    write_series(tmp_path, hu)
    assert np.array_equal(read(tmp_path).hu, hu)


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in members:
            packed.writestr(name, data)
    return path


@pytest.mark.parametrize(
    "name", ["../../etc/evil.dcm", "/etc/evil.dcm", "C:\\evil.dcm", "a/..\\..\\evil.dcm"]
)
def test_a_path_that_leaves_the_zip(tmp_path, name):
    refused(zipped(tmp_path / "a.zip", [(name, b"x" * 200)]), "path that leaves it")


def test_a_zip_bomb(tmp_path):
    path = tmp_path / "bomb.zip"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed,
        packed.open("a.dcm", "w", force_zip64=True) as member,
    ):
        for _ in range(100):
            member.write(bytes(1 << 20))
    refused(path, "out of all proportion")


def test_a_zip_that_lies_about_its_sizes(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.dcm", bytes(200_000))])
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    refused(path, "DICOM|read to its end")


def test_a_truncated_zip(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.dcm", np.random.default_rng(0).bytes(9000))])
    path.write_bytes(path.read_bytes()[:5000])
    refused(path, "zip that cannot be opened")


def test_an_empty_zip_and_a_zip_of_text(tmp_path):
    refused(zipped(tmp_path / "a.zip", []), "empty")
    refused(zipped(tmp_path / "b.zip", [("a.txt", "nothing here")]), "holds no DICOM images")


def test_an_encrypted_zip(tmp_path):
    path = zipped(tmp_path / "a.zip", [("a.dcm", b"x" * 300)])
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    refused(path, "encrypted")


def test_a_truncated_nifti(tmp_path):
    path = tmp_path / "a.nii.gz"
    nib.save(nib.Nifti1Image(trunk().T, np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:-9000])
    refused(path, "truncated")


def test_a_gzip_that_is_no_nifti(tmp_path):
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"hello" * 1000))
    refused(path, "neither a DICOM folder")


def test_four_volumes_in_one_nifti(tmp_path):
    several = np.stack([trunk().T] * 4, axis=-1)
    nib.save(nib.Nifti1Image(several, np.eye(4)), tmp_path / "a.nii")
    refused(tmp_path / "a.nii", "several volumes")


def test_colours_in_a_nifti(tmp_path):
    colours = np.zeros((8, 8, 8), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nib.save(nib.Nifti1Image(colours, np.eye(4)), tmp_path / "a.nii")
    refused(tmp_path / "a.nii", "not single numbers")


def test_a_picture_in_a_nifti(tmp_path):
    nib.save(nib.Nifti1Image(trunk()[0], np.eye(4)), tmp_path / "a.nii")
    refused(tmp_path / "a.nii", "not a volume")


def test_a_series_name_for_a_volume_file(tmp_path):
    nib.save(nib.Nifti1Image(trunk().T, np.eye(4)), tmp_path / "a.nii")
    with pytest.raises(InputError, match="no DICOM series to choose from"):
        read(tmp_path / "a.nii", series="1.2.3")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_damage_to_a_file_causes_anything_but_a_refusal(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("ct")
    kind = data.draw(st.sampled_from(["dicom", "nifti", "zip"]))
    hu = trunk((4, 12, 14))
    if kind == "nifti":
        target = opened = folder / "a.nii"
        nib.save(nib.Nifti1Image(hu.T, np.eye(4)), target)
    else:
        target = write_series(folder / "ct", hu)[1]
        opened = folder / "ct"
        if kind == "zip":
            target = opened = zipped(
                folder / "a.zip", [(path.name, path.read_bytes()) for path in sorted(opened.iterdir())]
            )
    damaged = bytearray(target.read_bytes())
    reach = min(len(damaged), 1200)
    for _ in range(data.draw(st.integers(1, 6))):
        damaged[data.draw(st.integers(0, reach - 1))] = data.draw(st.integers(0, 255))
    target.write_bytes(damaged)
    for attempt in (read, list_series):
        # Anything but a refusal would fail the test.
        with suppress(InputError):
            attempt(opened)
