"""What a surgeon checks of a plan, on a phantom whose anatomy is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from patients import looked_at, patient, plan_of, vertebra

from thecal.anatomy.spine import Part
from thecal.needle.plan import Wish, plan_level, plan_levels
from thecal.needle.plan_value import LevelPlan, Trajectory

LEVELS = ("T12", "L1")


def ways(plan: LevelPlan) -> list[Trajectory]:
    best = [answer.best for answer in plan.sides if answer.best]
    return [*best, *([plan.single] if plan.single else [])]


def filled(way: Trajectory) -> np.ndarray:
    """Points that fill a needle from its entry on the bone to its tip, LPS."""
    entry, tip = np.array(way.entry_mm), np.array(way.tip_mm)
    ahead = (tip - entry) / np.linalg.norm(tip - entry)
    a = np.cross(ahead, [0.0, 0.0, 1.0])
    a /= np.linalg.norm(a)
    b = np.cross(ahead, a)
    along = np.arange(0.0, np.linalg.norm(tip - entry), 0.4)
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = np.concatenate(
        [
            r * (np.cos(angle)[:, None] * a + np.sin(angle)[:, None] * b)
            for r in (0.0, 0.8, way.gauge.outer_mm / 2)
        ]
    )
    return (entry + along[:, None, None] * ahead + ring).reshape(-1, 3)


def labels_at(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    case = patient()
    index = np.rint(case.grid.to_index(points)).astype(int)
    return case.labels[tuple(index.T)], case.parts[tuple(index.T)]


@pytest.mark.parametrize("level", LEVELS)
def test_both_sides_have_a_way_and_none_touches_the_true_canal(level):
    plan = plan_of(level)
    assert all(answer.best is not None for answer in plan.sides)
    for way in ways(plan):
        labels, _ = labels_at(filled(way))
        assert not np.isin(labels, (60, 61)).any()


@pytest.mark.parametrize("level", LEVELS)
def test_the_needle_runs_in_the_vertebras_own_bone_from_the_pedicle_on(level):
    own = vertebra(level)
    for way in ways(plan_of(level)):
        points = filled(way)
        labels, _ = labels_at(points[own.frame.to_local(points)[:, 1] > 2.0])
        assert (labels == own.id).mean() > 0.995


@pytest.mark.parametrize("level", LEVELS)
def test_the_tip_lies_in_the_anterior_third_of_the_body(level):
    own = vertebra(level)
    case = patient()
    body = (case.labels == own.id) & (case.parts == Part.BODY)
    depth = own.frame.to_local(case.grid.to_lps(np.argwhere(body)))[:, 1]
    front = float(np.percentile(depth, 99.0))
    for way in ways(plan_of(level)):
        assert 2 / 3 - 0.03 < own.frame.to_local(way.tip_mm)[1] / front < 0.95


@pytest.mark.parametrize("level", LEVELS)
def test_of_two_needles_each_ends_in_its_own_half_and_of_one_in_the_middle(level):
    own, plan = vertebra(level), plan_of(level)
    aside = {a.side: own.frame.to_local(a.best.tip_mm)[0] for a in plan.sides}
    assert aside["left"] > 1.5
    assert aside["right"] < -1.5
    assert plan.single is not None
    assert abs(own.frame.to_local(plan.single.tip_mm)[0]) < 4.5


def test_depth_marks_rise_from_skin_over_bone_and_posterior_wall_to_the_tip():
    for way in ways(plan_of("L1")):
        assert way.skin_depth_mm is not None
        assert 20.0 < way.skin_depth_mm < way.wall_depth_mm < way.tip_depth_mm
        whole = float(np.linalg.norm(np.subtract(way.tip_mm, way.skin_mm)))
        assert whole == pytest.approx(way.tip_depth_mm, abs=0.6)
        on_wall = np.array(way.skin_mm) + np.subtract(way.tip_mm, way.skin_mm) * way.wall_depth_mm / whole
        assert abs(vertebra("L1").frame.to_local(on_wall)[1]) < 0.5


def test_a_wider_margin_is_kept():
    plan = plan_of("L1", Wish(margin_mm=2.0))
    assert all(way.medial_margin_mm >= 2.0 for way in ways(plan))


def test_the_profile_says_what_lies_nearest_and_never_less_than_the_least():
    for way in ways(plan_of("L1")):
        assert way.clearance.free_mm.min() >= way.least_mm - 1e-9
        assert way.nearest in way.clearance.nearest
        assert way.least_mm <= way.medial_margin_mm + 0.5


def test_no_safe_path_is_an_answer_with_its_reason():
    plan = plan_of("T12", Wish(margin_mm=9.0, approach="transpedicular"))
    assert all(answer.best is None for answer in plan.sides)
    assert all("mm wide at its narrowest" in answer.reason for answer in plan.sides)
    assert plan.single is None
    assert "From the left" in plan.single_reason


def test_only_the_side_that_is_asked_for_is_planned():
    plan = plan_of("L1", Wish(sides="left"))
    assert [answer.side for answer in plan.sides] == ["left"]
    assert plan.single is not None
    assert plan.single.side == "left"


def test_a_thinner_needle_has_at_least_the_room_of_a_wide_one():
    wide, thin = plan_of("T12", Wish(needle="10G")), plan_of("T12", Wish(needle="15G"))
    for a, b in zip(wide.sides, thin.sides, strict=True):
        assert b.best is not None
        if a.best is not None:
            assert b.best.score["total"] >= a.best.score["total"] - 0.3


def test_what_was_not_looked_for_is_named():
    assert any("artery of Adamkiewicz" in words for words in plan_of("L1").unknown)


def test_cement_is_a_range_of_the_bodys_volume():
    cement = plan_of("L1").cement
    assert 0.15 * cement.body_ml == pytest.approx(cement.low_ml)
    assert 0.30 * cement.body_ml == pytest.approx(cement.high_ml)
    assert 12.0 < cement.body_ml < 45.0


def test_a_vertebra_cut_by_the_scans_edge_is_not_planned():
    cut = [v for v in patient().spine.vertebrae if not v.complete]
    assert cut
    assert plan_levels(looked_at(), cut, Wish()) == ()


def test_where_the_canal_was_not_found_no_side_has_a_way_and_the_plan_says_so():
    spine = patient().spine
    bare = replace(spine, labels=np.where(spine.canal_mask(), 0, spine.labels).astype(spine.labels.dtype))
    canal = replace(spine.canal, confidence=np.full_like(spine.canal.confidence, 0.1))
    for blind in (bare, replace(spine, canal=canal)):
        plan = plan_level(replace(looked_at(), spine=blind), vertebra("L1"), Wish())
        assert plan.single is None
        for answer in plan.sides:
            assert answer.best is None
            assert answer.reason == "The canal was not found at this vertebra."
        assert plan.unknown[0].startswith("canal: it was not found")
