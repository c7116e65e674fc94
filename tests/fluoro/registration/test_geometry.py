"""Steps, clicks, errors and gradients mean what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import reprojection_error_mm
from thecal.fluoro.registration.clicked import pose_from_clicks
from thecal.fluoro.registration.gradients import gradients
from thecal.fluoro.registration.steps import axes, flow, moved, step_between
from thecal.fluoro.registration.usable import why_not

CENTRE = np.array([10.0, -20.0, 300.0])
ANGLES = st.floats(-180.0, 180.0)
SHIFT, TURN = st.floats(-15.0, 15.0), st.floats(-20.0, 20.0)


@settings(max_examples=40)
@given(ANGLES, st.floats(-40.0, 40.0), st.tuples(SHIFT, SHIFT, SHIFT, TURN, TURN, TURN))
def test_a_step_there_is_read_back(primary: float, secondary: float, step: tuple[float, ...]) -> None:
    view = CArm().view(CENTRE, primary, secondary)
    pose = moved(Pose.still(), view, CENTRE, step)
    assert np.allclose(step_between(CENTRE, view, Pose.still(), pose), step, atol=1e-6)


@settings(max_examples=40)
@given(ANGLES, st.floats(-40.0, 40.0), st.tuples(SHIFT, SHIFT, st.floats(-40.0, 40.0), TURN))
def test_two_clicks_give_the_pose_that_draws_the_places_there(
    primary: float, secondary: float, step: tuple[float, ...]
) -> None:
    view = CArm().view(CENTRE, primary, secondary)
    unit = axes(view)
    places = np.stack([CENTRE, CENTRE + 20.0 * unit[0] + 12.0 * unit[1]])
    truth = moved(Pose.still(), view, CENTRE, [*step[:3], 0.0, 0.0, step[3]])
    clicks = view.project(truth.apply(places))
    pose = pose_from_clicks(view, clicks[0], clicks[1], places)
    assert np.allclose(view.project(pose.apply(places)), clicks, atol=0.05)


@settings(max_examples=40)
@given(ANGLES, st.tuples(SHIFT, SHIFT, TURN), st.floats(0.9, 1.1))
def test_where_the_size_is_known_two_clicks_say_where_and_how_turned_but_not_how_deep(
    primary: float, step: tuple[float, float, float], size: float
) -> None:
    view = CArm().view(CENTRE, primary)
    unit = axes(view)
    places = np.stack([CENTRE - 15.0 * unit[0], CENTRE + 15.0 * unit[0]])
    truth = moved(Pose.still(), view, CENTRE, [*step[:2], 0.0, 0.0, 0.0, step[2]])
    clicks = view.project(truth.apply(places))
    wide = clicks.mean(0) + size * (clicks - clicks.mean(0))
    pose = pose_from_clicks(view, wide[0], wide[1], places, size_known=True)
    assert reprojection_error_mm(places, view, truth, pose) < 0.1
    assert abs(step_between(CENTRE, view, Pose.still(), pose)[2]) < 0.5


def test_two_clicks_on_one_place_are_refused_in_a_sentence() -> None:
    view = CArm().view(CENTRE, 90.0)
    places = np.stack([CENTRE, CENTRE + np.array([0.0, 0.0, 30.0])])
    with pytest.raises(InputError, match="too near"):
        pose_from_clicks(view, (250, 250), (251, 250), places)


@settings(max_examples=40)
@given(ANGLES, st.tuples(SHIFT, SHIFT))
def test_a_shift_in_the_plane_is_an_error_of_its_own_length(
    primary: float, shift: tuple[float, float]
) -> None:
    view = CArm().view(CENTRE, primary)
    pose = moved(Pose.still(), view, CENTRE, [*shift, 0.0, 0.0, 0.0, 0.0])
    points = CENTRE + np.random.default_rng(0).normal(0.0, 1.0, (50, 3))
    error = reprojection_error_mm(points, view, Pose.still(), pose)
    assert error == pytest.approx(np.hypot(*shift), rel=0.02, abs=1e-6)


def test_depth_hardly_changes_the_picture() -> None:
    view = CArm().view(CENTRE, 90.0)
    points = CENTRE + np.random.default_rng(0).normal(0.0, 15.0, (200, 3))
    deep = moved(Pose.still(), view, CENTRE, [0.0, 0.0, 10.0, 0.0, 0.0, 0.0])
    assert reprojection_error_mm(points, view, Pose.still(), deep) < 0.5


@settings(max_examples=30)
@given(ANGLES, st.tuples(SHIFT, SHIFT, st.floats(-3.0, 3.0)))
def test_the_flow_of_a_step_is_how_a_flat_thing_moves(primary: float, step: tuple[float, ...]) -> None:
    view = CArm(shape=(64, 64), pitch_mm=2.0).view(CENTRE, primary)
    whole = [step[0], step[1], 0.0, 0.0, 0.0, step[2]]
    unit = axes(view)
    places = CENTRE + np.array([[0, 0], [15, 0], [0, 15], [-12, 9]]) @ unit[:2]
    before = view.project(places)
    after = view.project(moved(Pose.still(), view, CENTRE, whole).apply(places))
    field = flow(CENTRE, view, Pose.still(), whole)
    place = np.indices(view.shape)
    # A linear field: fit it by its own values and read it at the places.
    design = np.stack([np.ones(64 * 64), place[0].ravel(), place[1].ravel()], 1)
    fitted = np.linalg.lstsq(design, field.reshape(2, -1).T, rcond=None)[0]
    at = np.concatenate([np.ones((4, 1)), before], 1) @ fitted
    assert np.allclose(at, after - before, atol=0.02)


@settings(max_examples=20)
@given(st.floats(0.2, 20.0), st.floats(-100.0, 100.0))
def test_the_display_window_does_not_change_what_is_compared(gain: float, level: float) -> None:
    image = np.random.default_rng(1).normal(size=(40, 50))
    plain = gradients(image, 1.0, 1.0)
    assert np.allclose(plain, gradients(gain * image + level, 1.0, 1.0), atol=1e-3)
    assert np.allclose(plain, -gradients(-gain * image, 1.0, 1.0), atol=1e-3)


def test_a_usable_picture_has_nothing_to_say() -> None:
    image = (np.random.default_rng(1).uniform(size=(64, 64)) * 255).astype(np.uint8)
    assert why_not(image, (64, 64)) == ""
