"""Pictures are laid on each other."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from thecal.fluoro.front.in_plane import STILL, Move, Reference, coarse_shift, on_frame, warped


def _picture(seed=0):
    rng = np.random.default_rng(seed)
    return ndimage.gaussian_filter(rng.standard_normal((128, 128)), 4.0).astype(np.float32) * 4.0


def _weights():
    rows, columns = np.indices((128, 128))
    return (np.hypot(rows - 64, columns - 64) < 40).astype(np.float32)


def _moved(picture, down, right, degrees):
    """The picture of a scene that went down and right, and turned about its middle."""
    turn = np.radians(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.array([63.5, 63.5])
    back = np.hstack([matrix.T, (centre - matrix.T @ (centre + np.array([down, right])))[:, None]])
    inverse = Move(back)
    place = np.stack(np.indices(picture.shape), axis=-1).astype(float)
    at = inverse.to_picture(place)
    return ndimage.map_coordinates(picture, at.reshape(-1, 2).T, order=3, mode="nearest").reshape(128, 128)


@settings(max_examples=6)
@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-1.5, 1.5), st.floats(0.9, 1.1), st.floats(-0.2, 0.2))
def test_a_shift_a_turn_and_another_brightness_are_found(down, right, degrees, gain, offset):
    picture = _picture()
    later = (_moved(picture, down, right, degrees) * gain + offset).astype(np.float32)
    move = Reference(picture, _weights()).lay(later, STILL, 0.05)
    middle = np.array([63.5, 63.5])
    np.testing.assert_allclose(move.to_picture(middle) - middle, [down, right], atol=0.1)
    assert move.likeness > 0.95


def test_what_is_new_in_the_picture_does_not_move_the_rest():
    picture = _picture()
    later = _moved(picture, 1.0, -0.5, 0.0).astype(np.float32)
    later[55:75, 50:70] -= 2.0
    move = Reference(picture, _weights()).lay(later, STILL, 0.03)
    np.testing.assert_allclose(move.shift_px, [1.0, -0.5], atol=0.15)


def test_another_picture_is_not_like():
    move = Reference(_picture(0), _weights()).lay(_picture(1), STILL, 0.05)
    assert move.likeness < 0.5


def test_a_large_jump_is_found_roughly():
    picture = _picture()
    shift = coarse_shift(picture, np.roll(picture, (12, -9), (0, 1)), _weights())
    np.testing.assert_allclose(shift, [12, -9], atol=1.5)


def test_a_mask_comes_back_to_its_place_on_the_frame():
    mask = np.zeros((32, 32), bool)
    mask[10:14, 20:24] = True
    move = Move(np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -3.0]]))
    rows, columns = np.nonzero(on_frame(move, mask, (64, 64), 2))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (24, 31, 34, 41)


def test_beyond_its_edge_a_picture_says_nothing():
    laid = warped(_picture(), np.array([[1.0, 0.0, 5.0], [0.0, 1.0, 0.0]]))
    assert np.isnan(laid[-3:]).all()
    assert np.isfinite(laid[:-6]).all()
