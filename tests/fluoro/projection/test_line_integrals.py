"""Rays through a volume: agreement with what can be computed on paper, and what must not change them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.line_integrals import Method, line_integrals
from thecal.fluoro.projection.view import View
from thecal.volume import FloatArray, Grid

METHODS: tuple[Method, ...] = ("planes", "exact", "trilinear")
ARM = CArm(pitch_mm=4.0, shape=(37, 70))
# Tenths of a degree off the axes: exactly along a border between two voxels either is right.
angles = st.integers(-1800, 1800).map(lambda tenths: tenths / 10 + 0.0123)
tilts = st.integers(-400, 400).map(lambda tenths: tenths / 10 + 0.0171)


def grid_of(shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> Grid:
    """An axis-parallel grid around the origin."""
    affine = np.zeros((4, 4))
    affine[0, 2], affine[1, 1], affine[2, 0], affine[3, 3] = spacing[2], spacing[1], spacing[0], 1.0
    affine[:3, 3] = affine[:3, :3] @ -((np.array(shape) - 1) / 2)
    return Grid(shape, affine)


def lengths_in_box(view: View, low: FloatArray, high: FloatArray) -> FloatArray:
    """Exact lengths of the rays within an axis-parallel box, mm."""
    rows, columns = np.indices(view.shape)
    ray = view.pixel(rows, columns) - view.source
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (low - view.source) / ray, (high - view.source) / ray
    near = np.nanmax(np.minimum(one, other), axis=-1)
    far = np.nanmin(np.maximum(one, other), axis=-1)
    length: FloatArray = np.clip(far - near, 0.0, None) * np.linalg.norm(ray, axis=-1)
    return length


def lengths_in_sphere(view: View, centre: FloatArray, radius: float) -> FloatArray:
    """Exact lengths of the rays within a ball, mm."""
    rows, columns = np.indices(view.shape)
    ray = view.pixel(rows, columns) - view.source
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    off = np.cross(centre - view.source, ray)
    length: FloatArray = 2 * np.sqrt(np.clip(radius**2 - (off**2).sum(-1), 0.0, None))
    return length


@pytest.mark.parametrize("method", METHODS)
@given(primary=angles, secondary=tilts)
@settings(max_examples=12, deadline=None)
def test_a_block_of_bone_is_as_thick_as_the_ray_s_way_through_it(
    method: Method, primary: float, secondary: float
) -> None:
    grid = grid_of((20, 24, 28), (2.5, 0.9, 1.1))
    view = ARM.view(np.zeros(3), primary, secondary)
    half = np.array([28 * 1.1, 24 * 0.9, 20 * 2.5]) / 2
    seen = line_integrals(np.full(grid.shape, 0.5, np.float32), grid, view, method=method)
    np.testing.assert_allclose(seen, 0.5 * lengths_in_box(view, -half, half), rtol=2e-4, atol=2e-3)


@given(primary=angles, secondary=tilts, seed=st.integers(0, 2**16))
@settings(max_examples=12, deadline=None)
def test_exact_traversal_agrees_with_the_way_through_every_single_voxel(
    primary: float, secondary: float, seed: int
) -> None:
    shape, spacing = (4, 3, 5), (9.0, 14.0, 8.0)
    values = np.random.default_rng(seed).uniform(0.0, 1.0, shape).astype(np.float32)
    grid = grid_of(shape, spacing)
    view = ARM.view(np.zeros(3), primary, secondary)
    half = np.array(spacing[::-1]) / 2
    expected = np.zeros(view.shape)
    for index in np.ndindex(shape):
        middle = grid.to_lps(index)
        expected += values[index] * lengths_in_box(view, middle - half, middle + half)
    seen = line_integrals(values, grid, view, method="exact")
    np.testing.assert_allclose(seen, expected, rtol=1e-3, atol=5e-3)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("angle", [(0.0, 0.0), (90.0, 0.0), (35.0, 12.0), (45.0, 0.0), (90.0, 60.0)])
def test_a_ball_of_cement_throws_the_shadow_of_a_ball(method: Method, angle: tuple[float, float]) -> None:
    grid = grid_of((60, 60, 60), (0.5, 0.5, 0.5))
    centre, radius = np.array([1.3, -0.7, 0.4]), 9.0
    # The share of each voxel within the ball, as its border crosses it.
    places = grid.to_lps(np.stack(np.indices(grid.shape), axis=-1))
    share = np.clip(0.5 + (radius - np.linalg.norm(places - centre, axis=-1)) / 0.5, 0.0, 1.0)
    view = CArm(pitch_mm=1.0, shape=(48, 48)).view(np.zeros(3), *angle)
    seen = line_integrals(share, grid, view, method=method)
    true = lengths_in_sphere(view, centre, radius)
    inner = true > radius
    assert inner.sum() > 300
    off = np.abs(seen / np.where(inner, true, 1) - 1)[inner]
    assert np.median(off) < 0.01
    assert off.max() < 0.1
    assert seen.sum() == pytest.approx(true.sum(), rel=5e-3)


@pytest.mark.parametrize("method", METHODS)
@given(primary=angles, secondary=tilts, seed=st.integers(0, 2**16), data=st.data())
@settings(max_examples=12, deadline=None)
def test_the_order_of_a_volume_s_axes_does_not_change_the_picture(
    method: Method, primary: float, secondary: float, seed: int, data: Any
) -> None:
    shape = (12, 15, 10)
    values = np.random.default_rng(seed).uniform(0.0, 1.0, shape).astype(np.float32)
    grid = grid_of(shape, (2.0, 1.0, 1.5))
    view = ARM.view((3.1234, -4.2345, 2.3456), primary, secondary)
    order = data.draw(st.permutations([0, 1, 2]))
    flips = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
    other, turned = reordered(values, grid, order, flips)
    seen = line_integrals(values, grid, view, method=method)
    again = line_integrals(other, turned, view, method=method)
    # Where a ray runs at 45 degrees to two axes either may be walked along: interpolation then differs.
    np.testing.assert_allclose(again, seen, rtol=1e-3, atol=0.05 if method == "planes" else 5e-3)


def reordered(
    values: npt.NDArray[Any], grid: Grid, order: list[int], flips: list[bool]
) -> tuple[npt.NDArray[Any], Grid]:
    """The same volume with its axes in another order and some of them backwards."""
    axes = tuple(n for n, flip in enumerate(flips) if flip)
    corner = np.array([grid.shape[n] - 1 if flips[n] else 0 for n in range(3)])
    affine = np.eye(4)
    sign = np.where(flips, -1.0, 1.0)
    affine[:3, :3] = (grid.affine[:3, :3] * sign)[:, order]
    affine[:3, 3] = grid.to_lps(corner)
    other = np.flip(values, axes).transpose(order)
    return other, Grid(other.shape, affine)


def test_rays_beside_the_volume_see_nothing() -> None:
    grid = grid_of((8, 8, 8), (1.0, 1.0, 1.0))
    for method in METHODS:
        seen = line_integrals(np.ones(grid.shape), grid, ARM.view((200.0, 0, 0), 0.0), method=method)
        assert not seen.any()


def test_a_single_slice_and_integers_are_taken() -> None:
    grid = grid_of((1, 30, 30), (2.0, 1.0, 1.0))
    for method in METHODS:
        seen = line_integrals(np.ones(grid.shape, np.int16), grid, ARM.view(np.zeros(3), 0.0), method=method)
        assert seen.max() == pytest.approx(30.0, rel=1e-3)
