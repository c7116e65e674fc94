"""A phantom on disk is a proper CT that says it is simulated."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from thecal.dicom import read
from thecal.phantom import Case
from thecal.phantom.write import write_scan
from thecal.volume import Volume


@pytest.fixture(scope="module")
def small(phantom_patient: Case) -> Volume:
    part = (slice(10, 24), slice(20, 140), slice(30, 150))
    volume = phantom_patient.volume
    return replace(volume, hu=np.ascontiguousarray(volume.hu[part]), grid=volume.grid.crop(part))


@pytest.mark.parametrize("form", ["dicom", "nifti"])
def test_what_is_written_reads_back_in_place(small: Volume, tmp_path: Path, form: str) -> None:
    path = write_scan(small, tmp_path, form)  # type: ignore[arg-type]
    back = read(path)
    assert np.array_equal(back.hu, small.hu)
    np.testing.assert_allclose(back.grid.affine, small.grid.affine, atol=1e-3)
    assert back.source.simulated


def test_the_series_is_plainly_synthetic_and_the_same_each_time(small: Volume, tmp_path: Path) -> None:
    one = sorted(write_scan(small, tmp_path / "a", "dicom").glob("*.dcm"))
    two = sorted(write_scan(small, tmp_path / "b", "dicom").glob("*.dcm"))
    assert len(one) == small.hu.shape[0]
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    first = pydicom.dcmread(one[0])
    assert str(first.PatientName) == "Phantom^Synthetic"
    assert first.Manufacturer == "thecal phantom"
    assert first.ImageType[0] == "DERIVED"
    assert first.SOPClassUID == pydicom.uid.CTImageStorage
    assert len({pydicom.dcmread(p).SOPInstanceUID for p in one}) == len(one)


def test_hu_above_twelve_bits_survive(small: Volume, tmp_path: Path) -> None:
    bright = small.hu.copy()
    bright[3, 50:55, 50:55] = 9000
    back = read(write_scan(replace(small, hu=bright), tmp_path, "dicom"))
    assert back.hu.max() == 9000
