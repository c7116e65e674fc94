"""What the terminal says of a plan."""

from __future__ import annotations

from dataclasses import replace

from thecal.needle.outputs.summary import summary


def test_what_is_unknown_at_any_level_is_said_with_that_level(case):
    first = replace(case.plan, unknown=("veins", "lung: none is seen"))
    second = replace(case.plan, level="L1", unknown=("veins", "canal: it was not found"))
    said = " ".join(summary([first, second]))
    assert "Not known, so not kept away from: veins." in said
    assert "Nor, at T12: lung: none is seen." in said
    assert "Nor, at L1: canal: it was not found." in said


def test_the_limit_of_cement_is_never_above_what_the_literature_carries(case):
    large = replace(case.plan, cement=replace(case.plan.cement, body_ml=42.0, high_ml=12.6))
    said = " ".join(summary([large]))
    assert "the limit is 7.0 mL" in said
    assert "2 mL restored strength" in said


def test_the_skin_lies_on_the_side_that_its_sign_says(case):
    way = replace(case.plan.single, skin_from_midline_mm=-12.0)
    other = "right" if way.side == "left" else "left"
    assert f"skin 12 mm {other} of the midline" in " ".join(summary([replace(case.plan, single=way)]))
