"""A C-arm's place in DICOM XA: read as it was written, doubted where it is not stated."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread
from pydicom.dataset import Dataset

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.xa_file import write_xa
from thecal.fluoro.projection.xa_geometry import state_geometry, xa_geometry
from thecal.fluoro.sources.xa import XaFile

ARM = CArm(1050.0, 700.0, 0.3, (24, 32))
degrees = st.floats(-180.0, 180.0)


def run(count: int = 3, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (count, *ARM.shape)).astype(dtype)


@pytest.mark.parametrize("angles", [[(90.0, 0.0)], [(0.0, -5.0), (10.0, -5.0), (30.0, 12.5)]])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_run_is_read_back_with_its_pictures_times_and_c_arm(tmp_path: Path, angles, dtype) -> None:
    path = tmp_path / "run.dcm"
    pixels = run(3, dtype)
    write_xa(path, pixels, ARM, angles, frame_time_ms=125.0, bits=8 if dtype is np.uint8 else 12)
    header = dcmread(path)
    stated = xa_geometry(header)
    assert stated.c_arm == ARM
    assert stated.angles == tuple(angles if len(angles) > 1 else angles * 3)
    assert (stated.patient_position, stated.missing) == ("HFP", "")
    np.testing.assert_array_equal(header.pixel_array, pixels)
    assert "not for diagnosis" in header.ImageComments.lower()
    assert [one.name for one in tmp_path.iterdir()] == ["run.dcm"]
    if len(angles) > 1:
        with pytest.raises(InputError, match="turns"):
            XaFile(path)
        return
    seen = list(XaFile(path).arrivals())
    np.testing.assert_array_equal(seen[2].pixels, pixels[2])
    assert [frame.time_s for frame in seen] == pytest.approx([0.0, 0.125, 0.25])


@pytest.mark.parametrize("angles", [[(90.0, 0.0)], [(0.0, -5.0), (10.0, -5.0), (30.0, 12.5)]])
def test_dciodvfy_finds_no_error_in_a_simulated_run(tmp_path: Path, angles) -> None:
    judge = Path(sys.executable).parent / "dciodvfy"
    if not judge.exists():
        pytest.skip("dciodvfy is not installed here")
    for dtype, bits in ((np.uint8, 8), (np.uint16, 12)):
        write_xa(tmp_path / "run.dcm", run(3, dtype), ARM, angles, bits=bits)
        done = subprocess.run([judge, tmp_path / "run.dcm"], capture_output=True, text=True, check=False)
        said = (done.stdout + done.stderr).splitlines()
        # Where an angle is that of the first frame, its offset is 0.
        known = "Value is zero for value"
        assert [one for one in said if one.startswith(("Error", "Warning")) and known not in one] == []


@given(first=st.tuples(degrees, degrees), last=st.tuples(degrees, degrees), count=st.integers(2, 9))
def test_angles_survive_the_way_through_dicom(first, last, count) -> None:
    share = np.linspace(0.0, 1.0, count)[:, None]
    angles = [(float(p), float(s)) for p, s in (1 - share) * first + share * np.array(last)]
    header = Dataset()
    header.NumberOfFrames = count
    state_geometry(header, ARM, angles)
    np.testing.assert_allclose(xa_geometry(header).angles, angles, atol=2e-6)


def test_one_increment_is_the_step_from_frame_to_frame() -> None:
    header = Dataset()
    state_geometry(header, ARM, [(30.0, 0.0)])
    header.NumberOfFrames, header.PositionerPrimaryAngleIncrement = 3, 1.5
    assert xa_geometry(header).angles == ((30.0, 0.0), (31.5, 0.0), (33.0, 0.0))


def test_what_is_not_stated_is_said_in_one_sentence() -> None:
    header = Dataset()
    state_geometry(header, ARM, [(30.0, 0.0)])
    header.DistanceSourceToPatient = None
    del header.PositionerSecondaryAngle
    with pytest.raises(InputError, match=r"distance from source to patient and the CRAN/CAUD angle\.$"):
        xa_geometry(header)
    read = xa_geometry(header, CArm(sod_mm=650.0))
    assert (read.c_arm.sod_mm, read.angles) == (650.0, ((30.0, 0.0),))
    assert "does not state" in read.missing
    assert read.missing.count(".") == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DistanceSourceToPatient": 1200.0}, "cannot be"),
        ({"ImagerPixelSpacing": [0.3, 0.4]}, "not square"),
        ({"NumberOfFrames": 4, "PositionerPrimaryAngleIncrement": [0.0, 1.0]}, "2 frames"),
    ],
)
def test_a_c_arm_that_cannot_be_is_refused(change, words) -> None:
    header = Dataset()
    state_geometry(header, ARM, [(30.0, 0.0)])
    for name, value in change.items():
        setattr(header, name, value)
    with pytest.raises(InputError, match=words):
        xa_geometry(header)


def test_pictures_that_do_not_fit_leave_nothing_behind(tmp_path: Path) -> None:
    for frames, angles in (
        (run()[:, 1:], [(0.0, 0.0)]),
        (run(), [(0.0, 0.0)] * 2),
        (run() / 2, [(0.0, 0.0)]),
    ):
        with pytest.raises(InputError):
            write_xa(tmp_path / "run.dcm", frames, ARM, angles)
    with pytest.raises(InputError, match="cannot be written"):
        write_xa(tmp_path / "no" / "run.dcm", run(), ARM, [(0.0, 0.0)])
    assert list(tmp_path.iterdir()) == []
