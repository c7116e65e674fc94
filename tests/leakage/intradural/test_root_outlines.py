"""Roots as thin dark lines in cement."""

from __future__ import annotations

import pytest
from box_spine import rod
from sac_scenes import dorsal_mass, read, sheets, without

pytestmark = pytest.mark.usefixtures("no_needles_sought")

ROOTS = [rod((x, y, 22), (x, y, 42), 0.75) for x, y in ((-3, 11), (1.5, 9.5), (4, 11.5))]


def test_roots_that_run_through_the_cement_are_counted() -> None:
    sign = read("root_outlines", without(dorsal_mass(front=6.0), *ROOTS))
    assert (sign.state, sign.value) == ("present", 3.0)


def test_roots_that_lean_are_counted_too() -> None:
    leaning = [rod((x, 10.5, 22), (x + 3, 10.5, 42), 0.75) for x in (-4, 0)]
    assert read("root_outlines", without(dorsal_mass(front=6.0), *leaning)).value == 2.0


def test_solid_cement_outlines_no_root() -> None:
    sign = read("root_outlines", dorsal_mass(front=6.0))
    assert (sign.state, sign.value) == ("absent", 0.0)


def test_a_gap_between_sheets_is_no_root() -> None:
    assert read("root_outlines", *sheets(1.2, thick=3.2, count=2)).value == 0.0


def test_a_line_across_the_canal_is_no_root() -> None:
    across = rod((-9, 10, 32), (9, 10, 32), 0.75)
    assert read("root_outlines", without(dorsal_mass(front=6.0), across)).value == 0.0


def test_thin_cement_cannot_show_roots() -> None:
    assert read("root_outlines", *sheets(2.0, count=1)).state == "not_assessable"
