"""The pedicle's section shows each needle where it passes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plans import words_on

from thecal.needle.outputs.needles import needles_of
from thecal.needle.pictures.pedicle_picture import isthmus_cut, passes_at, pedicle_picture
from thecal.terms import RESEARCH_USE


def test_a_needle_through_the_isthmus_passes_in_the_middle_of_the_section(case):
    for needle in needles_of(case.plan):
        corridor = next(a.corridor for a in case.plan.sides if a.side == needle.way.side)
        np.testing.assert_allclose(passes_at(isthmus_cut(case.vertebra, corridor), needle), 0.0, atol=1e-6)


@pytest.mark.parametrize(("left_mm", "up_mm"), [(2.0, 0.0), (0.0, 3.0), (-1.5, -2.5)])
def test_her_left_is_on_the_left_and_her_head_is_up(case, left_mm, up_mm):
    corridor = case.plan.sides[0].corridor
    needle = next(n for n in needles_of(case.plan) if n.key == "left")
    moved = left_mm * case.vertebra.frame.left + up_mm * case.vertebra.frame.cranial
    entry, tip = (np.asarray(p) + moved for p in (needle.way.entry_mm, needle.way.tip_mm))
    # Seen along the pedicle the needle's own slant adds nothing where it is moved across it.
    way = replace(needle.way, entry_mm=tuple(entry), tip_mm=tuple(tip))
    across, up = passes_at(isthmus_cut(case.vertebra, corridor), needle._replace(way=way))
    assert across == pytest.approx(-left_mm, abs=1e-6)
    assert up == pytest.approx(up_mm, abs=1e-6)


def test_the_section_says_the_pedicles_size_also_where_no_path_is_safe(case, hopeless):
    for plan in (case.plan, hopeless):
        said = words_on(pedicle_picture(case.volume, case.spine, case.vertebra, plan))
        for answer in plan.sides:
            assert f"{answer.corridor.width_mm:.1f} mm wide" in said
        assert RESEARCH_USE in said


def test_where_no_pedicle_was_measured_there_is_no_picture(case):
    blind = replace(case.plan, sides=tuple(replace(a, corridor=None) for a in case.plan.sides))
    assert pedicle_picture(case.volume, case.spine, case.vertebra, blind) is None
