"""Contrast medium in the sac: found, outlined, and taken out of the scan."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.contrast.along import contrast_along
from thecal.anatomy.contrast.find import find_contrast
from thecal.anatomy.contrast.value import without_contrast
from thecal.frames import CanalFrame
from thecal.volume import Grid, Volume

WALL, SAC, CORD = 10.0, 7.0, 3.5
LENGTH = 80


def tube(contrast_hu: float, *, filled: tuple[float, float] = (0, LENGTH), cement: bool = False) -> Volume:
    """A canal of bone with fat, a sac full of contrast and a dark cord in it, blurred and noisy."""
    from scipy import ndimage

    affine = np.eye(4)
    affine[:3, :3] = np.eye(3)[:, ::-1]
    affine[:3, 3] = [-20.0, -20.0, 0.0]
    grid = Grid((LENGTH, 41, 41), affine)
    z, y, x = np.meshgrid(np.arange(LENGTH), np.arange(-20, 21), np.arange(-20, 21), indexing="ij")
    r = np.hypot(x, y)
    inside = (z >= filled[0]) & (z < filled[1])
    hu = np.where(r < CORD, 35.0, np.where(r < SAC, np.where(inside, contrast_hu, 20.0), -90.0))
    hu = np.where(r >= WALL, 700.0, hu)
    if cement:
        hu[(np.abs(z - 40) < 6) & (x > 2) & (r < SAC + 1)] = 4000.0
    hu = ndimage.gaussian_filter(hu, 0.6) + np.random.default_rng(1).normal(0, 15, hu.shape)
    return Volume.from_array(np.rint(hu), grid)


def course() -> CanalFrame:
    return CanalFrame.through([[0.0, 0.0, z] for z in np.linspace(2, LENGTH - 3, 20)])


@pytest.mark.parametrize("hu", [250.0, 600.0, 1200.0])
def test_the_border_of_contrast_is_seen_within_half_a_pixel(hu: float) -> None:
    found = find_contrast(tube(hu), course())
    assert found is not None
    assert np.nanmedian(np.abs(found.border_mm - SAC)) < 0.5
    assert np.nanmedian(found.hu) == pytest.approx(hu, rel=0.1)
    assert found.seen.mean() > 0.9


def test_plain_csf_is_no_contrast() -> None:
    assert np.isnan(contrast_along(tube(20.0).hu, tube(20.0).grid, course())).all()
    assert find_contrast(tube(20.0), course()) is None


def test_without_its_contrast_the_sac_is_soft_and_bone_is_what_it_was() -> None:
    volume, plain = tube(600.0), tube(20.0)
    found = find_contrast(volume, course())
    whole = tuple(slice(0, n) for n in volume.hu.shape)
    freed = without_contrast(volume, whole, found)  # type: ignore[arg-type]
    z, y, x = np.meshgrid(np.arange(LENGTH), np.arange(-20, 21), np.arange(-20, 21), indexing="ij")
    r = np.hypot(x, y)
    along = (z > 4) & (z < LENGTH - 5)
    assert np.percentile(freed[along & (r < SAC - 1)], 99) < 130
    assert np.abs(freed - plain.hu)[along & (r > WALL + 1)].max() < 5


def test_contrast_is_found_where_it_fills_a_few_levels_only() -> None:
    found = find_contrast(tube(500.0, filled=(20, 55)), course())
    assert found is not None
    height = found.points[np.isfinite(found.hu), 2]
    assert height.min() == pytest.approx(20, abs=4)
    assert height.max() == pytest.approx(54, abs=4)


def test_cement_in_the_contrast_stays_in_the_scan_and_does_not_move_the_border() -> None:
    volume = tube(600.0, cement=True)
    found = find_contrast(volume, course())
    assert found is not None
    beside = np.abs(found.points[:, 2] - 40) < 5
    assert np.abs(found.border_mm[beside] - SAC).max() < 1.6
    whole = tuple(slice(0, n) for n in volume.hu.shape)
    freed = without_contrast(volume, whole, found)  # type: ignore[arg-type]
    core = np.zeros(volume.hu.shape, bool)
    core[37:44, 18:23, 24:26] = True
    assert np.median(freed[core]) > 3500


def test_a_drop_of_cement_alone_is_no_contrast() -> None:
    assert find_contrast(tube(20.0, cement=True), course()) is None
