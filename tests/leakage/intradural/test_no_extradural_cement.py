"""How much of the canal's cement lies outside the sac."""

from __future__ import annotations

import pytest
from sac_scenes import crescent, dorsal_mass, read

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def test_cement_in_the_sac_alone() -> None:
    sign = read("no_extradural_cement", dorsal_mass())
    assert (sign.state, sign.value) == ("present", 0.0)
    assert "no deposit is seen" in sign.explanation


def test_cement_outside_the_sac_alone() -> None:
    sign = read("no_extradural_cement", crescent())
    assert (sign.state, sign.value) == ("absent", 1.0)


def test_cement_on_both_sides_of_the_dura() -> None:
    sign = read("no_extradural_cement", crescent(), dorsal_mass())
    assert sign.state == "absent"
    assert sign.value == pytest.approx(0.3, abs=0.2)


def test_no_cement_in_the_canal_is_no_sign() -> None:
    sign = read("no_extradural_cement")
    assert (sign.state, sign.value) == ("not_assessable", None)
