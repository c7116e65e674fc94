from __future__ import annotations

import pytest

from thecal.errors import InputError
from thecal.needle.search.keep_away import FAR, LUNG, MEDIAL, NEAR, RIB
from thecal.needle.search.rules import rules


def test_a_margin_below_one_millimetre_is_refused():
    with pytest.raises(InputError, match="least that a plan keeps"):
        rules("transpedicular", 3.1, 0.5)
    with pytest.raises(InputError):
        rules("transpedicular", 3.1, float("nan"))


def test_the_margin_is_that_of_the_medial_wall_and_lung_has_a_wider_one():
    rule = rules("extrapedicular", 3.1, 1.5)
    assert rule.need_near[NEAR.index(MEDIAL)] == 1.5
    assert rule.need_far[FAR.index(LUNG)] > 1.5
    assert rule.need_far[FAR.index(RIB)] < 0.0
