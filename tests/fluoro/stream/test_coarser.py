"""Pictures of large detectors: read with several pixels as one, drawn on as they came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import frames, toy_target

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.reading import Outline, Reading
from thecal.fluoro.stream.coarser import coarser, factor_of, finer
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel


@pytest.mark.parametrize(
    ("shape", "factor"), [((512, 512), 1), ((480, 640), 1), ((1024, 1024), 2), ((1440, 1440), 3)]
)
def test_a_detector_is_read_with_about_five_hundred_rows(shape, factor) -> None:
    assert factor_of(shape) == factor


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_mean_of_each_block_is_what_is_read(dtype: type) -> None:
    top = np.iinfo(dtype).max
    pixels = np.random.default_rng(2).integers(0, top, (7, 9), dtype)
    small = coarser(Frame(4, 0.5, pixels), 2)
    assert (small.number, small.time_s, small.pixels.dtype) == (4, 0.5, np.uint16)
    mean = pixels[:6, :8].reshape(3, 2, 4, 2).astype(float).mean(axis=(1, 3))
    read = small.pixels / 4.0 if dtype is np.uint8 else small.pixels.astype(float)
    np.testing.assert_allclose(read, mean, atol=0.0 if dtype is np.uint8 else 1.0)


@given(row=st.floats(0, 23), column=st.floats(0, 31), factor=st.integers(1, 4))
def test_a_line_is_drawn_where_the_same_place_of_the_c_arm_lies(row, column, factor) -> None:
    view = CArm(shape=(24 * factor, 32 * factor)).view((0.0, 0.0, 0.0), 90.0, 0.0)
    point = view.binned(factor).pixel(row, column)
    line = Outline("front", np.array([[row, column]]))
    drawn = finer(Reading(0, 0.0, "ok", "", outlines=(line,)), factor, view.shape).outlines[0]
    np.testing.assert_allclose(view.pixel(*drawn.pixels[0]), point, atol=1e-9)


class Marks:
    """Marks what is darkest on the pictures it is given."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def see(self, frame: Frame) -> Reading:
        self.shapes.append(frame.pixels.shape)
        return Reading(frame.number, frame.time_s, "ok", "", cement=frame.pixels == frame.pixels.min())


def test_cement_on_a_large_picture_is_marked_on_the_picture_as_it_came(monkeypatch) -> None:
    marks = Marks()
    monkeypatch.setattr("thecal.fluoro.front.monitor.Monitor", lambda *_, **__: marks)
    (frame,) = frames(1)
    pixels = np.full((1025, 1024), 200, np.uint8)
    pixels[300:304, 610:612] = 20
    model = PlannedModel(toy_target(), WatchOptions(view="lateral"), None)
    reading = model.see(replace(frame, pixels=pixels))
    assert marks.shapes == [(512, 512)]
    assert reading.cement is not None
    np.testing.assert_array_equal(reading.cement, pixels == 20)
