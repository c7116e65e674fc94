"""How the C-arm stands: what the user says goes before what the source states, and is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_in import frames, toy_target

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.reading import Outline, Reading
from thecal.fluoro.sources.arrival import SourceGeometry
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel
from thecal.fluoro.stream.standing import Standing, standing

SHAPE = (96, 128)
ZEROS = SourceGeometry(1000.0, 620.0, 0.4, 0.0, 0.0, SHAPE)
"""As a mobile C-arm writes that measures no angle."""
MIDDLE = toy_target().frame.to_lps((0.0, 4.0, 0.0))


def stands(geometry: SourceGeometry | None = ZEROS, **options: object) -> Standing:
    return standing(toy_target(), WatchOptions(**options), geometry, SHAPE)


def same(stood: Standing, primary: float, secondary: float) -> bool:
    view = CArm(1000.0, 620.0, 0.4, SHAPE).view(MIDDLE, primary, secondary)
    return all(
        np.allclose(getattr(stood.view, name), getattr(view, name))
        for name in ("source", "corner", "along_row", "along_column")
    )


def test_a_lateral_view_by_option_goes_before_stated_zeros_and_says_so() -> None:
    stood = stands(view="lateral")
    assert same(stood, 90.0, 0.0)
    assert stood.overruled == ("angles 90 and 0 degrees (stated: 0 and 0)",)


def test_a_stated_lateral_view_from_the_right_stays_from_the_right() -> None:
    stood = stands(replace(ZEROS, primary_deg=-88.5), view="lateral")
    assert same(stood, -88.5, 0.0)
    assert stood.overruled == ()


def test_a_detector_at_her_right_can_be_said() -> None:
    assert same(stands(primary_deg=-90.0, secondary_deg=3.0), -90.0, 3.0)
    assert same(stands(replace(ZEROS, primary_deg=None), view="lateral", primary_deg=-90.0), -90.0, 0.0)
    with pytest.raises(InputError, match="--primary lies between"):
        stands(primary_deg=270.0)
    with pytest.raises(InputError, match="--secondary needs --primary"):
        stands(None, secondary_deg=5.0)


def test_on_an_ap_view_she_lies_prone_unless_it_is_said_otherwise() -> None:
    unstated = replace(ZEROS, primary_deg=None, secondary_deg=None)
    for geometry in (unstated, ZEROS):
        prone = stands(geometry, view="ap")
        assert same(prone, 180.0, 0.0)
        assert any("prone" in words for words in prone.assumed)
        assert same(stands(geometry, view="ap", supine=True), 0.0, 0.0)
    assert same(stands(replace(ZEROS, primary_deg=175.0), view="ap"), 175.0, 0.0)
    assert same(stands(replace(ZEROS, primary_deg=4.0), view="ap"), 4.0, 0.0)
    with pytest.raises(InputError, match="--supine goes with --view ap"):
        stands(view="lateral", supine=True)


def test_a_distance_by_option_goes_before_a_stated_one() -> None:
    stood = stands(sid_mm=1100.0)
    assert stood.view.sid_mm == pytest.approx(1100.0)
    assert stood.overruled == ("source to detector 1100 mm (stated: 1000 mm)",)


def test_a_file_that_says_its_pictures_were_flipped_needs_a_word() -> None:
    with pytest.raises(InputError, match="--flip where they are mirrored"):
        stands(replace(ZEROS, mirrored=True))
    assert same(stands(replace(ZEROS, mirrored=True), flip=False), 0.0, 0.0)


@given(
    st.floats(0.0, 95.0),
    st.floats(0.0, 127.0),
    st.floats(-180.0, 180.0),
    st.floats(-40.0, 40.0),
    st.booleans(),
)
def test_a_body_off_the_middle_is_looked_for_where_it_is_seen(
    row: float, column: float, primary: float, secondary: float, flip: bool
) -> None:
    view = stands(at=(row, column), primary_deg=primary, secondary_deg=secondary, flip=flip).view
    drawn = view.project(MIDDLE)
    seen = 127.0 - column if flip else column
    np.testing.assert_allclose(drawn, (row, seen), atol=1e-6)


@given(st.floats(-30.0, 30.0), st.booleans())
def test_clicked_walls_say_where_the_body_lies_and_how_it_is_turned(degrees: float, flip: bool) -> None:
    target = replace(toy_target(), depth_mm=30.0)
    walls = target.frame.to_lps([(0.0, 0.0, 0.0), (0.0, target.depth_mm, 0.0)])
    plain = standing(target, WatchOptions(view="lateral"), None, SHAPE).view
    truth = Pose.about(walls.mean(0), [degrees, 0.0, 0.0], [0.0, 6.0, -4.0])
    seen = plain.project(truth.apply(walls))
    if flip:
        seen[:, 1] = 127.0 - seen[:, 1]
    options = WatchOptions(view="lateral", flip=flip, walls=tuple(float(x) for x in seen.ravel()))
    model = PlannedModel(target, options, None)
    view = standing(target, options, None, SHAPE).view
    start = model._start(view)
    drawn = view.project(start.apply(walls))
    if flip:
        drawn[:, 1] = 127.0 - drawn[:, 1]
    np.testing.assert_allclose(drawn, seen, atol=0.2)


def test_a_place_outside_the_picture_is_refused() -> None:
    with pytest.raises(InputError, match="outside the picture of 96 x 128"):
        stands(at=(96.0, 3.0))


def test_a_mirrored_picture_is_read_the_right_way_round_and_drawn_on_as_it_came(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = []

    class Sees:
        def see(self, frame: Frame) -> Reading:
            shown.append(frame.pixels)
            mask = np.zeros(frame.pixels.shape, bool)
            mask[3, 5] = True
            line = Outline("front", np.array([[3.0, 5.0]]))
            return Reading(frame.number, frame.time_s, "ok", "Seen", outlines=(line,), cement=mask)

    monkeypatch.setattr(PlannedModel, "_begun", lambda self, frame: Sees())
    (came,) = frames(1)
    reading = PlannedModel(toy_target(), WatchOptions(view="lateral", flip=True), None).see(came)
    np.testing.assert_array_equal(shown[0], came.pixels[:, ::-1])
    np.testing.assert_array_equal(reading.outlines[0].pixels, [[3.0, 90.0]])
    assert reading.cement is not None
    assert np.argwhere(reading.cement).tolist() == [[3, 90]]


def test_where_the_first_picture_says_how_the_c_arm_stands_it_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    views = []

    class Sees:
        def see(self, frame: Frame) -> Reading:
            return Reading(frame.number, frame.time_s, "ok", "Seen")

    def begun(self: PlannedModel, frame: Frame) -> Sees:
        views.append(self._stands(frame).view)
        return Sees()

    monkeypatch.setattr(PlannedModel, "_begun", begun)
    with pytest.raises(InputError, match="--view lateral or --view ap"):
        PlannedModel(toy_target(), WatchOptions(), None)
    model = PlannedModel(toy_target(), WatchOptions(), None, later=True)
    first, second = frames(2)
    blind = model.see(first)
    assert blind.level == "lost"
    assert "--view lateral or --view ap" in blind.why
    where = SourceGeometry(1000.0, 620.0, 0.4, -90.0, 0.0, (96, 96))
    assert model.see(replace(second, geometry=where)).level == "ok"
    assert views[0].source[0] > MIDDLE[0]


def test_black_bars_beside_a_picture_do_not_make_its_pixels_smaller() -> None:
    square, bars = (
        standing(toy_target(), WatchOptions(view="lateral"), None, s) for s in ((96, 96), (96, 170))
    )
    pitch = [words for words in square.assumed if words.startswith("pixel pitch")]
    assert pitch == [words for words in bars.assumed if words.startswith("pixel pitch")]
    assert pitch[0] in bars.size_assumed
    assert "an exactly lateral view" in bars.assumed
    assert "an exactly lateral view" not in bars.size_assumed
