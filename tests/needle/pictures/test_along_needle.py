"""The cuts along a needle hold it whole, at its true length."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plans import words_on

from thecal.needle.outputs.needles import at_depth, depth_marks, needles_of
from thecal.needle.pictures.along_needle import along_needle_picture, needle_cuts, on_cut
from thecal.needle.pictures.kept_away import KeptAway, outlines_on
from thecal.needle.search.keep_away import FOREIGN
from thecal.terms import RESEARCH_USE


def _tilted(case, aside: float, up: float, forward: float):
    """A needle to the middle of the body from any side and height."""
    frame = case.vertebra.frame
    tip = frame.to_lps((0.0, 22.0, 0.0))
    entry = frame.to_lps((aside, 22.0 - forward, up))
    wall = 22.0 * float(np.linalg.norm(tip - entry)) / forward
    length = float(np.linalg.norm(tip - entry))
    return replace(
        case.plan.single,
        skin_mm=None,
        skin_depth_mm=None,
        entry_mm=tuple(entry.tolist()),
        tip_mm=tuple(tip.tolist()),
        wall_depth_mm=length - wall,
        tip_depth_mm=length,
    )


@given(st.floats(-60.0, 60.0), st.floats(-40.0, 40.0), st.floats(40.0, 90.0))
def test_both_cuts_hold_the_whole_needle_at_its_true_length(case, aside, up, forward):
    way = _tilted(case, aside, up, forward)
    for cut in needle_cuts(case.vertebra, way):
        normal = np.cross(cut.points[0, -1] - cut.points[0, 0], cut.points[-1, 0] - cut.points[0, 0])
        normal /= np.linalg.norm(normal)
        ends = np.array([way.entry_mm, way.tip_mm])
        np.testing.assert_allclose((ends - cut.points[0, 0]) @ normal, 0.0, atol=1e-6)
        length = np.linalg.norm(on_cut(cut, ends[1]) - on_cut(cut, ends[0]))
        assert length == pytest.approx(way.tip_depth_mm, abs=1e-6)
        np.testing.assert_allclose(on_cut(cut, at_depth(way, way.wall_depth_mm)), 0.0, atol=1e-6)


def test_the_cuts_are_seen_as_radiologists_look(case):
    axial, sagittal = needle_cuts(case.vertebra, case.plan.single)
    frame = case.vertebra.frame
    across = axial.points[0, -1] - axial.points[0, 0]
    assert across @ frame.left > 0
    assert (axial.points[0, 0] - axial.points[-1, 0]) @ frame.anterior > 0
    assert (sagittal.points[0, 0] - sagittal.points[0, -1]) @ frame.anterior > 0
    assert (sagittal.points[0, 0] - sagittal.points[-1, 0]) @ frame.cranial > 0


def test_the_marks_stand_in_their_order_on_the_needle(case):
    for needle in needles_of(case.plan):
        depths = [mark.depth_mm for mark in depth_marks(needle.way)]
        assert depths == sorted(depths)
        assert depths[-1] == pytest.approx(needle.way.tip_depth_mm)
        np.testing.assert_allclose(depth_marks(needle.way)[-1].at_mm, needle.way.tip_mm, atol=1e-9)


def test_beside_the_pedicle_the_plane_of_the_wall_may_come_before_the_bone(case):
    skin = {"skin_mm": (0.0, 60.0, -800.0), "skin_depth_mm": 40.0}
    way = replace(case.plan.single, **skin, wall_depth_mm=37.0, tip_depth_mm=80.0)
    assert [mark.words for mark in depth_marks(way)] == ["skin", "posterior wall", "bone", "tip"]
    unseen = replace(way, skin_mm=None, skin_depth_mm=None, wall_depth_mm=-3.0)
    assert [mark.words for mark in depth_marks(unseen)] == ["bone", "tip"]


def test_the_picture_names_its_marks_and_its_lines_and_its_use(case):
    needle = needles_of(case.plan)[0]
    picture = along_needle_picture(case.volume, case.spine, case.vertebra, case.plan, needle)
    for mark in depth_marks(needle.way):
        assert f"{mark.words} {mark.depth_mm:.0f}" in words_on(picture)
    assert RESEARCH_USE in picture.svg
    assert "solid white: wall of the canal" in picture.caption.lower()


def test_cement_that_is_there_already_is_outlined_where_a_cut_meets_it(case):
    needle = needles_of(case.plan)[0]
    axial, _ = needle_cuts(case.vertebra, needle.way)
    grid = case.spine.grid
    away = np.linalg.norm(grid.to_lps(np.argwhere(np.ones(grid.shape, bool))) - needle.way.tip_mm, axis=1)
    ball = KeptAway(FOREIGN, (away < 5.0).reshape(grid.shape), grid)
    (outline,) = [found for found in outlines_on(axial, case.spine, (ball,)) if found[0] == FOREIGN]
    at = np.concatenate([np.stack(line, axis=1) for line in outline[2]])
    np.testing.assert_allclose(np.linalg.norm(at - on_cut(axial, needle.way.tip_mm), axis=1), 5.0, atol=1.0)
    picture = along_needle_picture(case.volume, case.spine, case.vertebra, case.plan, needle, (ball,))
    assert "cement or metal that is there already" in picture.caption
