from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.quality import QualityNote
from thecal.volume import Grid, Source, Volume, patient_grid, resample, to_source_grid


def rotation(degrees):
    a, b, c = np.radians(degrees)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rz @ ry @ rx


def oblique(shape=(7, 9, 11), degrees=(10, -20, 30), spacing=(2.0, 0.7, 0.8), origin=(4.0, -5.0, 6.0)):
    affine = np.eye(4)
    affine[:3, :3] = rotation(degrees) @ np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0]]) * spacing
    affine[:3, 3] = origin
    return Grid(shape, affine)


angles = st.tuples(*[st.floats(-180, 180)] * 3)
indices = st.lists(st.tuples(*[st.floats(-20, 20)] * 3), min_size=1, max_size=5)


@given(degrees=angles, index=indices)
def test_indices_to_the_patient_and_back(degrees, index):
    grid = oblique(degrees=degrees)
    assert np.allclose(grid.to_index(grid.to_lps(index)), index, atol=1e-6)


def test_spacing_and_voxel_volume_of_an_oblique_grid():
    grid = oblique()
    assert grid.spacing_mm == pytest.approx([2.0, 0.7, 0.8])
    assert grid.voxel_mm3 == pytest.approx(2.0 * 0.7 * 0.8)


def test_the_voxel_volume_of_a_sheared_grid_is_not_the_product_of_its_edges():
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[1, 2] = 2.0
    grid = Grid((3, 3, 3), affine)
    assert grid.voxel_mm3 == pytest.approx(2.0)
    assert np.prod(grid.spacing_mm) == pytest.approx(2.0 * np.sqrt(2))


def test_a_crop_keeps_its_voxels_where_they_are():
    grid = oblique()
    box = (slice(2, 6), slice(1, 9), slice(3, 8))
    crop = grid.crop(box)
    assert crop.shape == (4, 8, 5)
    assert np.allclose(crop.to_lps([1, 1, 1]), grid.to_lps([3, 2, 4]))


@given(margin=st.floats(0, 4), centre=st.tuples(st.floats(0, 6), st.floats(0, 8), st.floats(0, 10)))
def test_a_box_around_points_holds_them_and_stays_inside(margin, centre):
    grid = oblique()
    box = grid.box_around(grid.to_lps(centre), margin)
    for side, size, at in zip(box, grid.shape, centre, strict=True):
        assert 0 <= side.start < side.stop <= size
        assert side.start <= at + 1e-6
        assert side.stop - 1 >= at - 1e-6


def test_the_patient_grid_of_a_flipped_volume_is_the_same():
    grid = oblique(degrees=(0, 0, 0))
    flipped = Grid(grid.shape, grid.affine @ np.array(
        [[-1, 0, 0, grid.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]
    ))  # fmt: skip
    one, other = patient_grid(grid, 1.3), patient_grid(flipped, 1.3)
    assert one.shape == other.shape
    assert np.allclose(one.affine, other.affine)


def test_resampling_a_ramp_gives_the_ramp():
    source, target = (
        oblique((20, 40, 40)),
        oblique((8, 16, 16), origin=(9.0, 2.0, 12.0), spacing=(1.7, 0.9, 1.1)),
    )
    ramp = source.to_lps(np.moveaxis(np.indices(source.shape), 0, -1)) @ [3.0, -2.0, 5.0]
    sampled = resample(ramp, source, target, fill=np.nan)
    expected = target.to_lps(np.moveaxis(np.indices(target.shape), 0, -1)) @ [3.0, -2.0, 5.0]
    inside = np.isfinite(sampled)
    assert inside.mean() > 0.3
    assert np.allclose(sampled[inside], expected[inside], atol=1e-6)


def test_outside_the_source_there_is_air():
    far = Grid((2, 2, 2), oblique(origin=(900.0, 0.0, 0.0)).affine)
    assert (resample(np.zeros((7, 9, 11), np.int16), oblique(), far) == -1024).all()


ORIENTATIONS = list(
    itertools.product(itertools.permutations(range(3)), itertools.product((False, True), repeat=3))
)


@given(orientation=st.sampled_from(ORIENTATIONS), seed=st.integers(0, 99))
def test_labels_return_to_the_array_they_came_from(orientation, seed):
    axes, flips = orientation
    as_read = np.random.default_rng(seed).integers(0, 28, (4, 5, 6)).astype(np.uint16)
    turned = as_read.transpose(axes)[tuple(slice(None, None, -1 if flip else None) for flip in flips)]
    grid = Grid((4, 5, 6), np.eye(4))
    volume = Volume(
        turned.astype(np.int16), Grid(turned.shape, np.eye(4)), Source("nifti", grid, axes, flips)
    )
    assert np.array_equal(to_source_grid(turned, volume), as_read)


def test_the_labels_of_a_crop_return_to_their_place():
    volume = Volume.from_array(np.zeros((6, 7, 8)), Grid((6, 7, 8), np.eye(4)))
    box = (slice(1, 4), slice(2, 5), slice(3, 7))
    whole = to_source_grid(np.full((3, 3, 4), 19, np.uint16), volume, box)
    assert whole.shape == (6, 7, 8)
    assert (whole[box] == 19).all()
    assert whole.sum() == 19 * 36


def test_labels_of_a_resampled_volume_are_sampled_back():
    source = oblique((10, 20, 20))
    upright = patient_grid(source, 0.7)
    volume = Volume(np.zeros(upright.shape, np.int16), upright, Source("dicom", source, resampled=True))
    at = upright.to_lps(np.moveaxis(np.indices(upright.shape), 0, -1))
    ball = np.linalg.norm(at - source.to_lps([5, 10, 10]), axis=-1) < 4
    back = to_source_grid(ball.astype(np.uint16), volume)
    assert back.shape == source.shape
    centre = source.to_lps(np.argwhere(back)).mean(axis=0)
    assert np.allclose(centre, source.to_lps([5, 10, 10]), atol=0.2)
    assert back.sum() * source.voxel_mm3 == pytest.approx(4 / 3 * np.pi * 64, rel=0.1)


def test_notes_are_added_and_nothing_else_changes():
    volume = Volume.from_array(np.zeros((3, 3, 3)), Grid((3, 3, 3), np.eye(4)))
    noted = volume.noted(QualityNote("thick_slices", "warning", "Thick."))
    assert volume.quality == ()
    assert [note.code for note in noted.quality] == ["thick_slices"]
    assert noted.hu is volume.hu
