"""Runs of modern angiography suites: Enhanced XA, whose C-arm and clock stand in functional groups."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.xa_enhanced import ENHANCED
from thecal.fluoro.projection.xa_file import write_xa
from thecal.fluoro.sources.xa import XaFile

ARM = CArm(1050.0, 700.0, 0.3, (24, 32))
TIMES_MS = (0.0, 120.0, 260.0)


def pictures() -> np.ndarray:
    return np.random.default_rng(4).integers(0, 256, (3, *ARM.shape)).astype(np.uint8)


def group(sequence: str, **values: object) -> Dataset:
    item = Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    held = Dataset()
    setattr(held, sequence, [item])
    return held


def enhanced(path: Path, *, angles=((90.0, 2.0),), shared=True, sign=1) -> Path:
    """The same run as a classic one, with everything that Enhanced XA moves into functional groups moved."""
    write_xa(path, pictures(), ARM, [(0.0, 0.0)])
    data = dcmread(path)
    data.SOPClassUID = data.file_meta.MediaStorageSOPClassUID = ENHANCED[0]
    for name in (
        "DistanceSourceToDetector", "DistanceSourceToPatient", "EstimatedRadiographicMagnificationFactor",
        "ImagerPixelSpacing", "PositionerPrimaryAngle", "PositionerSecondaryAngle", "PositionerMotion",
        "FrameTime", "FrameIncrementPointer",
    ):  # fmt: skip
        delattr(data, name)
    geometry = group(
        "XRayGeometrySequence",
        DistanceSourceToDetector=ARM.sid_mm,
        DistanceSourceToIsocenter=ARM.sod_mm,
    )
    spacing = group(
        "FramePixelDataPropertiesSequence",
        ImagerPixelSpacing=[ARM.pitch_mm] * 2,
        PixelIntensityRelationshipSign=sign,
    )
    field = group("FieldOfViewSequence", FieldOfViewRotation=0.0, FieldOfViewHorizontalFlip="NO")
    common = Dataset()
    for one in (geometry, spacing, field):
        common.update(one)
    start = datetime(2026, 3, 1, 10, 0, 0)
    frames = []
    for number, after in enumerate(TIMES_MS):
        moment = (start + timedelta(milliseconds=after)).strftime("%Y%m%d%H%M%S.%f")
        frame = group("FrameContentSequence", FrameReferenceDateTime=moment)
        primary, secondary = angles[min(number, len(angles) - 1)]
        frame.update(
            group(
                "PositionerPositionSequence",
                PositionerPrimaryAngle=primary,
                PositionerSecondaryAngle=secondary,
            )
        )
        if not shared:
            frame.update(common)
        frames.append(frame)
    if shared:
        data.SharedFunctionalGroupsSequence = [common]
    data.PerFrameFunctionalGroupsSequence = frames
    data.save_as(path)
    return path


@pytest.mark.parametrize("shared", [True, False])
def test_an_enhanced_run_gives_its_pictures_its_times_and_its_c_arm(tmp_path: Path, shared: bool) -> None:
    source = XaFile(enhanced(tmp_path / "run.dcm", shared=shared))
    stated = source.geometry
    assert stated is not None
    assert (stated.sid_mm, stated.sod_mm, stated.pitch_mm) == pytest.approx((1050.0, 700.0, 0.3))
    assert (stated.primary_deg, stated.secondary_deg, stated.shape) == (90.0, 2.0, ARM.shape)
    seen = list(source.arrivals())
    np.testing.assert_array_equal([frame.pixels for frame in seen], pictures())
    assert [frame.time_s for frame in seen] == pytest.approx([0.0, 0.12, 0.26])


def test_an_enhanced_run_in_which_the_c_arm_turns_is_refused(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "run.dcm", angles=((90.0, 0.0), (80.0, 0.0), (70.0, 0.0)))
    with pytest.raises(InputError, match="turns"):
        XaFile(path)


def test_an_enhanced_run_whose_detector_moves_is_refused(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "run.dcm", shared=False)
    data = dcmread(path)
    data.PerFrameFunctionalGroupsSequence[2].XRayGeometrySequence[0].DistanceSourceToDetector = 1100.0
    data.save_as(path)
    with pytest.raises(InputError, match="change during this run"):
        XaFile(path)


def test_an_enhanced_run_that_describes_too_few_frames_is_refused(tmp_path: Path) -> None:
    path = enhanced(tmp_path / "run.dcm")
    data = dcmread(path)
    del data.PerFrameFunctionalGroupsSequence[2]
    data.save_as(path)
    with pytest.raises(InputError, match="describes 2 frames, but holds 3"):
        XaFile(path)


def test_stored_values_that_grow_where_less_comes_through_are_turned_over(tmp_path: Path) -> None:
    seen = list(XaFile(enhanced(tmp_path / "run.dcm", sign=-1)).arrivals())
    np.testing.assert_array_equal(seen[1].pixels, 255 - pictures()[1])
