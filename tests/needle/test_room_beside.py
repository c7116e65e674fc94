"""The room beside a pedicle is the gap that is there, and its bound is named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from patients import PEDICLE_X, PEDICLE_Z, plain_block, plan_of

from thecal.needle.outputs.words import beside_words
from thecal.needle.room_beside import MOST_MM, room_beside
from thecal.needle.search.keep_away import FAR, FAR_LOW_MM, FAR_STEP_MM, LUNG, RIB

AT = (PEDICLE_X, PEDICLE_Z)


def with_wall(kind: str, lateral_mm: float):
    """The plain vertebra with something that fills all beyond a lateral distance."""
    keep = plain_block()
    x = FAR_LOW_MM[0] + FAR_STEP_MM * np.arange(keep.far.shape[1])
    far = keep.far.copy()
    far[FAR.index(kind)] = np.maximum(lateral_mm - x, 0.0)[:, None, None]
    return replace(keep, far=far)


def test_with_nothing_beside_it_there_is_more_room_than_is_told():
    found = room_beside(plain_block(), "left", AT)
    assert (found.room_mm, found.nearest) == (MOST_MM, "")


@pytest.mark.parametrize("gap_mm", [3.0, 6.0])
def test_between_body_and_lung_there_is_the_gap_between_them(gap_mm):
    """The body's side wall, 20 mm off the middle, bounds it before the posterior wall."""
    found = room_beside(with_wall(LUNG, 20.0 + gap_mm), "left", AT)
    assert found.nearest == "lung"
    assert found.room_mm == pytest.approx(gap_mm, abs=1.0)


def test_a_lung_against_the_side_wall_leaves_no_room():
    found = room_beside(with_wall(LUNG, 19.0), "left", AT)
    assert found.room_mm < 0.5
    assert room_beside(with_wall(LUNG, 19.0), "right", AT).room_mm == MOST_MM


def test_a_rib_may_be_rubbed_on_and_so_leaves_more_room_than_a_lung():
    rib, lung = (room_beside(with_wall(kind, 24.0), "left", AT).room_mm for kind in (RIB, LUNG))
    assert rib == pytest.approx(lung + 1.5, abs=0.8)


def test_a_plan_tells_the_room_of_each_side():
    plan = plan_of("L1")
    assert all(answer.beside is not None for answer in plan.sides)
    assert beside_words(plan, "left")[0].isdigit()
