"""The walls of the body and the medial line, on a patient whose shapes are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.needle.landmarks import (
    body_profile,
    corridor_of,
    lateral_of_medial_line_mm,
    medial_border_mm,
    medial_line,
)
from thecal.needle.needles import at_depth


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


def test_the_medial_line_touches_the_pedicle_at_its_inner_border(case):
    for answer in case.plan.sides:
        local = case.vertebra.frame.to_local(medial_line(case.vertebra, answer.corridor))
        sign = 1.0 if answer.side == "left" else -1.0
        outline = case.vertebra.frame.to_local(answer.corridor.outline)
        np.testing.assert_allclose(local[:, 0] * sign, (outline[:, 0] * sign).min(), atol=1e-9)
        assert local[0, 2] > outline[:, 2].max()
        assert local[1, 2] < outline[:, 2].min()


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
