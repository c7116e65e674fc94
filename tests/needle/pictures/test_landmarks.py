"""The walls of the body and the medial line, on a patient whose shapes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.needle.outputs.needles import at_depth
from thecal.needle.pictures.landmarks import (
    body_profile,
    corridor_of,
    lateral_of_medial_line_mm,
    medial_border_mm,
    medial_line,
    pedicle_outline,
)


def test_the_body_is_outlined_from_wall_to_wall(case):
    profile = body_profile(case.spine, case.vertebra)
    back, third, front = (
        case.vertebra.frame.to_local(line) for line in (profile.posterior, profile.third, profile.anterior)
    )
    assert np.abs(back[:, 1]).max() < 1.5
    assert np.abs(front[:, 1] - 30.0).max() < 2.5
    np.testing.assert_allclose(third[:, 1], back[:, 1] + (front[:, 1] - back[:, 1]) / 3, atol=1e-6)
    assert (np.diff(back[:, 2]) < 0).all()
    np.testing.assert_allclose(back[:, 0], 0.0, atol=1e-9)


def test_the_medial_line_stands_where_the_canal_is_widest_beside_the_pedicle(case):
    for answer in case.plan.sides:
        sign = 1.0 if answer.side == "left" else -1.0
        line = case.vertebra.frame.to_local(medial_line(case.vertebra, answer.corridor))
        wall = case.vertebra.frame.to_local(answer.corridor.medial_wall)
        np.testing.assert_allclose(line[:, 0] * sign, (wall[:, 0] * sign).max(), atol=1e-9)
        outline = case.vertebra.frame.to_local(pedicle_outline(case.vertebra, answer.corridor))
        assert (outline[:, 0] * sign).min() >= line[0, 0] * sign - 1e-9
        assert line[1, 2] < outline[:, 2].min() < outline[:, 2].max() < line[0, 2]


def test_bone_that_thick_slices_join_to_the_pedicle_does_not_move_its_line(case):
    answer = case.plan.sides[0]
    frame, corridor = case.vertebra.frame, answer.corridor
    outline = frame.to_local(corridor.outline)
    lamina = outline.copy()
    lamina[outline[:, 2] < np.median(outline[:, 2]), 0] -= 8.0
    joined = replace(corridor, outline=frame.to_lps(lamina))
    assert medial_border_mm(case.vertebra, joined) == medial_border_mm(case.vertebra, corridor)
    shown = frame.to_local(pedicle_outline(case.vertebra, joined))
    assert shown[:, 0].min() >= medial_border_mm(case.vertebra, corridor) - 1e-9


def test_where_no_medial_wall_was_measured_the_isthmus_gives_the_line(case):
    corridor = replace(case.plan.sides[0].corridor, medial_wall=np.zeros((0, 3)))
    middle = case.vertebra.frame.to_local(corridor.isthmus_mm)[0]
    assert medial_border_mm(case.vertebra, corridor) == pytest.approx(middle - corridor.width_mm / 2)


@given(shift=st.floats(-12.0, 12.0))
def test_a_needle_that_is_put_more_medial_comes_nearer_to_the_line_by_as_much(case, shift):
    for answer in case.plan.sides:
        sign = 1.0 if answer.side == "left" else -1.0
        corridor = corridor_of(case.plan, answer.best)
        moved = -sign * shift * case.vertebra.frame.left
        way = replace(
            answer.best,
            entry_mm=tuple(np.asarray(answer.best.entry_mm) + moved),
            tip_mm=tuple(np.asarray(answer.best.tip_mm) + moved),
            skin_mm=None,
        )
        before = lateral_of_medial_line_mm(case.vertebra, corridor, answer.best)
        after = lateral_of_medial_line_mm(case.vertebra, corridor, way)
        assert before - after == pytest.approx(shift, abs=1e-6)


def test_through_the_middle_of_the_pedicle_the_tip_is_lateral_of_the_line_at_the_wall(case):
    for answer in case.plan.sides:
        free = lateral_of_medial_line_mm(case.vertebra, answer.corridor, answer.best)
        wall = case.vertebra.frame.to_local(at_depth(answer.best, answer.best.wall_depth_mm))
        assert wall[1] == pytest.approx(0.0, abs=1e-6)
        lateral = abs(float(wall[0]))
        expected = lateral - answer.best.gauge.outer_mm / 2 - medial_border_mm(case.vertebra, answer.corridor)
        assert free == pytest.approx(expected)
