"""What a surgeon checks of a plan, on a phantom whose anatomy is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from patients import looked_at, patient, plan_of, vertebra

from thecal.anatomy.spine import Part
from thecal.errors import InputError
from thecal.needle.gauges import gauge
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
        assert np.nanmin(way.clearance.free_mm) >= way.least_mm - 1e-9
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


def test_cement_already_there_is_kept_away_from_and_named():
    way, own = plan_of("L1").sides[0].best, vertebra("L1")
    grid = patient().spine.grid
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    points = grid.to_lps(index)
    lump = np.linalg.norm(points - np.array(way.tip_mm), axis=-1) < 5.0
    plan = plan_level(replace(looked_at(), foreign=lump), own, Wish())
    assert any("cement or metal is in this vertebra already" in words for words in plan.unknown)
    assert not any("cement or metal" in words for words in plan_of("L1").unknown)
    for other in ways(plan):
        assert np.linalg.norm(filled(other) - np.array(way.tip_mm), axis=1).min() > 5.0


def test_what_lies_outside_the_searched_block_is_not_drawn_as_free():
    way = plan_of("L1").sides[0].best
    behind = vertebra("L1").frame.to_local(
        np.array(way.skin_mm)
        + (np.subtract(way.tip_mm, way.skin_mm) / way.tip_depth_mm) * way.clearance.depth_mm[:, None]
    )[:, 1]
    unseen = np.array([name == "not looked at" for name in way.clearance.nearest])
    assert np.isnan(way.clearance.free_mm[behind < -66.0]).all()
    assert (np.isnan(way.clearance.free_mm) == unseen).all()
    assert any("not looked at" in words for words in plan_of("L1").unknown) == bool(unseen.any())


@pytest.mark.parametrize("needle", ["13G", "15G"])
def test_the_widest_gauge_keeps_the_rules_when_it_is_asked_for_along_the_same_way(needle):
    order = ["10G", "11G", "13G", "15G"]
    for way in ways(plan_of("L1", Wish(needle=needle))):
        assert order.index(way.widest_gauge) <= order.index(needle)
        wider = (gauge(way.widest_gauge).outer_mm - way.gauge.outer_mm) / 2.0
        assert way.medial_margin_mm - wider >= 1.0 - 0.05


def test_the_skins_distance_is_positive_on_the_needles_own_side():
    for way in ways(plan_of("L1")):
        sign = 1.0 if way.side == "left" else -1.0
        own = sign * vertebra("L1").frame.to_local(way.skin_mm)[0]
        assert way.skin_from_midline_mm == pytest.approx(own)


@pytest.mark.parametrize("margin", [float("inf"), 1e9])
def test_an_endless_margin_is_refused(margin):
    with pytest.raises(InputError, match="wider than any pedicle"):
        plan_level(looked_at(), vertebra("L1"), Wish(margin_mm=margin))
