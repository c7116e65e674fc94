"""Ways through a vertebra of plain shapes: every answer is arithmetic."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from patients import BODY_DEPTH, BODY_HALF, CANAL_X, PEDICLE_X, PEDICLE_Z, plain_block

from thecal.needle.search.candidates import Room
from thecal.needle.search.find_ways import ground_of, search
from thecal.needle.search.judge import BORES, OK, Ground, judge
from thecal.needle.search.keep_away import NEAR_LOW_MM, NEAR_STEP_MM, RIB
from thecal.needle.search.rules import rules

STEP = 1.2


def room(side: float = 1.0) -> Room:
    x, z = np.meshgrid(side * np.arange(2.0, 39.0, STEP), PEDICLE_Z + np.arange(-11, 13, STEP), indexing="ij")
    crossings = np.stack([x, np.full_like(x, -5.0), z], -1).reshape(-1, 3)
    tips = [
        (side * a, s * BODY_DEPTH, h) for a in (3.0, 6.0, 9.0) for s in (0.7, 0.8) for h in (-3.0, 0.0, 3.0)
    ]
    return Room(
        side,
        crossings,
        np.array(tips),
        (side * 6.0, 0.78, 0.0),
        (PEDICLE_X, PEDICLE_Z),
        0.0,
        BODY_DEPTH,
        (1.0, 12.0),
    )


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_way_found_runs_through_the_pedicle_of_its_side(side):
    best = search(plain_block(), rules("transpedicular", 3.1), room(side)).ways[0]
    at = best.tip - best.ahead * (best.tip[1] + 5.0) / best.ahead[1]
    assert abs(side * at[0] - PEDICLE_X) < 4.0
    assert abs(at[2] - PEDICLE_Z) < 7.0


def test_no_way_comes_nearer_to_the_canal_than_the_margin():
    for way in search(plain_block(), rules("transpedicular", 3.1, 1.2), room()).ways:
        assert way.medial_mm >= 1.2
        behind = way.tip - np.arange(0.0, 60.0, 0.1)[:, None] * way.ahead
        beside = behind[(behind[:, 1] <= 0.0) & (behind[:, 1] >= -16.0)]
        assert beside[:, 0].min() - 1.55 >= CANAL_X + 1.2 - 0.4


def test_a_pedicle_thinner_than_the_needle_has_no_way():
    thin = plain_block(0.15, (1.4, 6.0))
    assert search(thin, rules("transpedicular", 3.1), room()).ways == ()
    assert search(thin, rules("transpedicular", 1.8), room()).ways != ()


def test_a_way_beside_the_pedicle_enters_the_side_wall_of_the_body_lateral_of_it():
    narrow = plain_block(half=(1.2, 4.0))
    found = search(narrow, rules("extrapedicular", 3.1), room())
    assert found.ways
    for way in found.ways:
        entry = way.tip - way.to_bone_mm * way.ahead
        assert entry[0] >= PEDICLE_X
        assert entry[2] >= PEDICLE_Z - 2.0
        assert entry[1] <= BODY_DEPTH / 2.0


def test_a_wall_of_bone_across_every_way_leaves_none_and_says_why():
    found = search(plain_block(rib=True), rules("transpedicular", 3.1), room())
    assert found.ways == ()
    assert sum(found.ended.values()) == found.tried


@pytest.mark.parametrize("outer", [1.8, 2.4, 3.1, 3.4])
def test_no_needle_however_thin_bores_through_a_rib(outer):
    rule = rules("transpedicular", outer)
    assert search(plain_block(), rule, room()).ways
    assert search(plain_block(rib=True, kind=RIB), rule, room()).ways == ()


def test_no_way_beside_the_pedicle_bores_through_the_vertebras_own_transverse_process():
    keep = plain_block(half=(1.2, 4.0), process=True)
    found = search(keep, rules("extrapedicular", 3.1), room())
    for way in found.ways:
        entry = way.tip - way.to_bone_mm * way.ahead
        behind = entry - np.arange(1.0, 60.0, 0.25)[:, None] * way.ahead
        assert keep.depth_in_bone(behind).max() <= 0.3
    assert found.ended.get(BORES, 0) > 0


def test_bone_begins_at_the_first_of_it_that_the_needle_meets_from_the_skin():
    # The pedicle's back lies 24 mm behind the wall here; a spur of its own lies 5 mm behind that.
    spur = plain_block()
    solid = spur.solid.copy()
    y = NEAR_LOW_MM[1] + NEAR_STEP_MM * np.arange(solid.shape[1])
    solid[:, (y < -29.0) & (y > -34.0)] = 1.0
    plain = search(spur, rules("transpedicular", 3.1), room()).ways[0]
    way = search(replace(spur, solid=solid), rules("transpedicular", 3.1), room()).ways[0]
    entry = way.tip - way.to_bone_mm * way.ahead
    assert entry[1] == pytest.approx(-33.6, abs=1.5)
    assert (plain.tip - plain.to_bone_mm * plain.ahead)[1] > -26.0


@cache
def plain_ground() -> Ground:
    return ground_of(plain_block(), rules("transpedicular", 3.1), room())


@given(
    aside=st.floats(3.0, 20.0),
    height=st.floats(-6.0, 12.0),
    tip=st.floats(-8.0, 14.0),
    deep=st.floats(22.0, 28.0),
)
def test_the_least_distance_from_the_canal_is_that_of_arithmetic(aside, height, tip, deep):
    start, end = np.array([aside, -5.0, height]), np.array([tip, deep, 0.0])
    ahead = (end - start) / np.linalg.norm(end - start)
    out = np.zeros(5)
    if judge(plain_ground(), end, ahead, out) != OK:
        return
    line = end - np.arange(0.0, 120.0, 0.05)[:, None] * ahead
    line = line[line[:, 1] > -39.0]
    gap = np.maximum.reduce([np.abs(line[:, 0]) - CANAL_X, line[:, 1], -16.0 - line[:, 1]])
    assert out[1] == pytest.approx(float(np.maximum(gap, 0.0).min()) - 1.55, abs=0.5)


def test_a_needle_never_leaves_the_body_in_front_or_beside():
    for way in search(plain_block(), rules("transpedicular", 3.1), room()).ways:
        assert way.tip[1] <= BODY_DEPTH - 3.0 + 0.5
        assert abs(way.tip[0]) <= BODY_HALF - 3.0 + 0.5
