"""Cement in the sac at levels that were not treated."""

from __future__ import annotations

import pytest
from box_spine import toy
from sac_scenes import FINE, crescent, dorsal_mass, read, signs

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def test_cement_in_the_sac_at_two_levels_has_spread() -> None:
    sign = read("multilevel_spread", dorsal_mass(5, 40))
    assert (sign.state, sign.value) == ("present", 1.0)
    assert "L1" in sign.explanation


def test_cement_in_the_sac_at_the_treated_level_alone_has_not() -> None:
    sign = read("multilevel_spread", dorsal_mass())
    assert (sign.state, sign.value) == ("absent", 0.0)


def test_cement_that_just_passes_the_border_of_a_level_has_not() -> None:
    assert read("multilevel_spread", dorsal_mass(14, 40)).state == "absent"


def test_epidural_cement_over_two_levels_is_no_spread_within_the_sac() -> None:
    sign = read("multilevel_spread", crescent(2, 42))
    assert (sign.state, sign.value) == ("absent", 0.0)


def test_where_no_body_holds_cement_the_fullest_level_counts_as_treated() -> None:
    assert signs(toy(dorsal_mass(5, 40), spacing=FINE))["multilevel_spread"].value == 1.0
