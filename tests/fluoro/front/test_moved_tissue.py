"""Gas and the diaphragm move beside the body; cement that has leaked there does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from thecal.fluoro.front.moved_tissue import without_moved

SHAPE = (90, 110)


def _bubble(row: float, column: float) -> np.ndarray:
    rows, columns = np.indices(SHAPE)
    away = ((rows - row) / 22.0) ** 2 + ((columns - column) / 16.0) ** 2
    return 0.6 * np.sqrt(np.maximum(1.0 - away, 0.0)).astype(np.float32)


@pytest.fixture
def before() -> np.ndarray:
    ground = np.linspace(0.0, 0.8, SHAPE[1], dtype=np.float32)[None] + np.zeros(SHAPE, np.float32)
    return ground + _bubble(40.0, 40.0)


@pytest.mark.parametrize("shift", [(4.0, 2.0), (-3.0, -5.0), (0.0, 6.0)])
def test_the_edge_of_a_bubble_that_has_drifted_is_no_leak(
    before: np.ndarray, shift: tuple[float, float]
) -> None:
    ground = before - _bubble(40.0, 40.0)
    noise = np.random.default_rng(1).normal(0.0, 0.006, SHAPE)
    change = (before - ground - _bubble(40.0 + shift[0], 40.0 + shift[1]) + noise).astype(np.float32)
    dark = ndimage.binary_opening(change > 0.05)
    assert dark.sum() > 30
    left = without_moved(dark, np.ones(SHAPE, bool), change, before, np.ones(SHAPE, bool))
    assert left.sum() < 0.1 * dark.sum()


@pytest.mark.parametrize("place", [(40, 80), (40, 58), (70, 30)])
def test_a_leak_beside_a_bubble_stays(before: np.ndarray, place: tuple[int, int]) -> None:
    rows, columns = np.indices(SHAPE)
    leak = np.hypot((rows - place[0]) / 1.0, (columns - place[1]) / 2.0) < 5.0
    change = (0.2 * ndimage.gaussian_filter(leak.astype(np.float32), 1.0)).astype(np.float32)
    change += np.random.default_rng(2).normal(0.0, 0.006, SHAPE).astype(np.float32)
    dark = ndimage.binary_opening(change > 0.05)
    left = without_moved(dark, np.ones(SHAPE, bool), change, before, np.ones(SHAPE, bool))
    assert np.array_equal(left, dark)


def test_what_lies_over_body_or_canal_is_not_judged(before: np.ndarray) -> None:
    ground = before - _bubble(40.0, 40.0)
    change = (before - ground - _bubble(44.0, 42.0)).astype(np.float32)
    dark = change > 0.05
    assert np.array_equal(
        without_moved(dark, np.zeros(SHAPE, bool), change, before, np.ones(SHAPE, bool)), dark
    )
