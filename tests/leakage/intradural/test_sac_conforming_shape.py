"""Blunt cement that takes the sac's shape, and cement that follows the bone."""

from __future__ import annotations

import pytest
from box_spine import ball
from sac_scenes import crescent, dorsal_mass, in_sac, read

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def test_a_blunt_mass_against_the_dura_has_the_sacs_shape() -> None:
    sign = read("sac_conforming_shape", dorsal_mass())
    assert sign.state == "present"
    assert sign.value is not None
    assert sign.value > 0.8


def test_a_crescent_along_the_bone_does_not() -> None:
    assert read("sac_conforming_shape", crescent()).state == "absent"


def test_a_small_ball_in_the_middle_of_the_sac_does_not() -> None:
    sign = read("sac_conforming_shape", in_sac(ball(0, 8.5, 32, 2.4)))
    assert (sign.state, sign.value) == ("absent", 0.0)


def test_without_cement_in_the_canal_there_is_no_shape_to_judge() -> None:
    assert read("sac_conforming_shape").state == "not_assessable"
