"""A C-arm's geometry: what is drawn where, and that moving patient or C-arm comes to the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.fluoro.projection.c_arm import AP_DEGREES, LATERAL_DEGREES, CArm
from thecal.fluoro.projection.line_integrals import line_integrals
from thecal.fluoro.projection.view import Pose
from thecal.volume import Grid

ARM = CArm(1000.0, 650.0, 2.0, (40, 50))
ISOCENTRE = np.array([12.3, -45.6, 789.1])
angles = st.floats(-180.0, 180.0)
tilts = st.floats(-50.0, 50.0)
offsets = st.tuples(*[st.floats(-60.0, 60.0)] * 3).map(np.array)
small = st.tuples(*[st.floats(-20.0, 20.0)] * 3).map(np.array)


@given(primary=angles, secondary=tilts, offset=offsets)
def test_the_ray_through_a_point_s_shadow_leads_back_to_the_point(primary, secondary, offset):
    view = ARM.view(ISOCENTRE, primary, secondary)
    point = ISOCENTRE + offset
    back = view.on_plane(view.project(point), point, view.normal)
    np.testing.assert_allclose(back, point, atol=1e-6)
    row, column = view.project(point)
    pixel = view.pixel(row, column)
    assert np.linalg.norm(np.cross(pixel - view.source, point - view.source)) < 1e-5 * ARM.sid_mm


@given(primary=angles, secondary=tilts)
def test_the_isocentre_is_drawn_in_the_middle_at_the_stated_distances(primary, secondary):
    view = ARM.view(ISOCENTRE, primary, secondary)
    np.testing.assert_allclose(view.project(ISOCENTRE), (19.5, 24.5), atol=1e-7)
    assert view.sid_mm == pytest.approx(ARM.sid_mm)
    assert np.linalg.norm(view.source - ISOCENTRE) == pytest.approx(ARM.sod_mm)
    assert view.magnification(ISOCENTRE) == pytest.approx(ARM.sid_mm / ARM.sod_mm)


def test_head_is_up_and_left_and_back_are_on_the_right():
    left, back, head = np.eye(3) * 10.0
    ap, lateral = (ARM.view(ISOCENTRE, *a) for a in (AP_DEGREES, LATERAL_DEGREES))
    middle = np.array([19.5, 24.5])
    assert (ap.project(ISOCENTRE + head) - middle)[0] < -5
    assert (ap.project(ISOCENTRE + left) - middle)[1] > 5
    assert (lateral.project(ISOCENTRE + head) - middle)[0] < -5
    assert (lateral.project(ISOCENTRE + back) - middle)[1] > 5
    # LAO: the detector goes to the patient's left; CRAN: to her head.
    assert -(ARM.view(ISOCENTRE, 30.0).source - ISOCENTRE)[0] > 0
    assert -(ARM.view(ISOCENTRE, 0.0, 20.0).source - ISOCENTRE)[2] > 0


@given(primary=angles, secondary=tilts, turn=small, move=small, offset=offsets)
def test_moving_the_patient_and_looking_at_her_at_rest_comes_to_the_same(
    primary, secondary, turn, move, offset
):
    view = ARM.view(ISOCENTRE, primary, secondary)
    pose = Pose.about(ISOCENTRE, turn, move)
    point = ISOCENTRE + offset
    np.testing.assert_allclose(view.of_moved(pose).project(point), view.project(pose.apply(point)), atol=1e-6)
    np.testing.assert_allclose(pose.inverse().apply(pose.apply(point)), point, atol=1e-8)
    twice = pose.after(pose).apply(point)
    np.testing.assert_allclose(twice, pose.apply(pose.apply(point)), atol=1e-8)


@given(primary=angles, secondary=tilts, turn=small, move=small, seed=st.integers(0, 99))
def test_a_moved_volume_throws_the_shadow_of_the_moved_view(primary, secondary, turn, move, seed):
    volume = np.random.default_rng(seed).uniform(0.0, 1.0, (9, 11, 10)).astype(np.float32)
    affine = np.array([[0, 0, 3.0, -15], [0, 3.0, 0, -15], [4.0, 0, 0, -16], [0, 0, 0, 1.0]])
    affine[:3, 3] += ISOCENTRE
    pose = Pose.about(ISOCENTRE, turn, move)
    moved = np.eye(4)
    moved[:3, :3], moved[:3, 3] = pose.rotation, pose.shift
    view = ARM.view(ISOCENTRE, primary, secondary)
    at_rest = line_integrals(volume, Grid(volume.shape, affine), view.of_moved(pose))
    np.testing.assert_allclose(
        line_integrals(volume, Grid(volume.shape, moved @ affine), view), at_rest, rtol=2e-3, atol=2e-2
    )


@given(primary=angles, secondary=tilts, offset=offsets, factor=st.integers(1, 5))
def test_larger_pixels_and_a_window_see_a_point_at_the_same_place(primary, secondary, offset, factor):
    view = ARM.view(ISOCENTRE, primary, secondary)
    point = ISOCENTRE + offset
    fine = view.project(point)
    np.testing.assert_allclose(
        view.binned(factor).project(point) * factor + (factor - 1) / 2, fine, atol=1e-6
    )
    part = view.window(slice(7, 30), slice(11, 48))
    assert part.shape == (23, 37)
    np.testing.assert_allclose(part.project(point) + np.array([7, 11]), fine, atol=1e-6)


def test_a_window_s_picture_is_that_part_of_the_whole_picture():
    volume = np.random.default_rng(1).uniform(0.0, 1.0, (20, 21, 22)).astype(np.float32)
    affine = np.array([[0, 0, 2.0, -21], [0, 2.0, 0, -20], [2.0, 0, 0, -19], [0, 0, 0, 1.0]])
    view = ARM.view(np.zeros(3), 20.0, 10.0)
    grid = Grid(volume.shape, affine)
    rows, columns = slice(7, 30), slice(11, 48)
    for method in ("planes", "exact", "trilinear"):
        whole = line_integrals(volume, grid, view, method=method)
        part = line_integrals(volume, grid, view.window(rows, columns), method=method)
        np.testing.assert_allclose(part, whole[rows, columns], rtol=1e-4, atol=1e-3)


@given(tenths=st.integers(-1800, 1800), tilt=st.integers(-50, 50), seed=st.integers(0, 99))
def test_the_mirrored_patient_gives_the_mirrored_picture_from_the_mirrored_c_arm(tenths, tilt, seed):
    # Off the axes: exactly along a border between two voxels either is right.
    primary, secondary = tenths / 10 + 0.0123, tilt + 0.0171
    volume = np.random.default_rng(seed).uniform(0.0, 1.0, (8, 9, 10)).astype(np.float32)
    affine = np.array([[0, 0, 3.0, -13.5], [0, 3.0, 0, -12.123], [4.0, 0, 0, -14.321], [0, 0, 0, 1.0]])
    grid = Grid(volume.shape, affine)
    seen = line_integrals(volume, grid, ARM.view(np.zeros(3), primary, secondary), method="exact")
    turned = ARM.view(np.zeros(3), -primary, secondary)
    mirrored = line_integrals(volume[:, :, ::-1], grid, turned, method="exact")
    np.testing.assert_allclose(mirrored[:, ::-1], seen, rtol=1e-3, atol=5e-3)
