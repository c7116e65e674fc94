"""Simulated injections: cement, pictures, and what is true of them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from tests.phantom.injections import short_injection

from thecal.phantom.injection import draw_spec
from thecal.phantom.injection_truth import Reader
from thecal.phantom.leak_ways import LEAK_KINDS


def _ml(flow, where):
    held = np.isfinite(flow.arrival_s) & where
    return float(flow.share[held].sum() * flow.voxel_ml)


@pytest.mark.parametrize("kind", ["posterior wall", "basivertebral vein"])
def test_cement_that_leaves_through_the_back_of_the_body_lies_in_the_canal(phantom_patient, kind):
    flow = short_injection(phantom_patient, kind).flow
    assert abs(_ml(flow, flow.canal & ~flow.body) - 0.4) < 0.02
    assert _ml(flow, ~flow.canal & ~flow.body) == 0.0


@pytest.mark.parametrize("kind", ["disc above", "disc below", "in front", "segmental vein"])
def test_other_leaks_spare_the_canal(phantom_patient, kind):
    flow = short_injection(phantom_patient, kind).flow
    outside = _ml(flow, ~flow.body)
    assert outside > 0.1
    assert _ml(flow, flow.canal & ~flow.body) < 0.02 * outside


def test_without_a_leak_all_cement_stays_in_the_body_and_is_of_the_volume_asked(phantom_patient):
    flow = short_injection(phantom_patient, "none").flow
    assert _ml(flow, ~flow.body) == 0.0
    assert abs(_ml(flow, flow.body) - 3.0) < 0.05


def test_cement_begins_at_the_needles_tip_and_spreads_from_there(phantom_patient):
    injection = short_injection(phantom_patient, "none")
    flow = injection.flow
    points = flow.grid.to_lps(np.argwhere(np.isfinite(flow.arrival_s)))
    times = flow.arrival_s[np.isfinite(flow.arrival_s)]
    away = np.linalg.norm(points - np.array(injection.true_needle.tip_mm), axis=1)
    assert times.min() >= injection.spec.flow.start_s
    assert away[np.argsort(times)[:30]].max() < 5.0
    assert np.median(away[times > np.median(times)]) > np.median(away[times < np.median(times)])


def test_a_leak_comes_after_the_cement_has_reached_the_wall(phantom_patient):
    flow = short_injection(phantom_patient, "posterior wall").flow
    leaked = np.isfinite(flow.arrival_s) & ~flow.body
    assert flow.arrival_s[leaked].min() > flow.arrival_s[np.isfinite(flow.arrival_s) & flow.body].min()


@pytest.fixture(scope="module")
def run(phantom_patient):
    injection = short_injection(phantom_patient, "posterior wall", frames=40)
    return injection, list(injection.pictures())


def test_the_same_seed_gives_the_same_pictures(phantom_patient, run):
    again = short_injection(phantom_patient, "posterior wall", frames=40).pictures()
    for (one, a), (other, b) in zip(run[1][:3], again, strict=False):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert a == b


def test_cement_is_dark_on_the_picture(run):
    injection, pictures = run
    last = pictures[-1][0]
    flow = injection.flow
    early = np.argwhere(flow.arrival_s <= np.nanmin(flow.arrival_s) + 0.5)
    view = injection.true_view.of_moved(injection.pose(last.time_s))
    row, column = view.project(flow.grid.to_lps(early)).mean(0)
    spot = (slice(int(row) - 4, int(row) + 5), slice(int(column) - 4, int(column) + 5))
    assert last.pixels[spot].mean() < pictures[0][0].pixels[spot].mean() - 10


def test_what_is_true_of_pictures_grows_and_a_perfect_reader_sees_no_more_than_there_is(run):
    truths = [truth for _, truth in run[1]]
    for before, after in itertools.pairwise(truths):
        assert after.injected_ml >= before.injected_ml
        assert after.behind_third_ml >= before.behind_third_ml >= before.behind_quarter_ml
        assert after.canal_ml >= before.canal_ml
    assert truths[0].front is None
    assert truths[-1].canal_ml > 0.3
    assert 0.0 < truths[-1].canal_visible_ml <= truths[-1].canal_ml * 1.05


def test_behind_the_needles_shadow_nothing_is_seen(run):
    injection, pictures = run
    reader = Reader(injection.flow, injection.spec.scope, injection.true_view.binned(2))
    shape = injection.true_view.binned(2).shape
    time = pictures[-1][0].time_s
    bright, none = np.full(shape, 0.05, np.float32), np.zeros(shape, np.float32)
    clear = reader.truth(0, time, injection.pose(time), none, bright, 1e4)
    hidden = reader.truth(0, time, injection.pose(time), none + 1.0, bright, 1e4)
    dim = reader.truth(0, time, injection.pose(time), none, bright, 1e-3)
    assert clear.canal_visible_ml > 0.02
    assert hidden.canal_visible_ml == 0.0
    assert dim.canal_visible_ml == 0.0


def test_every_kind_of_leak_is_drawn(phantom_patient):
    vertebra = phantom_patient.spine.vertebrae[1]
    drawn = {draw_spec(seed, vertebra, 20.0).flow.kind for seed in range(120)}
    assert drawn == set(LEAK_KINDS)
