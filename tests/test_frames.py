"""Places along and around the canal, and in a vertebra's own box, return to where they came from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.frames import CanalFrame, VertebraFrame

LENGTH_MM = 120.0


def kyphosis(bend: float, sway: float) -> CanalFrame:
    """A canal 120 mm long that bends backward by ``bend`` mm and sways to the left by ``sway`` mm."""
    t = np.linspace(0, 1, 30)
    return CanalFrame.through(
        np.stack([sway * np.sin(np.pi * t), bend * np.sin(np.pi * t), LENGTH_MM * t], axis=1)
    )


@settings(max_examples=40, deadline=None)
@given(
    bend=st.floats(-18, 18),
    sway=st.floats(-10, 10),
    at=st.floats(0.1, 0.9),
    theta=st.floats(-3.1, 3.1),
    r=st.floats(1.0, 14.0),
)
def test_canal_coordinates_lead_back_to_the_place(bend, sway, at, theta, r):
    frame = kyphosis(bend, sway)
    i = int(at * (len(frame.s_mm) - 1))
    place = frame.points[i] + r * frame.outward([theta])[i, 0]
    s, angle, radius = (float(v[0]) for v in frame.locate(place))
    assert s == pytest.approx(frame.s_mm[i], abs=0.1)
    assert radius == pytest.approx(r, abs=0.1)
    assert np.angle(np.exp(1j * (angle - theta))) * r == pytest.approx(0, abs=0.2)


@settings(max_examples=20, deadline=None)
@given(bend=st.floats(-18, 18), sway=st.floats(-10, 10))
def test_the_canals_frame_is_right_angled_and_does_not_twist(bend, sway):
    frame = kyphosis(bend, sway)
    assert np.allclose(np.cross(frame.left, frame.posterior), frame.cranial, atol=1e-9)
    assert np.allclose(np.diff(frame.s_mm), frame.step_mm)
    turn = np.einsum("ij,ij->i", np.diff(frame.left, axis=0), frame.posterior[1:])
    assert np.abs(turn).max() < 1e-2
    assert (frame.cranial[:, 2] > 0.8).all()


def test_anterior_is_angle_zero_and_left_a_quarter_turn():
    frame = kyphosis(0, 0)
    _, theta, r = frame.locate([[0, -9, 60], [9, 0, 60], [0, 9, 60.0]])
    assert np.allclose(np.abs(theta), [0, np.pi / 2, np.pi], atol=1e-6)
    assert theta[1] > 0
    assert np.allclose(r, 9)


@given(
    origin=st.tuples(*[st.floats(-200, 200)] * 3),
    tilt=st.floats(-0.6, 0.6),
    lean=st.floats(-0.6, 0.6),
    place=st.tuples(*[st.floats(-60, 60)] * 3),
)
def test_a_vertebras_own_coordinates_lead_back_to_the_place(origin, tilt, lean, place):
    frame = VertebraFrame.from_axes(origin, [np.sin(tilt), np.sin(lean), 1.0], [1.0, 0.1, 0])
    assert np.allclose(frame.to_lps(frame.to_local(place)), place, atol=1e-9)
    assert np.allclose(frame.to_local(frame.origin + 3 * frame.anterior), [0, 3, 0], atol=1e-9)
    assert frame.anterior[1] < 0
