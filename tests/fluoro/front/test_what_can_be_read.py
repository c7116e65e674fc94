"""Pictures that look well but cannot warn: held, clipped, zoomed, dimmed."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.fluoro.front.baseline import smooth
from thecal.fluoro.front.in_plane import STILL, Move
from thecal.fluoro.front.readable import clipped, clipped_ends
from thecal.fluoro.front.steadiness import Steadiness

SHAPE = (64, 64)
WEIGHTS = np.ones(SHAPE, np.float32)


def _noisy(seed, sd):
    return smooth(np.random.default_rng(seed).normal(0.0, sd, SHAPE).astype(np.float32))


@pytest.fixture
def learned():
    steady = Steadiness()
    for k in range(16):
        steady.learn(_noisy(k, 0.05), WEIGHTS, 0.2 * k)
    return steady


def test_pictures_that_go_on_wavering_as_before_are_not_held(learned):
    assert not any(learned.held(_noisy(50 + k, 0.05), WEIGHTS, 3.2 + 0.2 * k) for k in range(20))


def test_a_held_picture_is_told_though_its_storing_adds_noise_and_a_clock_ticks(learned):
    def shown(k):
        picture = _noisy(50, 0.05) + _noisy(60 + k, 0.004)
        picture[:8, :20] += 0.1 * k
        return picture

    held = [learned.held(shown(k), WEIGHTS, 3.2 + 0.2 * k) for k in range(8)]
    assert not held[0]
    assert held[-1]


def test_a_zoom_a_dimming_and_a_fall_of_likeness_are_another_scene():
    steady = Steadiness()
    picture = np.zeros(SHAPE, np.float32)
    like = Move(STILL.matrix, likeness=0.9)
    for _ in range(5):
        assert steady.other(picture, WEIGHTS, like) == ""
    zoomed = Move(np.array([[1.06, 0.0, 0.0], [0.0, 1.06, 0.0]]), likeness=0.9)
    assert "scale" in steady.other(picture, WEIGHTS, zoomed)
    assert "brightness" in steady.other(picture - np.float32(np.log(2.0)), WEIGHTS, like)
    assert "unlike" in steady.other(picture, WEIGHTS, Move(STILL.matrix, likeness=0.6))
    assert steady.other(picture, WEIGHTS, like) == ""


def test_a_plateau_below_burnt_in_text_is_clipped():
    greys = np.random.default_rng(0).normal(150.0, 40.0, (128, 128))
    pixels = np.clip(greys, 1, 220).astype(np.uint8)
    pixels[:6, :20] = 255
    assert clipped_ends(pixels) == (0, 220)
    bright = clipped(pixels)[1]
    assert bright[3:].mean() == pytest.approx((pixels[6::2, ::2] >= 220)[:].mean() ** 2, abs=0.02)


def test_a_picture_that_is_not_clipped_has_no_plateau():
    pixels = np.random.default_rng(0).normal(128.0, 30.0, (128, 128)).clip(20, 240).astype(np.uint8)
    low, high = clipped_ends(pixels)
    assert low == 0
    assert high == pixels.max()
