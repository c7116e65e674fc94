"""Slices of one series: their order, their faults, and what becomes of the values."""

from __future__ import annotations

import random

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.uid import JPEG2000Lossless
from scans import marker, trunk, write_enhanced, write_series

from thecal.dicom import read
from thecal.errors import InputError
from thecal.volume import to_source_grid

# Half way from muscle to the marker; above the trunk's densest bone.
MARKER_EDGE_HU = 825


def codes(volume):
    return {note.code for note in volume.quality}


def centre_of_marker(volume):
    """LPS mm of what is brighter than any bone of the trunk."""
    return volume.grid.to_lps(np.argwhere(volume.hu > MARKER_EDGE_HU)).mean(axis=0)


def true_centre(shape, spacing=(2.0, 0.8, 0.8), origin=(-20.0, -150.0, 300.0)):
    z, y, x = np.argwhere(marker(shape)).mean(axis=0)
    return np.array(origin) + np.array([x, y, z]) * spacing[::-1]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_the_files_does_not_matter(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("ct")
    hu = trunk((9, 24, 28))
    paths = write_series(folder, hu, edit=lambda ds, k: setattr(ds, "InstanceNumber", (k * 37 + seed) % 9))
    names = list(range(len(paths)))
    random.Random(seed).shuffle(names)
    for path, name in zip(paths, names, strict=True):
        path.rename(folder / f"IM{name}")
    assert np.array_equal(read(folder).hu, hu)


def test_the_grid_is_that_of_the_slices(tmp_path):
    hu = trunk()
    write_series(tmp_path, hu)
    volume = read(tmp_path)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)
    assert volume.source.orientation == "LPS"
    assert volume.source.grid.shape == hu.shape[::-1]
    assert volume.source.kvp == 120
    assert volume.source.kernel == "Br40"
    assert volume.source.slice_thickness_mm == 2.0
    assert len(volume.source.files) == len(hu)
    assert not volume.source.resampled
    assert volume.quality == ()


def test_feet_first_slices_and_negative_cosines_give_the_same_patient(tmp_path):
    hu = trunk()
    _, rows, columns = hu.shape
    far = (-20.0 + (columns - 1) * 0.8, -150.0 + (rows - 1) * 0.8, 300.0)
    write_series(tmp_path, hu[:, ::-1, ::-1], origin=far, axes=((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0)))
    volume = read(tmp_path)
    assert volume.source.orientation == "RAS"
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)
    labels = marker(hu.shape).astype(np.uint16)
    assert np.array_equal(to_source_grid(labels, volume), labels[:, ::-1, ::-1].transpose(2, 1, 0))


@pytest.mark.parametrize("plane", ["sagittal", "coronal"])
def test_sagittal_and_coronal_stacks_are_turned(tmp_path, plane):
    hu = trunk()
    spacing = np.array([2.0, 0.8, 0.8])
    if plane == "sagittal":  # slices along x; rows run down (-z), columns run back (+y)
        slices, axes = hu.transpose(2, 0, 1)[:, ::-1], ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
        step, size = (0.8, 0.0, 0.0), (0.8, 2.0, 0.8)
    else:
        slices, axes = hu.transpose(1, 0, 2)[:, ::-1], ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
        step, size = (0.0, 0.8, 0.0), (0.8, 2.0, 0.8)
    top = (-20.0, -150.0, 300.0 + spacing[0] * (len(hu) - 1))
    write_series(tmp_path, slices, spacing=size, axes=axes, step=step, origin=top)
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)


@settings(max_examples=6, deadline=None)
@given(angles=st.tuples(*[st.floats(-35, 35)] * 3))
def test_oblique_stacks_keep_their_values_and_their_place(tmp_path_factory, angles):
    folder = tmp_path_factory.mktemp("ct")
    hu = trunk((9, 24, 28))
    turn = rotation(angles)
    write_series(folder, hu, axes=(turn[:, 0], turn[:, 1]), origin=(5.0, 6.0, 7.0))
    volume = read(folder)
    z, y, x = np.argwhere(marker(hu.shape)).mean(axis=0)
    expected = np.array([5.0, 6.0, 7.0]) + turn @ [x * 0.8, y * 0.8, z * 2.0]
    assert np.allclose(centre_of_marker(volume), expected, atol=1e-3)
    assert not volume.source.resampled
    assert np.array_equal(np.sort(volume.hu.ravel()), np.sort(hu.ravel()))


def rotation(degrees):
    a, b, c = np.radians(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx


@pytest.mark.parametrize("degrees", [-20.0, 7.5, 25.0])
def test_a_tilted_gantry_is_straightened_and_said(tmp_path, degrees):
    hu = trunk((24, 48, 56))
    tilt = np.tan(np.radians(degrees))
    write_series(tmp_path, hu, step=(0.0, 2.0 * tilt, 2.0), GantryDetectorTilt=degrees)
    volume = read(tmp_path)
    assert "gantry_tilt" in codes(volume)
    assert volume.source.resampled
    gram = volume.grid.affine[:3, :3].T @ volume.grid.affine[:3, :3]
    assert np.allclose(gram, np.diag(np.diag(gram)), atol=1e-9)
    z, y, x = np.argwhere(marker(hu.shape)).mean(axis=0)
    expected = np.array([-20 + 0.8 * x, -150 + 0.8 * y + 2 * tilt * z, 300 + 2 * z])
    assert np.allclose(centre_of_marker(volume), expected, atol=0.25)
    # Label maps go back onto the slices as they were.
    back = to_source_grid((volume.hu > MARKER_EDGE_HU).astype(np.uint16), volume)
    assert back.shape == hu.shape[::-1]
    there = marker(hu.shape).transpose(2, 1, 0)
    assert 2 * (back[there] > 0).sum() / (back.sum() + there.sum()) > 0.95


def test_slices_shifted_beside_each_other_are_moved_to_their_place(tmp_path):
    hu = trunk((24, 48, 56))
    where = [(-20.0 + 4.0 * (k > 11), -150.0, 300.0 + 2 * k) for k in range(len(hu))]
    write_series(tmp_path, hu, positions=where)
    volume = read(tmp_path)
    assert "shifted_slices" in codes(volume)
    assert volume.hu.shape == (24, 48, 61)
    assert np.array_equal(volume.hu[0, :, :56], hu[0])
    assert np.array_equal(volume.hu[20, :, 5:], hu[20])
    assert to_source_grid(volume.hu, volume).shape == volume.source.grid.shape


def test_what_a_step_and_shoot_scan_leaves_out_is_said(tmp_path):
    write_series(tmp_path / "a", trunk(), edit=lambda ds, k: setattr(ds, "SliceThickness", 0.5))
    (note,) = (n for n in read(tmp_path / "a").quality if n.code == "gaps_between_slices")
    assert note.severity == "warning"
    assert "0.5 mm thick but 2.0 mm apart" in note.message
    assert "75% of the length" in note.message
    write_series(tmp_path / "b", trunk())
    assert "gaps_between_slices" not in codes(read(tmp_path / "b"))


def test_thick_slices_are_said_to_be_thick(tmp_path):
    write_series(tmp_path / "a", trunk(), spacing=(5.0, 0.8, 0.8))
    write_series(tmp_path / "b", trunk(), spacing=(3.0, 0.8, 0.8))
    assert "thick_slices" in codes(read(tmp_path / "a"))
    assert "thick_slices" not in codes(read(tmp_path / "b"))


def test_one_missing_thin_slice_is_made_up_and_said(tmp_path):
    hu = trunk()
    paths = write_series(tmp_path, hu)
    paths[11].unlink()
    volume = read(tmp_path)
    note = next(note for note in volume.quality if note.code == "missing_slice")
    assert "z = 320.0 and 324.0 mm" in note.message
    assert volume.hu.shape == hu.shape
    expected = (hu[10].astype(int) + hu[12]) / 2
    assert np.abs(volume.hu[11] - expected).max() <= 1
    assert np.array_equal(volume.hu[12:], hu[12:])


def test_several_missing_slices_are_refused_with_their_place(tmp_path):
    paths = write_series(tmp_path, trunk(), uid="1.2.3")
    for path in paths[10:13]:
        path.unlink()
    with pytest.raises(InputError, match=r"^Series 1.2.3 misses slices between z = 318.0 and 326.0 mm\.$"):
        read(tmp_path)


def test_a_missing_thick_slice_is_refused(tmp_path):
    paths = write_series(tmp_path, trunk(), spacing=(5.0, 0.8, 0.8))
    paths[10].unlink()
    with pytest.raises(InputError, match=r"misses slices between z = 345\.0 and 355\.0 mm"):
        read(tmp_path)


def test_an_image_without_a_place_is_left_out_and_said(tmp_path):
    hu = trunk()
    forget = lambda ds, k: k == 0 and ds.__delattr__("ImagePositionPatient")  # noqa: E731
    write_series(tmp_path, hu, edit=forget)
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu[1:])
    assert codes(volume) == {"unplaced_images"}


def test_files_without_preamble_are_read(tmp_path):
    hu = trunk()
    for path in write_series(tmp_path, hu):
        path.write_bytes(path.read_bytes()[132:])
    assert np.array_equal(read(tmp_path).hu, hu)


def test_slices_sent_twice_are_read_once(tmp_path):
    hu = trunk()
    write_series(tmp_path / "a", hu, uid="1.2.3")
    write_series(tmp_path / "b", hu[5:9], uid="1.2.3", origin=(-20.0, -150.0, 310.0))
    volume = read(tmp_path)
    assert np.array_equal(volume.hu, hu)
    assert "duplicate_slices" in codes(volume)


def test_two_different_images_at_one_place_are_refused(tmp_path):
    hu = trunk()
    write_series(tmp_path / "a", hu, uid="1.2.3")
    write_series(tmp_path / "b", hu[5:6] + 7, uid="1.2.3", origin=(-20.0, -150.0, 310.0))
    with pytest.raises(InputError, match=r"Series 1.2.3 holds two different images at z = 310.0 mm"):
        read(tmp_path)


@pytest.mark.parametrize("element", ["AcquisitionNumber", "TemporalPositionIdentifier", None])
def test_two_phases_in_one_series_are_kept_apart(tmp_path, element):
    hu = trunk()
    write_series(tmp_path / "a", hu, uid="1.2.3", **({element: 1} if element else {}))
    later = {element: 2} if element else {}
    edit = None if element else lambda ds, k: setattr(ds, "InstanceNumber", len(hu) + k + 1)
    write_series(tmp_path / "b", hu + 9, uid="1.2.3", edit=edit, **later)
    first, second = read(tmp_path), read(tmp_path, series="1.2.3#2")
    assert np.array_equal(first.hu, hu)
    assert np.array_equal(second.hu, hu + 9)
    assert "series_chosen" in codes(first)


def test_uneven_slices_are_made_even_and_said(tmp_path):
    at = np.concatenate([np.arange(0, 24, 2.0), np.arange(24, 60, 3.0)])
    hu = trunk((len(at), 24, 28))
    where = [(-20.0, -150.0, 300.0 + z) for z in at]
    write_series(tmp_path, hu, positions=where)
    volume = read(tmp_path)
    assert "uneven_spacing" in codes(volume)
    assert volume.source.resampled
    steps = volume.grid.spacing_mm[0]
    k = 6
    z = k * steps
    below = np.searchsorted(at, z, side="right") - 1
    part = (z - at[below]) / (at[below + 1] - at[below])
    expected = (1 - part) * hu[below].astype(float) + part * hu[below + 1]
    assert np.abs(volume.hu[k] - expected).max() <= 1


def test_positions_rounded_by_the_scanner_are_still_even(tmp_path):
    hu = trunk()
    where = [(-20.0, -150.0, round(300.0 + k * 0.625, 1)) for k in range(len(hu))]
    write_series(tmp_path, hu, positions=where, spacing=(0.625, 0.8, 0.8))
    volume = read(tmp_path)
    assert volume.quality == ()
    assert volume.grid.spacing_mm[0] == pytest.approx(0.625, abs=0.004)


def test_slope_and_intercept_may_differ_from_slice_to_slice(tmp_path):
    hu = trunk()

    def rescale(ds, k):
        slope, intercept = 1 + 0.1 * (k % 3), -1024.0 - 10 * k
        stored = np.rint((hu[k] - intercept) / slope)
        ds.RescaleSlope, ds.RescaleIntercept = slope, intercept
        ds.PixelData = stored.astype("<u2").tobytes()

    write_series(tmp_path, hu, edit=rescale)
    assert np.abs(read(tmp_path).hu.astype(int) - hu).max() <= 1


def test_the_ceiling_of_a_twelve_bit_scan_is_told(tmp_path):
    hu = trunk()
    hu[marker(hu.shape)] = 6000
    write_series(tmp_path, hu)
    volume = read(tmp_path)
    assert volume.source.hu_clipped_at == 3071
    assert volume.hu.max() == 3071
    assert "hu_clipped" in codes(volume)


def test_a_clipped_scan_in_sixteen_bits_is_recognised_by_its_plateau(tmp_path):
    hu = np.minimum(trunk().astype(int) * 2, 3095)
    hu[hu < -1024] = -1024
    bright = marker(hu.shape)
    hu[bright] = 3095
    write_series(tmp_path, hu, signed=True, bits=16, intercept=0)
    assert read(tmp_path).source.hu_clipped_at == 3095


def test_an_extended_scale_is_not_clipped(tmp_path):
    hu = trunk().astype(int)
    inside = marker(hu.shape)
    hu[inside] = np.random.default_rng(0).integers(3500, 9000, inside.sum())
    write_series(tmp_path, hu, signed=True, bits=16, intercept=0)
    volume = read(tmp_path)
    assert volume.source.hu_clipped_at is None
    assert np.array_equal(volume.hu, hu)


@pytest.mark.parametrize("padding", [-2000, -2048, -3024, 30_000])
def test_padding_becomes_air_and_its_share_is_kept(tmp_path, padding):
    hu = trunk()
    padded = hu.astype(int)
    corner = np.zeros(hu.shape, bool)
    corner[:, :6, :6] = True
    padded[corner] = padding
    elements = {"PixelPaddingValue": padding} if padding > 0 else {}
    write_series(tmp_path, padded, signed=True, bits=16, intercept=0, **elements)
    volume = read(tmp_path)
    assert (volume.hu[corner] == -1024).all()
    assert np.array_equal(volume.hu[~corner], hu[~corner])
    assert volume.source.padding_fraction == pytest.approx(corner.mean())


def test_a_padding_value_that_is_a_tissue_is_not_believed(tmp_path):
    hu = trunk()
    write_series(tmp_path, hu, PixelPaddingValue=1074)
    assert np.array_equal(read(tmp_path).hu, hu)


def test_an_enhanced_multi_frame_file_is_read(tmp_path):
    hu = trunk()
    order = np.random.default_rng(0).permutation(len(hu))
    volume = read(write_enhanced(tmp_path / "ct.dcm", hu, order=[int(k) for k in order]))
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)


def test_a_compressed_multi_frame_file_is_read(tmp_path):
    hu = trunk()
    path = write_enhanced(tmp_path / "ct.dcm", hu)
    ds = pydicom.dcmread(path)
    ds.compress(JPEG2000Lossless, generate_instance_uid=False)
    ds.save_as(path)
    assert np.array_equal(read(path).hu, hu)


def test_the_phases_of_a_multi_frame_file_are_kept_apart(tmp_path):
    hu = trunk((12, 24, 28))
    path = write_enhanced(tmp_path / "ct.dcm", np.concatenate([hu, hu + 9]))
    ds = pydicom.dcmread(path)
    for k, item in enumerate(ds.PerFrameFunctionalGroupsSequence):
        content = pydicom.Dataset()
        content.TemporalPositionIndex = k // len(hu) + 1
        item.FrameContentSequence = pydicom.Sequence([content])
        item.PlanePositionSequence[0].ImagePositionPatient = [-20.0, -150.0, 300.0 + 2.0 * (k % len(hu))]
    ds.save_as(path)
    uid = ds.SeriesInstanceUID
    assert np.array_equal(read(path).hu, hu)
    assert np.array_equal(read(path, series=f"{uid}#2").hu, hu + 9)


def test_age_and_sex_are_read(tmp_path):
    write_series(tmp_path / "a", trunk(), PatientAge="070Y", PatientSex="F")
    write_series(tmp_path / "b", trunk(), PatientBirthDate="19500601", StudyDate="20200601")
    assert read(tmp_path / "a").source.age == 70.0
    assert read(tmp_path / "a").source.sex == "F"
    assert read(tmp_path / "b").source.age == pytest.approx(70, abs=0.05)
