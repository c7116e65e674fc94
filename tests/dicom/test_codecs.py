from __future__ import annotations

import numpy as np
import pytest
from foreign_images import HTJ2K, LOSSLESS_JPEG, picture
from jpeg_encoder import encode_lossless
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)
from scans import trunk, write_series

from thecal.dicom import read, run_lengths
from thecal.dicom.codecs import decode
from thecal.dicom.lossless_jpeg import decode as decode_lossless
from thecal.errors import InputError

LOSSLESS_SV1, LOSSLESS_ANY = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.57"


@pytest.mark.parametrize("predictor", range(1, 8))
def test_every_predictor_of_lossless_jpeg_is_decoded(predictor):
    image = np.random.default_rng(predictor).integers(0, 1 << 12, (17, 23))
    assert np.array_equal(decode_lossless(encode_lossless(image, predictor=predictor)), image)


@pytest.mark.parametrize("precision", [2, 8, 12, 15, 16])
def test_every_depth_of_lossless_jpeg_is_decoded(precision):
    image = np.random.default_rng(1).integers(0, 1 << precision, (9, 31))
    image[0, :2] = 0, (1 << precision) - 1
    assert np.array_equal(decode_lossless(encode_lossless(image, precision=precision)), image)


def test_lossless_jpeg_with_restarts_is_decoded():
    image = np.random.default_rng(2).integers(0, 1 << 12, (40, 16))
    coded = encode_lossless(image, predictor=4, restart_rows=2)
    assert np.array_equal(decode_lossless(coded), image)


def test_lossless_jpeg_with_a_point_transform_is_decoded():
    image = np.random.default_rng(3).integers(0, 1 << 12, (8, 8)) << 2
    coded = encode_lossless(image, precision=14, point_transform=2)
    assert np.array_equal(decode_lossless(coded), image)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.95])
def test_a_truncated_lossless_jpeg_is_refused(share):
    coded = encode_lossless(np.random.default_rng(4).integers(0, 1 << 12, (30, 30)))
    with pytest.raises(ValueError, match=r"too soon|cut short"):
        decode_lossless(coded[: int(len(coded) * share)])


def test_images_compressed_by_other_programs_are_decoded():
    assert np.array_equal(decode(HTJ2K, "1.2.840.10008.1.2.4.201", 24, 20, 16), picture())
    assert np.array_equal(decode(LOSSLESS_JPEG, LOSSLESS_SV1, 24, 20, 16), picture())


@pytest.mark.parametrize(
    "syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian]
)
def test_plain_series_of_every_byte_order_are_read(tmp_path, syntax):
    hu = trunk()
    write_series(tmp_path / "ct", hu, syntax=syntax)
    assert np.array_equal(read(tmp_path / "ct").hu, hu)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless])
def test_compressed_series_are_read_as_they_were(tmp_path, syntax, signed):
    hu = trunk()

    def compress(ds, k):
        ds.compress(syntax, generate_instance_uid=False)

    intercept = 0 if signed else -1024
    write_series(tmp_path / "ct", hu, signed=signed, bits=13, intercept=intercept, edit=compress)
    assert np.array_equal(read(tmp_path / "ct").hu, hu)


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("syntax", [LOSSLESS_SV1, LOSSLESS_ANY])
def test_lossless_jpeg_series_are_read_as_they_were(tmp_path, syntax, signed):
    hu = trunk((6, 24, 28))

    def compress(ds, k):
        raw = np.frombuffer(ds.PixelData, "<u2").reshape(ds.Rows, ds.Columns)
        predictor = 1 if syntax == LOSSLESS_SV1 else 6
        ds.PixelData = encapsulate([encode_lossless(raw, precision=16, predictor=predictor)])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = syntax

    write_series(tmp_path / "ct", hu, signed=signed, bits=16, intercept=0 if signed else -1024, edit=compress)
    assert np.array_equal(read(tmp_path / "ct").hu, hu)


@pytest.mark.parametrize("bits", [8, 16])
def test_run_lengths_of_every_depth_are_decoded(bits):
    image = (np.arange(20 * 30).reshape(20, 30) ** 2 % 2**bits).astype(f"<u{bits // 8}")
    image[5:9] = 7
    coded = rle_encoded(image)
    assert np.array_equal(run_lengths.decode(coded, 20, 30, bits), image)
    assert np.array_equal(run_lengths.decode(coded + b"\0", 20, 30, bits), image)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda coded: coded[:40], id="header cut"),
        pytest.param(lambda coded: coded[:-60], id="runs cut"),
        pytest.param(lambda coded: b"\3" + coded[1:], id="three planes"),
        pytest.param(lambda coded: coded[:4] + b"\xff\xff\0\0" + coded[8:], id="plane beyond the end"),
        pytest.param(lambda coded: coded[:64] + b"\x81" * (len(coded) - 64), id="runs beyond the plane"),
        pytest.param(lambda coded: coded[:64] + b"\x80" * (len(coded) - 64), id="no runs"),
    ],
)
def test_damaged_run_lengths_are_refused(damage):
    coded = rle_encoded((np.arange(20 * 30).reshape(20, 30) ** 2).astype("<u2"))
    with pytest.raises(ValueError, match=r"cut short|damaged|planes"):
        run_lengths.decode(damage(coded), 20, 30, 16)


def rle_encoded(image) -> bytes:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.Rows, ds.Columns = image.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    ds.BitsAllocated = ds.BitsStored = image.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, "1.2.3"
    ds.PixelData = image.tobytes()
    ds.compress(RLELossless, generate_instance_uid=False, encoding_plugin="pydicom")
    return next(generate_frames(ds.PixelData, number_of_frames=1))


def test_a_compression_without_a_decoder_is_named(tmp_path):
    def claim(ds, k):
        ds.PixelData = encapsulate([b"\xff\xd8\xff\xd9"])
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.51"

    write_series(tmp_path / "ct", trunk(), edit=claim)
    with pytest.raises(InputError, match="compressed as JPEG Extended"):
        read(tmp_path / "ct")


def test_a_long_compressed_series_is_read_as_it_was(tmp_path, monkeypatch):
    monkeypatch.setattr("thecal.dicom.decoders.WORTH_A_HELPER_PIXELS", 1)
    hu = trunk()

    def compress(ds, k):
        # One slice came back from the archive in another compression.
        ds.compress(RLELossless if k == 7 else JPEG2000Lossless, generate_instance_uid=False)

    write_series(tmp_path / "ct", hu, edit=compress)
    assert np.array_equal(read(tmp_path / "ct").hu, hu)


@pytest.mark.parametrize("interpreter", ["/nowhere/python", "/bin/false"])
def test_a_series_is_read_where_no_helper_can_run(tmp_path, monkeypatch, interpreter):
    monkeypatch.setattr("thecal.dicom.decoders.WORTH_A_HELPER_PIXELS", 1)
    monkeypatch.setattr("sys.executable", interpreter)
    hu = trunk()
    compress = lambda ds, k: ds.compress(JPEG2000Lossless, generate_instance_uid=False)  # noqa: E731
    write_series(tmp_path / "ct", hu, edit=compress)
    assert np.array_equal(read(tmp_path / "ct").hu, hu)
