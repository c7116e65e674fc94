"""The way of a needle past the canal or through its wall."""

from __future__ import annotations

import pytest
from box_spine import rod
from sac_scenes import read


def test_a_cast_through_the_canals_corner_is_a_medial_puncture() -> None:
    # Ends 4 mm behind the body; the line runs on through the corner of the canal.
    sign = read("medial_puncture", rod((14.0, 20, 32), (10.5, 6, 32), 1.3))
    assert sign.state == "present"
    assert sign.value is not None
    assert sign.value < -1


def test_a_cast_along_the_pedicles_axis_keeps_clear_but_clears_nobody() -> None:
    sign = read("medial_puncture", rod((17.0, 25, 32), (15.5, 4, 32), 1.3))
    assert sign.state == "not_assessable"
    assert sign.value == pytest.approx(3.0, abs=1.2)
    assert "are not seen" in sign.explanation


def test_a_short_cast_far_behind_is_too_uncertain_to_accuse() -> None:
    sign = read("medial_puncture", rod((13.5, 21, 32), (13.5, 13, 32), 1.3))
    assert sign.state == "not_assessable"


def test_without_a_cast_nothing_is_said() -> None:
    sign = read("medial_puncture")
    assert (sign.state, sign.value) == ("not_assessable", None)
