"""The smooth surface of least cost: it follows what is plain, bridges what is not, and knows no first ray."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.anatomy.optimal_surface import optimal_surface

ROWS, RAYS, HEIGHTS = 9, 16, 24


def wall(seed: int, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """A wavy closed wall, and costs that rise away from it."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(RAYS) / RAYS
    phase, size = rng.uniform(0, 2 * np.pi), rng.uniform(0, 3)
    true = 11 + size * np.sin(angle + phase)[None, :] + 0.2 * np.arange(ROWS)[:, None]
    cost = np.abs(np.arange(HEIGHTS) - true[:, :, None]) + noise * rng.random((ROWS, RAYS, HEIGHTS))
    return true, cost.astype(np.float32)


def surface(cost: np.ndarray, cyclic: bool = True) -> np.ndarray:
    return optimal_surface(cost, cyclic=cyclic, linear=0.05, square=0.25)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), turn=st.integers(1, RAYS - 1))
def test_on_a_circle_no_angle_is_the_first(seed, turn):
    _, cost = wall(seed)
    turned = surface(np.roll(cost, turn, axis=1))
    assert np.allclose(turned, np.roll(surface(cost), turn, axis=1), atol=0.05)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), axis=st.sampled_from([0, 1]), cyclic=st.booleans())
def test_a_mirrored_scan_has_the_mirrored_surface(seed, axis, cyclic):
    _, cost = wall(seed)
    assert np.allclose(surface(np.flip(cost, axis), cyclic), np.flip(surface(cost, cyclic), axis), atol=0.05)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999), brighter=st.floats(-20, 20))
def test_what_costs_the_same_at_every_radius_changes_nothing(seed, brighter):
    _, cost = wall(seed)
    paid = cost.copy()
    paid[2:5, 3:9] += np.float32(brighter)
    assert np.allclose(surface(paid), surface(cost), atol=0.05)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 999))
def test_the_surface_lies_on_the_wall_where_it_is_plain(seed):
    true, cost = wall(seed)
    assert np.abs(surface(cost) - true).max() < 1.0


def test_a_gap_in_the_wall_is_bridged_between_its_edges():
    true, cost = wall(3, noise=0.0)
    cost[3:6, 4:8] = 0
    assert np.abs(surface(cost) - true)[3:6, 4:8].max() < 1.0
