"""The canal's course: where soft tissue is ringed by bone behind a column, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_spine import LabelSpine

from thecal.anatomy.canal import find_course, smooth_course
from thecal.errors import SpineNotFound
from thecal.volume import Grid, Volume


def away_from_axis(points: np.ndarray) -> np.ndarray:
    """Distance from the plain spine's canal, whose middle is x = y = 0."""
    return np.hypot(points[:, 0], points[:, 1])


def test_the_course_runs_through_the_middle_of_the_canal(plain: LabelSpine) -> None:
    frame, score, _ = find_course(plain.volume)
    assert away_from_axis(frame.points).max() < 3.0
    assert frame.points[0, 2] < 5
    assert frame.points[-1, 2] > 80
    assert np.median(score) > 0.6


def test_cement_that_fills_the_canal_does_not_end_its_course(plain: LabelSpine) -> None:
    hu = plain.volume.hu.copy()
    x, y, z = np.moveaxis(plain.volume.grid.to_lps(np.argwhere(hu > -2000)), -1, 0)
    cement = ((x / 10) ** 2 + (y / 7) ** 2 < 1) & (np.abs(z - 44) < 12)
    hu[cement.reshape(hu.shape)] = 2800
    frame, _, _ = find_course(Volume.from_array(hu, plain.volume.grid))
    assert away_from_axis(frame.points).max() < 4.0
    assert frame.points[0, 2] < 10
    assert frame.points[-1, 2] > 80


@pytest.mark.parametrize("shift", [(0.0, 0.0, 0.0), (-40.0, 310.0, -815.5)])
def test_the_course_moves_with_the_patient(plain: LabelSpine, shift: tuple[float, float, float]) -> None:
    grid = plain.volume.grid
    affine = grid.affine.copy()
    affine[:3, 3] += shift
    there = find_course(Volume.from_array(plain.volume.hu, Grid(grid.shape, affine)))[0]
    here = find_course(plain.volume)[0]
    assert np.allclose(there.points - shift, here.points, atol=0.01)


def block(hu: np.ndarray) -> Volume:
    affine = np.eye(4)
    affine[:3, :3] = 1.5 * np.eye(3)[::-1]
    return Volume.from_array(hu + np.random.default_rng(0).normal(0, 12, hu.shape), Grid(hu.shape, affine))


def test_there_is_no_canal_in_muscle() -> None:
    with pytest.raises(SpineNotFound, match="No spinal canal"):
        find_course(block(np.full((50, 80, 80), 50.0)))


def test_a_tube_without_a_vertebral_column_in_front_is_no_canal() -> None:
    y, x = np.mgrid[:80, :80]
    r = np.hypot(y - 40, x - 40) * 1.5
    slab = np.where((r > 8) & (r < 13), 400.0, -100.0)
    slab[r <= 8] = 20
    with pytest.raises(SpineNotFound):
        find_course(block(np.repeat(slab[None], 50, axis=0)))


@given(slope=st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)), sigma=st.floats(2, 12))
def test_a_straight_canal_stays_straight_to_its_ends(slope, sigma):
    z = np.arange(60.0)
    path = np.stack([slope[0] * z, slope[1] * z, z], axis=1)
    assert np.allclose(smooth_course(path, sigma), path, atol=0.02)
