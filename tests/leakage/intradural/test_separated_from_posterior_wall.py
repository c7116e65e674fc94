"""A gap between cement and the posterior wall."""

from __future__ import annotations

import pytest
from sac_scenes import crescent, dorsal_mass, read

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def test_a_mass_in_the_back_of_the_sac_is_parted_from_the_wall() -> None:
    sign = read("separated_from_posterior_wall", dorsal_mass())
    assert (sign.state, sign.value) == ("present", 1.0)


def test_a_crescent_on_the_wall_is_not() -> None:
    sign = read("separated_from_posterior_wall", crescent())
    assert sign.state == "absent"
    assert sign.value == pytest.approx(0.0, abs=0.15)


def test_a_fat_gap_between_the_two_counts_also_where_epidural_cement_lies_before_it() -> None:
    assert (
        read("separated_from_posterior_wall", crescent(thick=1.5), dorsal_mass(front=7.0)).state == "present"
    )
