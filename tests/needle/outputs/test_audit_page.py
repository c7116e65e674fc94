"""A needle as it was put, on the page and in its picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from plans import executed_beside, words_on

from thecal.needle.outputs.needles import needles_of
from thecal.needle.outputs.page import Audited, LevelPictures, Section, render_plan
from thecal.needle.outputs.words import executed
from thecal.needle.pictures.audit_picture import audit_picture, planned_for
from thecal.needle.plan_value import Audit
from thecal.report.markup import read_page
from thecal.terms import RESEARCH_USE


@pytest.fixture(scope="module")
def medial(case):
    """The needle of the left side, put 6 mm too medial: through the wall, as in the founding paper."""
    return executed_beside(case.plan.sides[0].best, case.vertebra, medial_mm=6.0)


def test_a_breach_is_said_with_its_size_its_grade_and_what_was_planned(case, medial):
    said = executed(medial)
    margin = case.plan.sides[0].best.medial_margin_mm
    assert said.startswith("T12, left, a track filled with cement, taken as ")
    assert ": 6.0 mm and 0° off the plan at its entry" in said
    assert f"through the medial pedicle wall by {6.0 - margin:.1f} mm; planned were {margin:.1f} mm" in said
    assert f"Grade {medial.grade}, medial breach of {medial.breach_mm:.1f} mm." in said


def test_a_needle_that_kept_its_way_is_not_called_safe(case):
    kept = executed_beside(case.plan.sides[0].best, case.vertebra, medial_mm=0.2)
    said = executed(kept)
    assert "no breach seen" in said
    assert "safe" not in said


def test_a_needle_where_nothing_was_planned_is_said(medial):
    stray = replace(medial, against=None, angle_error_deg=None, entry_error_mm=None,
                    planned_medial_margin_mm=None)  # fmt: skip
    assert "nothing was planned for it" in executed(stray)


def test_the_audit_stands_before_the_levels_with_its_table(case, medial):
    audited = Audited(Audit("1.2.3", (medial,), ("No needle and no track was seen in L1.",)), ())
    section = Section(case.plan, case.vertebra, LevelPictures((), (), None), ())
    html = render_plan([section], case.spine, audit=audited)
    said = read_page(html[html.index("<body>") : html.index("</body>") + 7]).text()
    assert said.index("The needle as it was put") < said.index("T12: one 11G needle")
    assert executed(medial) in said
    assert "left of two" in said
    assert "No needle and no track was seen in L1." in said
    assert f"medial {medial.breach_mm:.1f} mm" in said


def test_the_picture_holds_both_needles_and_names_them(case, medial):
    picture = audit_picture(case.volume, case.spine, case.vertebra, case.plan, medial)
    words = words_on(picture)
    assert "planned" in words
    assert "as put" in words
    assert RESEARCH_USE in words
    assert "left of two needles" in picture.caption


def test_without_a_plan_for_it_the_picture_is_of_the_needle_alone(case, medial):
    picture = audit_picture(case.volume, case.spine, case.vertebra, None, replace(medial, against=None))
    assert "planned" not in words_on(picture).replace("planning", "").split("\n")
    assert "nothing was planned here" in picture.caption


def test_the_needle_is_held_against_the_one_it_was_compared_with(case, medial):
    for against, key in (("single", "one"), ("left", "left"), ("right", "right")):
        assert planned_for(replace(medial, against=against), case.plan).key == key
    assert planned_for(replace(medial, against=None), case.plan) is None
    tips = {n.key: n.way.tip_mm for n in needles_of(case.plan)}
    assert not np.allclose(tips["one"], tips["left"])
