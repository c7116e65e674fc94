"""The picture model on a simulated injection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.phantom.injections import short_injection

from thecal.fluoro.frame import Frame
from thecal.fluoro.front.anatomy_on_picture import regions
from thecal.fluoro.front.find_front import THIN_MM, THROUGH_NEEDLE_MM, find_front
from thecal.fluoro.front.leaks import find_leaks
from thecal.fluoro.front.medial_line import medial_line, needle_rule
from thecal.fluoro.front.monitor import Monitor
from thecal.fluoro.front.needle_on_picture import find_needle
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.target import Needle, target_of


@pytest.fixture(scope="module")
def target(phantom_patient):
    injection = short_injection(phantom_patient, "none")
    spine = phantom_patient.spine
    vertebra = next(v for v in spine.vertebrae if v.level == "T12")
    return target_of(phantom_patient.volume, spine, vertebra, "T12", (injection.planned,))


@pytest.fixture(scope="module")
def watched(phantom_patient, target):
    """A leak into the canal, watched from a known pose: frames, truths, readings."""
    injection = short_injection(phantom_patient, "posterior wall", leak_ml=0.6)
    pictures = list(injection.pictures())
    monitor = Monitor(target, injection.true_view, pose=injection.pose(0.0))
    return injection, pictures, [monitor.see(frame) for frame, _ in pictures]


def test_nothing_is_said_to_be_well_before_the_baseline_is_taken(watched):
    _, pictures, readings = watched
    assert all(r.level == "lost" for (f, _), r in zip(pictures, readings, strict=True) if f.time_s < 5.0)
    assert "do not inject" in readings[0].why


def test_before_cement_comes_the_monitor_sees_none(watched):
    quiet = [r for (f, t), r in zip(*watched[1:], strict=True) if f.time_s > 5.2 and t.injected_ml == 0]
    assert len(quiet) >= 2
    assert all(r.level == "ok" and r.front is None and r.area_mm2 == 0 for r in quiet)


def test_the_posterior_third_is_said_within_two_pictures(watched):
    _, pictures, readings = watched
    crossed = next(i for i, (_, t) in enumerate(pictures) if t.behind_third_ml > 0.005)
    stopped = next(i for i, r in enumerate(readings) if r.level == "stop" or "stop" in r.also)
    assert crossed - 2 <= stopped <= crossed + 2


def test_the_leak_into_the_canal_is_named(watched):
    _, pictures, readings = watched
    assert pictures[-1][1].canal_visible_ml > 0.05
    assert readings[-1].level == "leak"
    assert "behind the posterior wall" in readings[-1].leaks
    first = next(i for i, r in enumerate(readings) if r.leaks)
    assert pictures[first][1].canal_ml > 0.0


def test_found_cement_is_the_true_cements_shadow(watched):
    from thecal.phantom.fluoro_scene import within

    injection, pictures, readings = watched
    frame = pictures[-1][0]
    view = injection.true_view.of_moved(injection.pose(frame.time_s))
    true = within(injection.flow.at(frame.time_s), injection.flow.grid, view) > 1.0
    found = readings[-1].cement
    assert 2.0 * (found & true).sum() / (found.sum() + true.sum()) > 0.8


def test_the_same_pictures_give_the_same_readings_bit_for_bit(watched, target):
    injection, pictures, readings = watched
    again = Monitor(target, injection.true_view, pose=injection.pose(0.0))
    for (frame, _), before in zip(pictures, readings, strict=True):
        now = again.see(frame)
        assert (now.level, now.why, now.front, now.leaks, now.area_mm2) == (
            before.level,
            before.why,
            before.front,
            before.leaks,
            before.area_mm2,
        )
        if now.cement is not None:
            np.testing.assert_array_equal(now.cement, before.cement)


@pytest.fixture
def ready(watched, target):
    """A monitor whose baseline is taken, and the next frame."""
    injection, pictures, _ = watched
    monitor = Monitor(target, injection.true_view, pose=injection.pose(0.0))
    frames = [frame for frame, _ in pictures]
    for frame in frames[:29]:
        reading = monitor.see(frame)
    assert reading.level == "ok"
    return monitor, frames[29], frames


def _with(frame, pixels):
    return Frame(frame.number, frame.time_s, np.ascontiguousarray(pixels))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda p: np.zeros_like(p),
        lambda p: np.full_like(p, 128),
        lambda p: 255 - p,
        lambda p: p[:256],
        lambda p: p[::-1],
        lambda p: np.random.default_rng(0).integers(0, 255, p.shape).astype(np.uint8),
    ],
    ids=["black", "grey", "inverted", "another size", "upside down", "noise alone"],
)
def test_a_picture_that_shows_no_vertebra_is_lost_and_the_next_good_one_is_not(ready, spoil):
    monitor, frame, frames = ready
    assert monitor.see(_with(frame, spoil(frame.pixels))).level == "lost"
    assert monitor.see(frames[30]).level != "lost"


def test_a_picture_older_than_the_last_is_lost(ready):
    monitor, _, frames = ready
    assert monitor.see(frames[5]).level == "lost"


def test_a_picture_that_stands_still_is_lost_after_a_second(ready):
    monitor, frame, _ = ready
    later = [replace(frame, number=30 + k, time_s=frame.time_s + 0.2 * k) for k in range(8)]
    levels = [monitor.see(f).level for f in later]
    assert levels[0] == "ok"
    assert levels[-1] == "lost"


def test_a_vertebra_of_a_stated_view_is_found_by_itself(watched, target):
    injection, pictures, _ = watched
    monitor = Monitor(target, injection.stated_view)
    monitor.see(pictures[0][0])
    assert monitor.error_mm is not None
    place = monitor.regions.view.project(target.frame.origin)
    true = injection.true_view.of_moved(injection.pose(0.0)).binned(2).project(target.frame.origin)
    assert np.linalg.norm(place - true) * monitor.regions.pixel_mm < 1.0


@pytest.fixture(scope="module")
def lateral(target):
    return regions(target, CArm().view(target.frame.to_lps([0, 15, 0]), 90.0).binned(2))


def _painted(found, target, low, high):
    """Pixels of a box in the vertebra's frame: (front to back mm, up mm)."""
    return (
        (found.depth_mm > low[0])
        & (found.depth_mm < high[0])
        & (found.up_mm > low[1])
        & (found.up_mm < high[1])
    )


def test_the_front_is_where_the_hindmost_cement_ends(lateral, target):
    depth = target.depth_mm
    cement = _painted(lateral, target, (0.5 * depth, -6.0), (0.8 * depth, 6.0))
    front = find_front(cement, lateral, depth)
    # The hindmost cement is too thin to be seen.
    assert abs(front.share - (0.5 - THIN_MM / depth)) < 0.02
    assert not find_leaks(cement, lateral, depth)


def test_cement_seen_through_the_needle_moves_the_front_by_what_is_seen(lateral, target):
    depth = target.depth_mm
    beside = _painted(lateral, target, (0.5 * depth, -6.0), (0.8 * depth, 6.0))
    over = _painted(lateral, target, (0.35 * depth, -1.5), (0.8 * depth, 1.5))
    # A mm is kept back, for no edge is sharp there.
    back_mm = THROUGH_NEEDLE_MM - THIN_MM
    assert abs(find_front(beside, lateral, depth, over).share - (0.35 + back_mm / depth)) < 0.02


def test_cement_in_the_canal_is_behind_the_posterior_wall(lateral, target):
    cement = _painted(lateral, target, (-9.0, -4.0), (-4.0, 4.0))
    assert "behind the posterior wall" in find_leaks(cement, lateral, target.depth_mm)


def test_cement_beyond_an_endplate_is_in_that_disc(lateral, target):
    up = lateral.up_mm[lateral.body]
    above = _painted(lateral, target, (8.0, up.max() + 1.5), (20.0, up.max() + 6.0)) & (
        lateral.above_mm > 3.0
    )
    below = _painted(lateral, target, (8.0, up.min() - 6.0), (20.0, up.min() - 1.5)) & (
        lateral.below_mm > 3.0
    )
    assert set(find_leaks(above, lateral, target.depth_mm)) == {"disc above"}
    assert set(find_leaks(below, lateral, target.depth_mm)) == {"disc below"}


def test_cement_in_front_is_said_to_be_in_front(lateral, target):
    cement = _painted(lateral, target, (target.depth_mm + 3.0, -4.0), (target.depth_mm + 7.0, 4.0))
    assert set(find_leaks(cement, lateral, target.depth_mm)) == {"in front of the body"}


def test_a_needle_beside_its_plan_is_found_where_it_lies(lateral, target):
    from thecal.fluoro.projection.materials import rod_shadow

    planned = target.needles[0]
    off = 3.0 * target.frame.cranial
    put_in = Needle(
        planned.side,
        tuple(np.array(planned.entry_mm) + off),
        tuple(np.array(planned.tip_mm) + off),
        planned.outer_mm,
    )
    steel = rod_shadow(put_in.entry_mm, put_in.tip_mm, planned.outer_mm, lateral.view).on(lateral.view.shape)
    noise = np.random.default_rng(0).normal(0, 0.02, steel.shape)
    picture = (-0.1 * lateral.vertebra_mm / 20.0 - 0.15 * steel + noise).astype(np.float32)
    seen = find_needle(picture, planned, lateral.view, lateral.pixel_mm)
    true = lateral.view.project(np.array(put_in.tip_mm))
    assert seen.sure
    assert np.linalg.norm(seen.tip_px - true) * lateral.pixel_mm < 1.5


@pytest.mark.parametrize("back_mm", [0.0, 8.0, 18.0, 30.0])
def test_the_tip_of_a_needle_that_is_not_yet_in_is_found_where_the_bar_ends(lateral, target, back_mm):
    from thecal.fluoro.projection.materials import rod_shadow

    planned = target.needles[0]
    entry, tip = np.array(planned.entry_mm), np.array(planned.tip_mm)
    stopped = tip - back_mm * (tip - entry) / np.linalg.norm(tip - entry)
    steel = rod_shadow(planned.entry_mm, tuple(stopped), planned.outer_mm, lateral.view)
    steel = steel.on(lateral.view.shape)
    noise = np.random.default_rng(1).normal(0, 0.02, steel.shape)
    picture = (-0.1 * lateral.vertebra_mm / 20.0 - 0.15 * steel + noise).astype(np.float32)
    seen = find_needle(picture, planned, lateral.view, lateral.pixel_mm)
    assert seen.sure
    assert np.linalg.norm(seen.tip_px - lateral.view.project(stopped)) * lateral.pixel_mm < 1.5


def test_on_an_ap_view_a_tip_medial_of_the_pedicle_stops_only_behind_the_wall(target):
    front = regions(target, CArm().view(target.frame.to_lps([0, 15, 0]), 0.0).binned(2))
    side = target.needles[0].side
    left_mm, _ = medial_line(target, side)
    k = 1.0 if side == "left" else -1.0
    blank = np.zeros(front.view.shape, np.float32)

    def seen(across_mm):
        found = find_needle(blank, target.needles[0], front.view, front.pixel_mm)
        tip = front.view.project(target.frame.to_lps([across_mm, -5.0, 0.0]))
        return [replace(found, tip_px=tip, sure=True)]

    assert needle_rule(target, front, seen(left_mm + 3.0 * k), True) is None
    # It is the needle's surface that must stay lateral.
    radius = target.needles[0].outer_mm / 2.0
    assert needle_rule(target, front, seen(left_mm + (radius + 0.4) * k), True) is None
    assert needle_rule(target, front, seen(left_mm + (radius - 0.4) * k), True).level == "stop"
    assert needle_rule(target, front, seen(left_mm - 3.0 * k), True).level == "stop"
    assert needle_rule(target, front, seen(left_mm - 3.0 * k), None).level == "near"
    assert needle_rule(target, front, seen(left_mm - 3.0 * k), False) is None


def test_a_needle_that_is_not_found_on_an_ap_view_is_not_called_well(target):
    front = regions(target, CArm().view(target.frame.to_lps([0, 15, 0]), 180.0).binned(2))
    blank = np.zeros(front.view.shape, np.float32)
    unseen = [replace(find_needle(blank, target.needles[0], front.view, front.pixel_mm), sure=False)]
    for behind in (True, None):
        said = needle_rule(target, front, unseen, behind)
        assert said.level == "lost"
        assert "not judged" in said.why
    assert needle_rule(target, front, unseen, False) is None


def test_of_two_needles_that_are_put_in_both_must_be_found_on_an_ap_view(target):
    front = regions(target, CArm().view(target.frame.to_lps([0, 15, 0]), 180.0).binned(2))
    side = target.needles[0].side
    left_mm, _ = medial_line(target, side)
    k = 1.0 if side == "left" else -1.0
    blank = np.zeros(front.view.shape, np.float32)
    found = find_needle(blank, target.needles[0], front.view, front.pixel_mm)
    tip = front.view.project(target.frame.to_lps([left_mm + 4.0 * k, -5.0, 0.0]))
    pair = [replace(found, tip_px=tip, sure=True), replace(found, sure=False)]
    two = replace(target, needles=(target.needles[0],) * 2)
    assert needle_rule(two, front, pair, None) is None
    assert needle_rule(two, front, pair, None, all_in=True).level == "lost"


def test_the_medial_line_is_the_plans_own(target):
    for side, k in (("left", 1.0), ("right", -1.0)):
        planned = replace(target, medial_mm=(("left", 9.2), ("right", 9.4)))
        at, ends = medial_line(planned, side)
        assert at == pytest.approx(k * dict(planned.medial_mm)[side])
        np.testing.assert_allclose(planned.frame.to_local(ends)[:, 0], at, atol=1e-9)


def test_cement_outside_that_has_no_other_name_is_said_to_be_outside(lateral, target):
    behind = _painted(lateral, target, (-40.0, -4.0), (-34.0, 4.0))
    assert behind.any()
    assert set(find_leaks(behind, lateral, target.depth_mm)) == {"outside the body"}


def test_a_view_between_lateral_and_ap_is_lost_because_it_shows_no_depth(target, watched):
    oblique = CArm().view(target.frame.to_lps([0, 15, 0]), 45.0)
    pose = watched[0].pose(0.0)
    reading = Monitor(target, oblique, pose=pose).see(watched[1][0][0])
    assert reading.level == "lost"
    assert "no depth" in reading.why


@pytest.mark.parametrize("beside", [False, True], ids=["over it alone", "and beside it"])
def test_darkness_over_the_needle_is_cement_only_where_cement_lies_beside_it(beside):
    from thecal.fluoro.front.baseline import Baseline
    from thecal.fluoro.front.new_cement import CementFinder

    shape = (128, 128)
    everywhere = np.ones(shape, bool)
    blind, core, far = np.zeros((3, *shape), bool)
    blind[60:69, :64], core[63:66, :62], far[:, :20] = True, True, True
    plain = np.zeros(shape, np.float32)
    baseline = Baseline(plain, plain + 0.01, np.zeros((0, *shape), np.float32), everywhere, 1.0, 0.01)
    finder = CementFinder(
        baseline, blind, core, far, everywhere, everywhere, (np.array([64.0, 62.0]),), 0.5,
        (np.array([1.0, 0.0]),),
    )  # fmt: skip
    change = np.zeros(shape, np.float32)
    change[63:66, 30:62] = 0.3
    if beside:
        change[56:73, 50:60] = 0.3
    for k in range(6):
        cement = finder.update(change, 0.2 * k)
    assert (cement & core).any() == beside
    # Only as far along the needle as it is seen beside it.
    assert not cement[:, 64:].any()
    assert not cement[:, :46].any()
    assert not (finder.beside & blind).any()
    assert not cement[:, :42].any()
