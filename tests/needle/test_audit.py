"""Needles that were put in, against the plan: what is known of them is found again."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from patients import looked_at, patient, plan_of, vertebra
from scipy import ndimage

from thecal.needle.audit import Laid, audit, doubts
from thecal.needle.gauges import gauge
from thecal.needle.in_place import needles_in_place
from thecal.needle.outputs.words import executed
from thecal.needle.plan_value import Audit, SeenNeedle
from thecal.needle.seen_twice import told_apart

SHIFT = np.array([30.0, -12.0, 45.0])


def held(way, moved_local=(0.0, 0.0, 0.0), turn_mm=0.0, plan=None, **changed) -> Audit:
    """The audit of a needle that lies off a planned way; the later CT is shifted as a whole."""
    own = vertebra("L1")
    entry, tip = own.frame.to_local(way.entry_mm), own.frame.to_local(way.tip_mm)
    entry, tip = entry + moved_local, tip + moved_local + np.array([turn_mm, 0.0, 0.0])
    seen = SeenNeedle(
        **{
            "vertebra_id": 7,
            "seen_as": "metal",
            "entry_mm": tuple(own.frame.to_lps(entry) + SHIFT),
            "tip_mm": tuple(own.frame.to_lps(tip) + SHIFT),
            "tip_hidden": False,
            "outer_mm": way.gauge.outer_mm,
        }
        | changed
    )
    laid = {7: Laid(own, lambda points: points - SHIFT, 0.97)}
    two = plan or replace(plan_of("L1"), single=None)
    return audit(looked_at(), [two], [seen], laid, "1.2.3")


def test_a_needle_put_in_as_planned_has_no_error_and_no_breach():
    way = plan_of("L1").sides[0].best
    (needle,) = held(way).needles
    assert needle.against == "left"
    assert needle.side == "left"
    assert needle.entry_error_mm < 0.5
    assert needle.tip_error_mm < 0.1
    assert needle.angle_error_deg < 0.1
    assert needle.breach == "none"
    assert needle.grade == "A"
    assert needle.medial_margin_mm == pytest.approx(way.medial_margin_mm, abs=0.7)


def test_a_way_beside_the_pedicle_that_is_put_in_as_planned_is_no_breach():
    way = replace(plan_of("L1").sides[0].best, approach="extrapedicular")
    answers = (replace(plan_of("L1").sides[0], best=way), plan_of("L1").sides[1])
    (needle,) = held(way, (6.0, 0.0, 0.0), plan=replace(plan_of("L1"), single=None, sides=answers)).needles
    assert needle.medial_margin_mm > 0.0
    assert (needle.breach, needle.breach_mm, needle.grade) == ("none", 0.0, "A")


def test_a_needle_beside_the_plan_is_off_by_as_much():
    way = plan_of("L1").sides[0].best
    (needle,) = held(way, (0.0, 0.0, 2.0)).needles
    assert needle.entry_error_mm == pytest.approx(2.0, abs=0.4)
    assert needle.tip_error_mm == pytest.approx(2.0, abs=0.1)


def test_a_turned_needle_has_that_angle_towards_the_midline():
    way = plan_of("L1").sides[0].best
    (needle,) = held(way, turn_mm=-4.0).needles
    assert 3.0 < needle.angle_error_deg < 9.0
    assert needle.transverse_error_deg == pytest.approx(needle.angle_error_deg, abs=1.0)


def test_a_needle_through_the_medial_wall_is_called_so_with_its_depth():
    way = plan_of("L1").sides[0].best
    into = way.medial_margin_mm + 3.0
    (needle,) = held(way, (-into, 0.0, 0.0)).needles
    assert needle.breach == "medial"
    assert needle.medial_margin_mm == pytest.approx(-3.0, abs=1.0)
    assert needle.breach_mm == pytest.approx(-needle.medial_margin_mm)
    assert needle.grade in ("C", "D")
    assert needle.nearest == "medial pedicle wall"


def test_a_hidden_tip_has_no_error():
    (needle,) = held(plan_of("L1").sides[0].best, tip_hidden=True, seen_as="cement").needles
    assert needle.tip_error_mm is None
    assert needle.angle_error_deg is not None


def test_a_needle_at_a_level_that_was_not_planned_is_told():
    own = vertebra("T12")
    way = plan_of("T12").sides[0].best
    seen = SeenNeedle(3, "metal", way.entry_mm, way.tip_mm, False, None)
    found = audit(looked_at(), [plan_of("L1")], [seen], {3: Laid(own, lambda p: p, None)})
    assert found.needles[0].against is None
    assert any("T12" in note and "nothing is planned" in note for note in found.notes)
    assert any("L1 is not on the later CT" in note for note in found.notes)


def test_bone_that_cannot_be_laid_over_itself_leaves_its_needle_out_and_says_so():
    way = plan_of("L1").sides[0].best
    seen = SeenNeedle(3, "metal", way.entry_mm, way.tip_mm, False, None)
    found = audit(looked_at(), [plan_of("L1")], [seen], {})
    assert found.needles == ()
    assert "could not be laid" in found.notes[0]


def steel(way, outer_mm: float, steel_hu: float, most_hu: int):
    """The scan with a needle of metal on a planned way, blurred; its scale ends at ``most_hu``."""
    case = patient()
    entry, tip = np.array(way.entry_mm), np.array(way.tip_mm)
    ahead = (tip - entry) / np.linalg.norm(tip - entry)
    corners = np.array([tip - 75.0 * ahead, tip])
    box = case.grid.box_around(corners, 8.0)
    grid = case.grid.crop(box)
    fine = 3
    size = [fine * n for n in grid.shape]
    index = (np.stack(np.meshgrid(*[np.arange(n) for n in size], indexing="ij"), -1) - (fine - 1) / 2) / fine
    points = grid.to_lps(index)
    along = (points - tip) @ ahead
    off = np.linalg.norm(points - tip - along[..., None] * ahead, axis=-1)
    metal = ((off <= outer_mm / 2.0) & (along <= 0.0) & (along >= -75.0)).astype(np.float32)
    share = metal.reshape([n for k in grid.shape for n in (k, fine)]).mean((1, 3, 5))
    share = ndimage.gaussian_filter(share, 0.4 / grid.spacing_mm)
    hu = case.volume.hu.copy()
    hu[box] = np.minimum(hu[box] * (1.0 - share) + steel_hu * share, most_hu)
    return replace(case.volume, hu=hu)


@cache
def clipped_11g():
    """The needle of 11 G planned on the right, seen by a scanner whose scale ends at 3071 HU."""
    return needles_in_place(steel(plan_of("L1").sides[1].best, 3.1, 9000.0, 3071), patient().spine)


def test_a_needle_of_steel_in_the_bone_is_found_with_its_tip():
    way = plan_of("L1").sides[1].best
    (needle,) = clipped_11g()
    assert needle.vertebra_id == vertebra("L1").id
    assert np.linalg.norm(np.subtract(needle.tip_mm, way.tip_mm)) < 1.8
    found, meant = (np.subtract(n.tip_mm, n.entry_mm) for n in (needle, way))
    cosine = found @ meant / np.linalg.norm(found) / np.linalg.norm(meant)
    assert np.degrees(np.arccos(cosine)) < 1.5


def test_a_needle_of_steel_whose_scale_is_whole_has_its_width_measured():
    way = plan_of("L1").sides[1].best
    (needle,) = needles_in_place(steel(way, 2.4, 9000.0, 20000), patient().spine)
    assert needle.outer_error_mm is not None
    assert needle.outer_mm == pytest.approx(2.4, abs=needle.outer_error_mm)


def test_a_needle_of_11_g_held_against_a_plan_for_13_g_gets_no_more_margin_than_it_has():
    """Clipped steel glares: its width is only known to be at most so much, and never taken too narrow."""
    (needle,) = clipped_11g()
    assert needle.outer_error_mm is None
    assert 3.1 <= needle.outer_mm <= gauge("10G").outer_mm
    own = vertebra("L1")
    sides = tuple(replace(a, best=replace(a.best, gauge=gauge("13G"))) for a in plan_of("L1").sides)
    plan = replace(plan_of("L1"), single=None, sides=sides)
    laid = {own.id: Laid(own, lambda p: p, 1.0)}
    (seen,) = audit(looked_at(), [plan], [needle], laid).needles
    (true,) = audit(looked_at(), [plan], [replace(needle, outer_mm=3.1, outer_error_mm=0.5)], laid).needles
    assert (seen.outer_from, true.outer_from) == ("at most", "measured")
    assert seen.medial_margin_mm <= true.medial_margin_mm
    assert "at most 3." in executed(seen)


def test_a_needle_in_place_on_the_left_does_not_hide_a_track_through_the_medial_wall_on_the_right():
    own = vertebra("L1")
    left, right = (answer.best for answer in plan_of("L1").sides)
    metal = SeenNeedle(own.id, "metal", left.entry_mm, left.tip_mm, False, 3.1, 0.5)
    glare = SeenNeedle(own.id, "empty", left.entry_mm, left.tip_mm, False, None)
    inward = (right.medial_margin_mm + 3.0) * own.frame.left
    ends = [tuple(np.array(point) + inward) for point in (right.entry_mm, right.tip_mm)]
    track = SeenNeedle(own.id, "air", *ends, False, None)
    plan = replace(plan_of("L1"), single=None)
    found = audit(looked_at(), [plan], [metal, glare, track], {own.id: Laid(own, lambda p: p, 1.0)})
    assert [(n.side, n.seen_as, n.breach) for n in found.needles] == [
        ("left", "metal", "none"),
        ("right", "air", "medial"),
    ]
    (note,) = found.notes
    assert "track in the left of L1 (seen as empty) was left out" in note


def test_a_track_across_a_needle_in_place_is_of_another_needle():
    metal = SeenNeedle(5, "metal", (0.0, 0.0, 0.0), (0.0, -40.0, 0.0), False, 3.1)
    crossing = SeenNeedle(5, "empty", (12.0, 0.0, 0.0), (-1.0, -30.0, 0.0), False, None)
    beside = SeenNeedle(5, "empty", (8.0, 0.0, 0.0), (8.0, -30.0, 0.0), False, None)
    above = SeenNeedle(6, "empty", (0.0, 0.0, 0.0), (0.0, -40.0, 0.0), False, None)
    twice = SeenNeedle(5, "cement", (2.0, -5.0, 0.0), (-1.0, -30.0, 1.0), False, None)
    kept, left_out = told_apart([metal], [crossing, beside, above, twice])
    assert (kept, left_out) == ((crossing, beside, above), (twice,))


def test_bone_alone_holds_no_needle():
    assert needles_in_place(patient().volume, patient().spine) == ()


def test_a_level_that_the_later_ct_does_not_show_is_not_called_empty():
    there = {3: Laid(vertebra("T12"), lambda p: p, 0.62)}
    found = audit(looked_at(), [plan_of("L1"), plan_of("T12")], [], there)
    assert any("L1 is not on the later CT" in note for note in found.notes)
    assert any("No needle and no track was seen in T12" in note for note in found.notes)
    assert [(a.level, a.agreement) for a in found.agreements] == [("L1", None), ("T12", 0.62)]
    said = doubts(found, other_patient=True)
    assert [note.code for note in said] == ["other_patient", "level_not_laid", "poor_agreement"]


def test_a_needle_of_unmeasured_width_is_taken_for_the_planned_one():
    way = replace(plan_of("L1").sides[0].best, gauge=gauge("15G"))
    sides = (replace(plan_of("L1").sides[0], best=way), plan_of("L1").sides[1])
    thin = replace(plan_of("L1"), single=None, sides=sides)
    (needle,) = held(way, plan=thin, outer_mm=None).needles
    (wide,) = held(way, outer_mm=3.1).needles
    assert needle.medial_margin_mm - wide.medial_margin_mm == pytest.approx((3.1 - 1.8) / 2.0)


def test_the_needle_that_was_meant_is_the_one_compared_with_and_the_nearest_is_said_to_flatter():
    one = plan_of("L1").single
    near = held(one, plan=plan_of("L1"))
    own = vertebra("L1")
    seen = SeenNeedle(7, "metal", one.entry_mm, one.tip_mm, False, 3.1)
    laid = {7: Laid(own, lambda points: points, 0.97)}
    meant = audit(looked_at(), [plan_of("L1")], [seen], laid, meant=one.side)
    assert [(n.against, n.chosen_by) for n in near.needles] == [("single", "nearest")]
    assert any("--meant" in note for note in near.notes)
    assert [(n.against, n.chosen_by) for n in meant.needles] == [(one.side, "meant")]
    assert not any("--meant" in note for note in meant.notes)
    assert meant.needles[0].tip_error_mm > near.needles[0].tip_error_mm + 1.0
