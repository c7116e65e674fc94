"""What a surgeon reads in seconds."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from plans import words_on

from thecal.needle.outputs import words
from thecal.needle.outputs.needles import needles_of
from thecal.needle.outputs.page import Section, render_plan
from thecal.needle.pictures.landmarks import corridor_of, lateral_of_medial_line_mm
from thecal.needle.pictures.views import crossing_picture, scene_of
from thecal.quality import QualityNote
from thecal.report.markup import read_page
from thecal.terms import RESEARCH_USE


@pytest.fixture(scope="module")
def page(folder):
    return (folder / "plan.html").read_text(encoding="utf-8")


def text_of(html: str) -> str:
    return read_page(html[html.index("<body>") : html.index("</body>") + 7]).text()


@pytest.fixture(scope="module")
def bare(case):
    """The page of a plan without its pictures."""

    def made(*plans, **kwargs):
        from thecal.needle.outputs.page import LevelPictures

        sections = [Section(plan, case.vertebra, LevelPictures((), (), None), ()) for plan in plans]
        return text_of(render_plan(sections, case.spine, **kwargs))

    return made


def test_the_top_says_level_side_approach_and_needle(page):
    said = text_of(page)
    assert (
        "T12: one 11G needle from the left, through the pedicle, to the middle of the anterior third." in said
    )
    assert said.index("T12: one 11G needle") < said.index("Skin entry") < said.index("What you will see")


def test_the_figures_of_the_needle_stand_at_the_top(case, page):
    way = case.plan.single
    top = text_of(page).split("What you will see")[0]
    assert f"{way.patient_transverse_deg:.0f}° towards the midline" in top
    assert f"{way.least_mm:.1f} mm" in top
    assert f"to the {way.nearest}" in top
    assert words.depth_words(way) in top
    assert "Gertzbein-Robbins" in top
    assert "99 % to 72 %" in top


def test_cement_is_a_range_with_its_limit_and_never_one_number(case, page):
    cement = case.plan.cement
    top = text_of(page).split("What you will see")[0]
    assert f"{cement.low_ml:.1f} to {cement.high_ml:.1f} mL" in top
    assert f"the limit is {min(cement.high_ml, 7.0):.1f} mL" in top


def test_what_is_unknown_is_said_at_the_top(case, page, bare):
    top = text_of(page).split("What you will see")[0]
    assert "Not known to this plan: Segmental arteries." in top
    # Nothing unknown is never said.
    assert "Not known to this plan: Vessels" in bare(replace(case.plan, unknown=()))


def test_no_safe_path_is_an_answer_with_its_reason(blocked, hopeless, bare):
    said = bare(blocked)
    assert "Right: no safe path" in said
    assert "The pedicle is 3.1 mm wide" in said
    assert "4096 ways were tried" in said
    said = bare(hopeless)
    assert "T12: no safe path on either side." in said
    assert "mL" in said


def test_several_levels_are_first_told_in_one_table(case, hopeless, bare):
    other = replace(hopeless, vertebra_id=201, level=None)
    said = bare(case.plan, other)
    table = said.split("T12: one 11G needle")[0]
    assert "Vertebra no. 201" in table
    assert "No safe path on either side" in table


def test_without_skin_in_the_scan_depths_count_from_the_bone(case, bare):
    way = replace(case.plan.single, skin_mm=None, skin_depth_mm=None, skin_from_midline_mm=None)
    said = bare(replace(case.plan, single=way))
    assert "not in the scan" in said
    assert "bone (the skin is not in the scan)" in said


@pytest.mark.parametrize(
    ("degrees", "transverse", "craniocaudal"),
    [
        (12.4, "12° towards the midline", "12° towards the head"),
        (-8.0, "8° away from the midline", "8° towards the feet"),
        (0.3, "straight ahead", "neither up nor down"),
    ],
)
def test_angles_are_said_with_their_direction(degrees, transverse, craniocaudal):
    assert words.transverse_words(degrees) == transverse
    assert words.craniocaudal_words(degrees) == craniocaudal


def test_the_page_loads_nothing_and_says_its_use(page):
    assert not re.search(r"""(src|href)=["'](?!#|data:|meshes/|slicer/|watch/|plan\.)""", page)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]+"|<!DOCTYPE[^>]+>|rdf:resource="[^"]+"', "", page)
    assert RESEARCH_USE in page
    # Each picture too: two views and a pair of cuts for one needle and for two, rooms, and the hand's errors.
    assert page.count(RESEARCH_USE) >= 12


def test_the_page_never_clears_a_plan(page):
    said = text_of(page).lower()
    assert "a grade a plan is not a safe puncture" in said
    assert "is safe" not in said


def test_where_nothing_could_be_planned_the_page_says_so(case):
    assert "No vertebra was planned" in text_of(render_plan([], case.spine))


def test_one_side_alone_may_be_asked_for(case, hopeless, bare):
    said = bare(
        replace(case.plan, single=None, single_reason="The pedicle is bent.", sides=case.plan.sides[:1])
    )
    assert "no path for one needle to the middle; a needle from the left reaches its own half" in said
    assert "One needle to the middle: no safe path The pedicle is bent." in said
    assert "no safe path on the left." in bare(replace(hopeless, sides=hopeless.sides[:1]))


def test_a_pedicle_that_was_not_measured_is_said_and_no_line_is_made_up(case):
    blind = replace(case.plan, sides=tuple(replace(a, corridor=None) for a in case.plan.sides))
    scene = scene_of(case.volume, case.spine, case.vertebra, blind)
    picture = crossing_picture(scene, needles_of(blind)[:1])
    assert "the pedicle was not measured, so no line is drawn" in picture.caption
    assert "medial pedicle line" not in words_on(picture).split("\n")


def test_what_weakens_the_plan_is_listed_and_escaped(case, bare):
    said = bare(case.plan, notes=[QualityNote("thick", "warning", "Slices of 5 mm <b>hide</b> cortex.")])
    assert "Slices of 5 mm <b>hide</b> cortex." in said


def test_the_pair_at_the_posterior_wall_says_how_far_lateral_the_needle_still_is(case):
    scene = scene_of(case.volume, case.spine, case.vertebra, case.plan)
    for needle in needles_of(case.plan):
        picture = crossing_picture(scene, (needle,))
        free = lateral_of_medial_line_mm(case.vertebra, corridor_of(case.plan, needle.way), needle.way)
        said = f"{free:.1f} mm lateral of the line" if free >= 0 else f"{-free:.1f} mm past the line"
        assert said in picture.caption
        assert "must still be lateral of the medial pedicle line" in picture.caption
        named = {"medial pedicle line", "posterior wall", "posterior third", RESEARCH_USE}
        assert named <= set(words_on(picture).split("\n"))
