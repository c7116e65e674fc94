"""What was taken out and what stayed, on a spine whose every answer is arithmetic."""

from __future__ import annotations

import html
import itertools
import json
from dataclasses import replace
from functools import cache

import jsonschema
import numpy as np
import pytest
from box_spine import PITCH, ball, box, in_canal, toy

from thecal.assessment import Assessment
from thecal.compare.build import Compared, compare
from thecal.compare.picture import axial_before_and_after, sagittal_before_and_after
from thecal.compare.schema import json_schema
from thecal.compare.write import render_page, summary, write_comparison
from thecal.errors import SpineNotFound
from thecal.leakage.find import find_leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")
FILL = ball(1, -15, PITCH, 8)
IN_SAC = box(-3, 3, 5, 9, PITCH - 5, PITCH + 5)
HALF_OF_IT = box(-3, 3, 5, 9, PITCH - 5, PITCH)
EPIDURAL = in_canal(box(-7, 7, -1, 2.4, PITCH - 6, PITCH + 6))
ELSEWHERE = box(-3, 3, 5, 9, -5, 5)


@cache
def assessed(*cement, unnamed: bool = False, metal=None, **options) -> Assessment:
    case = toy(*cement, **options)
    spine = case.spine
    if unnamed:
        spine = replace(spine, vertebrae=tuple(replace(v, level=None) for v in spine.vertebrae))
    found = case.cement
    if metal is not None:
        index = np.argwhere(np.ones(spine.grid.shape, bool))
        place = case.to_lps([metal])[0]
        near = np.linalg.norm(spine.grid.to_lps(index) - place, axis=1) < 9
        found = replace(found, metal=near.reshape(spine.grid.shape))
    return Assessment(case.volume, spine, found, find_leakage(case.volume, spine, found), "toy", {})


@cache
def revised(moved: bool = True) -> Compared:
    """Half of the cement in the sac and all outside it taken out; another position and another spacing."""
    before = assessed(FILL, IN_SAC, EPIDURAL)
    there = {"tilt": 9.0, "roll": -6.0, "spacing": (1.25, 0.9, 0.9)} if moved else {}
    return compare(before, assessed(FILL, HALF_OF_IT, **there))


@cache
def unchanged() -> Compared:
    """The same scan twice."""
    return compare(assessed(FILL, IN_SAC), assessed(FILL, IN_SAC))


def by_compartment(found: Compared) -> dict:
    return {row.compartment: row for row in found.comparison.compartments}


def test_removed_and_residual_volume_are_right_whatever_the_position():
    rows = by_compartment(revised())
    assert rows["intradural"].before_ml == pytest.approx(0.24, rel=0.05)
    assert rows["intradural"].removed_ml == pytest.approx(0.12, rel=0.06)
    assert rows["epidural"].residual_ml == pytest.approx(0.0, abs=0.005)
    assert rows["intravertebral"].removed_ml == pytest.approx(
        0.0, abs=0.05 * rows["intravertebral"].before_ml
    )


def test_each_vertebra_is_laid_over_itself():
    found = revised()
    for row in found.comparison.vertebrae:
        assert row.registered
        assert row.before_id == row.after_id
        assert row.turned_degrees == pytest.approx(np.hypot(9, 6), abs=1.0)
    origins = np.array([v.frame.origin for v in found.before.spine.vertebrae])
    there = np.array([v.frame.origin for v in found.after.spine.vertebrae])
    assert np.abs(found.moves.forward(origins) - there).max() < 0.5
    assert np.abs(found.moves.back(there) - origins).max() < 0.5


def test_the_canal_is_measured_as_it_was_before():
    canal = revised().comparison.canal
    assert canal.before is not None
    assert canal.after is not None
    assert canal.after.canal_area_mm2 == pytest.approx(canal.before.canal_area_mm2, rel=0.02)
    assert canal.after.cement_area_mm2 == pytest.approx(24.0, rel=0.12)
    assert canal.after.fraction < canal.before.fraction


def test_nothing_done_is_nothing_removed():
    found = unchanged()
    assert by_compartment(found)["intradural"].removed_ml == pytest.approx(0.0, abs=1e-6)
    assert [d.state for d in found.comparison.deposits] == ["left", "left"]


def test_nothing_done_is_not_told_as_a_removal():
    first = summary(unchanged().comparison)[0]
    assert "no part is measurably gone" in first
    assert "no longer seen" not in first


def test_the_first_lines_say_what_was_taken_out_what_is_left_and_where():
    found = revised()
    first, where = summary(found.comparison)[:2]
    rows = [by_compartment(found)[name] for name in ("epidural", "intradural")]
    before, left = sum(row.before_ml for row in rows), sum(row.residual_ml for row in rows)
    assert first == (
        f"Of {before:.2f} mL of cement in the canal, {before - left:.2f} mL is no longer seen and "
        f"{left:.2f} mL is left."
    )
    place = "in the canal within the outline of the thecal sac at"
    assert where.startswith(f"Left: {left:.2f} mL {place}")
    assert where.endswith("; deposit 2).")


def test_the_picture_of_the_later_scan_shows_the_same_bone_and_does_not_tear():
    found = revised()
    for low, high in itertools.pairwise(v.frame for v in found.before.spine.vertebrae):
        column = np.linspace(low.origin, high.origin, 200)
        there = found.moves.blended(column)
        assert np.abs(there[[0, -1]] - found.moves.forward(column[[0, -1]])).max() < 0.3
        steps = np.linalg.norm(np.diff(there, axis=0), axis=1)
        assert steps.max() < 1.5 * np.linalg.norm(column[1] - column[0])


def test_before_and_after_stand_side_by_side_across_and_along_the_canal():
    page = html.unescape(render_page(revised()))
    for picture in (axial_before_and_after(revised()), sagittal_before_and_after(revised())):
        before, after = picture.figure.axes
        assert before.get_ylim() == after.get_ylim()
        words = [{text.get_text() for text in axes.texts} for axes in (before, after)]
        assert "before" in words[0]
        assert "after" in words[1]
        assert any(word.startswith("left of ") for word in words[1])
        assert picture.caption in page


def test_a_scan_without_level_names_is_followed_by_its_cement():
    after = assessed(FILL, HALF_OF_IT, unnamed=True, tilt=5.0)
    found = compare(assessed(FILL, IN_SAC), after)
    assert [(v.before_id, v.after_id) for v in found.comparison.vertebrae] == [(20, 20), (19, 19), (18, 18)]


def test_cement_that_was_not_there_before_is_new():
    found = compare(assessed(FILL), assessed(FILL, ELSEWHERE)).comparison
    assert [(d.kind, d.compartment) for d in found.new_deposits] == [("new", "intradural")]
    assert found.new_deposits[0].volume_ml == pytest.approx(0.24, rel=0.05)


def test_cement_of_the_same_size_elsewhere_may_have_migrated():
    found = compare(assessed(FILL, IN_SAC), assessed(FILL, ELSEWHERE)).comparison
    [new] = found.new_deposits
    assert new.kind == "migrated"
    assert new.distance_mm == pytest.approx(PITCH, abs=1.0)
    assert "moved by" in " ".join(summary(found))


def test_cement_under_metal_is_not_called_removed():
    found = compare(assessed(FILL, IN_SAC), assessed(FILL, metal=(0, 7, PITCH))).comparison
    [deposit] = [d for d in found.deposits if d.compartment == "intradural"]
    assert deposit.state == "not_assessable"
    assert deposit.removed_ml is None
    assert found.canal.after_ml is None
    assert any(note.code == "deposit_hidden" for note in found.quality)


def test_a_vertebra_that_has_sunk_since_is_a_fracture():
    def sunk(depth):
        return np.where(np.asarray(depth) > -1e9, 17.0, 17.0)

    found = compare(assessed(ball(1, -15, 0, 7)), assessed(ball(1, -15, 0, 7), height=sunk)).comparison
    [broken] = [v for v in found.vertebrae if v.fractured_since]
    assert broken.level == "T12"
    assert broken.next_to_cement
    assert broken.height_loss_since == pytest.approx(1 - 17 / 24, abs=0.06)


def test_a_height_lost_by_a_bone_that_agrees_with_itself_is_doubted_aloud():
    told = unchanged().comparison
    row = told.vertebrae[0].model_copy(update={"fractured_since": True, "height_loss_since": 0.27})
    sunk = told.model_copy(update={"vertebrae": [row]})
    assert any("27 %" in said and "may be an error of the heights" in said for said in summary(sunk))
    worse = told.model_copy(update={"vertebrae": [row.model_copy(update={"agreement": 0.9})]})
    assert not any("error of the heights" in said for said in summary(worse))
    assert any("27 %" in said for said in summary(worse))


def test_without_a_spine_nothing_is_compared():
    case = assessed(FILL)
    empty = Assessment(case.volume, None, None, None, "toy", {}, "no canal was found")
    with pytest.raises(SpineNotFound, match="On the later CT: no canal was found"):
        compare(case, empty)


def test_what_is_written_satisfies_its_schema_and_loads_nothing(tmp_path):
    write_comparison(tmp_path / "out", revised())
    jsonschema.validate(json.loads((tmp_path / "out" / "compare.json").read_text("utf-8")), json_schema())
    page = (tmp_path / "out" / "compare.html").read_text("utf-8")
    assert "Research use only" in page
    # Names of namespaces within the pictures are no addresses that anything is loaded from.
    assert not any(loads in page for loads in ("src=", "<link", "@import", "url(http", "<script"))
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["compare.html", "compare.json"]
