"""HU on an even grid and along rays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.anatomy.working_grid import OUTSIDE_HU, interpolate_rays, sample_volume
from thecal.volume import Grid, Volume, patient_grid


def ramp(spacing=(2.0, 1.0, 1.0), shape=(12, 20, 22)) -> Volume:
    """HU that grow evenly to the head, the back and the left."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
    affine[:3, 3] = [-8.0, 5.0, 30.0]
    grid = Grid(shape, affine)
    x, y, z = np.moveaxis(grid.to_lps(np.argwhere(np.ones(shape, bool))), -1, 0)
    return Volume.from_array(np.rint(10 * x + 4 * y + 6 * z).reshape(shape), grid)


def expected(grid: Grid) -> np.ndarray:
    x, y, z = np.moveaxis(grid.to_lps(np.argwhere(np.ones(grid.shape, bool))), -1, 0)
    return (10 * x + 4 * y + 6 * z).reshape(grid.shape)


@pytest.mark.parametrize("spacing", [0.8, 1.0, 1.5, 3.0])
def test_brightness_stays_where_it_is_in_the_patient(spacing):
    volume = ramp()
    fine = patient_grid(volume.grid, spacing)
    there = sample_volume(volume, fine)
    inner = (slice(2, -2),) * 3
    assert np.abs(there - expected(fine))[inner].max() <= 1


def test_beyond_the_scan_no_tissue_is_made_up():
    volume = ramp()
    affine = volume.grid.affine.copy()
    affine[2, 3] -= 10
    there = sample_volume(volume, Grid(volume.grid.shape, affine))
    assert (there[:5] == OUTSIDE_HU).all()
    assert (there[5:] > OUTSIDE_HU).all()


def test_a_coarser_grid_averages_instead_of_picking():
    rng = np.random.default_rng(1)
    grid = Grid((40, 40, 40), np.array([[0, 0, 0.5, 0], [0, 0.5, 0, 0], [0.5, 0, 0, 0], [0, 0, 0, 1]]))
    volume = Volume.from_array(rng.normal(100, 60, grid.shape), grid)
    assert sample_volume(volume, patient_grid(grid, 1.5))[1:-1, 1:-1, 1:-1].std() < 20


@settings(max_examples=30, deadline=None)
@given(
    start=st.tuples(*[st.floats(4, 7)] * 3),
    direction=st.tuples(*[st.floats(-0.6, 0.6)] * 3),
)
def test_rays_read_what_lies_on_them(start, direction):
    volume = ramp()
    at = np.arange(0, 6, 0.5)
    values = interpolate_rays(volume.hu, np.array([start]), np.array([[direction]]), at)[0, 0]
    points = volume.grid.to_lps(np.array(start) + at[:, None] * np.array(direction))
    assert np.abs(values - points @ [10, 4, 6]).max() < 1.0


def test_rays_in_a_single_slice_are_read():
    flat = np.full((1, 8, 8), 70, np.int16)
    values = interpolate_rays(flat, np.array([[0.0, 4, 4]]), np.array([[[0.0, 1, 0]]]), np.arange(3.0))
    assert (values == 70).all()
