from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.label_canal import angles
from thecal.anatomy.sac import sac_radius, sac_without_fat
from thecal.anatomy.spine import Canal
from thecal.frames import CanalFrame
from thecal.volume import Grid

WALL, SAC = 10.0, 6.5


def canal_with_fat(spacing: float = 1.0, *, fat: bool = True, noise: float = 15.0):
    shape = (int(60 / spacing), int(50 / spacing), int(50 / spacing))
    affine = np.eye(4)
    affine[:3, :3] = np.diag([spacing] * 3)[:, ::-1]
    affine[:3, 3] = [-25 + spacing / 2, -25 + spacing / 2, spacing / 2]
    grid = Grid(shape, affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), axis=-1)
    x, y, _ = np.moveaxis(grid.to_lps(index), -1, 0)
    r = np.hypot(x, y)
    hu = np.where(r < SAC, 20.0, np.where(r < WALL, -90.0 if fat else 20.0, 600.0))
    hu += np.random.default_rng(0).normal(0, noise, shape)
    frame = CanalFrame.through(np.stack([[0.0, 0.0, z] for z in np.linspace(4, 56, 20)]))
    wall = np.full((len(frame.s_mm), len(angles())), WALL)
    return hu.astype(np.int16), grid, frame, wall, r


@pytest.mark.parametrize("spacing", [0.7, 1.0, 1.5])
def test_the_sac_ends_where_the_epidural_fat_begins(spacing: float) -> None:
    hu, grid, frame, wall, _ = canal_with_fat(spacing)
    sac, _ = sac_radius(hu, grid, frame, angles(), wall)
    assert np.median(sac) == pytest.approx(SAC, abs=0.6)
    assert np.percentile(np.abs(sac - SAC), 95) < 1.2


def test_without_fat_the_sac_is_a_published_share_of_the_canal() -> None:
    hu, grid, frame, wall, _ = canal_with_fat(fat=False)
    sac, _ = sac_radius(hu, grid, frame, angles(), wall)
    assert 0.70 < np.median(sac) / WALL < 0.92
    assert np.ptp(sac) < 1.0


def test_cement_over_the_fat_does_not_move_the_sac() -> None:
    hu, grid, frame, wall, r = canal_with_fat()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid.to_lps(index), -1, 0)
    cement = (r > 4) & (r < WALL) & (y < 0) & (np.abs(x) < 5) & (np.abs(z - 30) < 5)
    before, _ = sac_radius(hu, grid, frame, angles(), wall)
    hidden = hu.copy()
    hidden[cement] = 2800
    after, _ = sac_radius(hidden, grid, frame, angles(), wall, cement)
    assert np.abs(after - before).max() < 1.0


def test_the_sac_is_never_beyond_the_wall() -> None:
    hu, grid, frame, wall, _ = canal_with_fat(noise=60.0)
    narrow = wall * np.linspace(0.4, 1.0, len(wall))[:, None]
    sac, _ = sac_radius(hu, grid, frame, angles(), narrow)
    assert (sac <= narrow).all()
    assert (sac > 0).all()


def test_the_outline_is_surer_where_fat_bounds_the_sac() -> None:
    sure, unsure = (
        sac_radius(*canal_with_fat(fat=fat)[:3], angles(), canal_with_fat()[3])[1] for fat in (True, False)
    )
    assert sure.max() < 1.1
    assert unsure.min() > 1.2


def test_cement_over_the_fat_makes_the_outline_unsure_there_and_nowhere_else() -> None:
    hu, grid, frame, wall, r = canal_with_fat()
    z = grid.to_lps(np.argwhere(hu > -2000))[:, 2].reshape(hu.shape)
    cement = (r < WALL) & (np.abs(z - 30) < 6)
    hidden = np.where(cement, 2800, hu).astype(np.int16)
    _, sd = sac_radius(hidden, grid, frame, angles(), wall, cement)
    place = frame.points[:, 2]
    assert sd[np.abs(place - 30) < 3].min() > 1.2
    assert sd[np.abs(place - 30) > 18].max() < 1.1


@pytest.mark.parametrize("fat", [True, False])
def test_a_canal_without_fat_is_told_of(fat: bool) -> None:
    hu, grid, frame, wall, _ = canal_with_fat(fat=fat)
    sac, sd = sac_radius(hu, grid, frame, angles(), wall)
    note = sac_without_fat(Canal(frame, angles(), wall, sac, np.ones(len(wall)), sd))
    assert (note is None) == fat
    assert fat or "published share" in note.message
