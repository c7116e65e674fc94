"""What is wrong with a stream of pictures is named, and a good picture is never called bad."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_in import SIZE, frames, picture

from thecal.fluoro.frame import Frame
from thecal.fluoro.stream.watchdog import Watchdog


def after_good(frame: Frame, good: int = 5) -> str | None:
    dog = Watchdog()
    for earlier in frames(good):
        assert dog.look(earlier).fault is None
    fault = dog.look(frame).fault
    return fault.kind if fault else None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_injection_without_faults_has_none(dtype: type) -> None:
    dog = Watchdog()
    assert all(dog.look(frame).fault is None for frame in frames(60, dtype=dtype))


def test_a_black_picture_is_black() -> None:
    noise = np.random.default_rng(1).normal(40.0, 4.0, (SIZE, SIZE)).clip(0).astype(np.uint16)
    assert after_good(Frame(5, 0.7, np.zeros((SIZE, SIZE), np.uint16))) == "black"
    assert after_good(Frame(5, 0.7, noise)) == "black"


def test_the_first_picture_may_be_black_too() -> None:
    assert Watchdog().look(Frame(0, 0.0, np.zeros((SIZE, SIZE), np.uint8))).fault.kind == "black"


def test_a_picture_of_one_light_grey_shows_nothing() -> None:
    assert after_good(Frame(5, 0.7, np.full((SIZE, SIZE), 4000, np.uint16))) == "flat"


def test_an_overexposed_picture_is_saturated() -> None:
    pixels = np.minimum(picture(5, grown=40) * np.uint16(3), 4095).astype(np.uint16)
    assert after_good(Frame(5, 0.7, pixels)) == "saturated"


def test_collimation_is_not_saturation() -> None:
    pixels = picture(5)
    pixels[:, :20] = 0
    pixels[:, -20:] = 0
    assert after_good(Frame(5, 0.7, pixels)) is None


def test_a_picture_turned_over_is_inverted_until_it_turns_back() -> None:
    dog = Watchdog()
    for frame in frames(5):
        dog.look(frame)
    for frame in frames(3, start=5):
        assert dog.look(replace(frame, pixels=4095 - frame.pixels)).fault.kind == "inverted"
    assert dog.look(frames(1, start=8)[0]).fault is None


def test_another_view_is_not_an_inverted_one() -> None:
    turned = picture(5).T.copy()
    assert after_good(Frame(5, 0.7, turned)) is None


def test_a_picture_of_another_size_is_refused() -> None:
    assert after_good(Frame(5, 0.7, np.zeros((SIZE, SIZE // 2), np.uint16))) == "wrong_size"
    assert after_good(Frame(5, 0.7, np.zeros((SIZE, SIZE, 3), np.uint8))) == "wrong_size"


def test_a_picture_that_comes_twice_or_stands_still_is_no_news() -> None:
    last = frames(5)[-1]
    assert after_good(last) == "repeated"
    assert after_good(Frame(5, 0.7, last.pixels.copy())) == "repeated"


def test_missing_pictures_are_counted_and_the_next_is_read() -> None:
    dog = Watchdog()
    dog.look(frames(1)[0])
    seen = dog.look(frames(1, start=4)[0])
    assert (seen.fault.kind, seen.fault.usable, seen.fault.text) == (
        "missing",
        True,
        "3 pictures are missing",
    )


def test_a_late_picture_is_left_out_and_a_source_that_counts_anew_is_followed() -> None:
    dog = Watchdog()
    for frame in frames(20):
        dog.look(frame)
    assert dog.look(frames(1, start=12)[0]).fault.kind == "out_of_order"
    assert dog.look(frames(1, start=20)[0]).fault is None
    faults = [dog.look(frame) for frame in frames(6, seed=9)]
    assert [seen.fault.kind if seen.fault else None for seen in faults] == ["out_of_order"] * 3 + [None] * 3
    assert [seen.frame.number for seen in faults[3:]] == [21, 22, 23]
    assert faults[3].frame.time_s > 20 / 7.5


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.floats(0.0, 10.0), st.integers(0, 3)), min_size=1, max_size=40)
)
def test_whatever_comes_the_pictures_that_are_read_go_forward(script: list[tuple[int, float, int]]) -> None:
    """The picture model is promised growing numbers and times, whatever the source does."""
    dog = Watchdog()
    read: list[Frame] = []
    for number, time_s, seed in script:
        seen = dog.look(Frame(number, time_s, picture(number, seed=seed)))
        if seen.fault is None or seen.fault.usable:
            read.append(seen.frame)
    for before, after in pairwise(read):
        assert after.number > before.number
        assert after.time_s >= before.time_s
