"""Clearance and aiming errors as the page shows them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plans import words_on

from thecal.needle.outputs.needles import needles_of
from thecal.needle.pictures.aim_plot import aim_picture, safe_words
from thecal.needle.pictures.clearance_plot import clearance_picture
from thecal.needle.plan_value import AimShare
from thecal.terms import RESEARCH_USE


def test_the_least_room_is_said_with_what_it_is_to(case):
    needle = needles_of(case.plan)[0]
    said = words_on(clearance_picture(needle, 1.0))
    assert f"least {needle.way.least_mm:.1f} mm, to the {needle.way.nearest}" in said
    for name in set(needle.way.clearance.nearest):
        assert name in said
    assert RESEARCH_USE in said


def test_every_aiming_error_has_its_share_of_safe_outcomes(case):
    needles = needles_of(case.plan)
    said = words_on(aim_picture(needles))
    for needle in needles:
        for aim in needle.way.aim:
            assert f"entry ± {aim.entry_sd_mm:g} mm, direction ± {aim.angle_sd_deg:g}°" in said
            assert f"{safe_words(aim)} safe" in said
    assert RESEARCH_USE in said


def test_without_tries_there_is_no_picture_of_them(case):
    first = needles_of(case.plan)[0]
    assert aim_picture((first._replace(way=replace(first.way, aim=())),)) is None


@pytest.mark.parametrize(
    ("safe", "said"), [(1.0, "400 of 400"), (0.9975, "over 99 %"), (0.951, "95 %"), (0.0, "0 %")]
)
def test_a_share_is_never_rounded_up_to_all(safe, said):
    assert safe_words(AimShare(1.0, 2.0, 400, safe, {"A": safe})) == said
