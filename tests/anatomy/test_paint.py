"""Surfaces painted onto voxels hold the volume that geometry says."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.bodies import Body
from thecal.anatomy.paint import inside_wall, paint_body, paint_tube
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import Grid

THETA = -np.pi + 2 * np.pi * np.arange(64) / 64


def grid(spacing: float, shape=(70, 60, 60)) -> Grid:
    affine = np.eye(4)
    affine[:3, :3] = spacing * np.eye(3)[::-1]
    affine[:3, 3] = [-spacing * shape[2] / 2, -spacing * shape[1] / 2, 0]
    return Grid(shape, affine)


def curved() -> CanalFrame:
    t = np.linspace(0, 1, 20)
    return CanalFrame.through(np.stack([0 * t, 6 * np.sin(np.pi * t), 5 + 55 * t], axis=1))


@pytest.mark.parametrize("radius", [6.0, 9.0])
def test_a_round_canal_holds_its_volume(radius):
    frame = curved()
    wall = np.full((len(frame.s_mm), 64), radius)
    volume = inside_wall(grid(1.0), frame, THETA, wall).sum()
    assert volume == pytest.approx(np.pi * radius**2 * frame.s_mm[-1], rel=0.05)


def test_the_painted_wall_is_the_one_that_canal_coordinates_say():
    frame, place = curved(), grid(1.0)
    wall = 8 + 2 * np.cos(2 * THETA)[None, :] + 0.02 * frame.s_mm[:, None]
    inside = inside_wall(place, frame, THETA, wall)
    voxels = np.argwhere(np.ones(place.shape, bool))
    s, theta, r = frame.locate(place.to_lps(voxels))
    beyond = r - (8 + 2 * np.cos(2 * theta) + 0.02 * s)
    clear = (np.abs(beyond) > 0.4) & (s > 2) & (s < frame.s_mm[-1] - 2)
    assert np.array_equal(inside[tuple(voxels[clear].T)], beyond[clear] < 0)


def test_the_sac_lies_within_the_canal():
    frame = curved()
    n = len(frame.s_mm)
    tube = paint_tube(grid(1.0), frame, THETA, [np.full((n, 64), 9.0), np.full((n, 64), 6.5)])
    assert set(np.unique(tube)) == {0, 1, 2}
    assert (tube == 2).sum() == pytest.approx((tube > 0).sum() * (6.5 / 9) ** 2, rel=0.05)


def drum(radius: float = 15.0, half: float = 10.0) -> Body:
    """A round body, its axis ``radius`` in front of its posterior wall."""
    frame = VertebraFrame.from_axes([0.0, 20.0, 35.0], [0, 0, 1.0], [1.0, 0, 0])
    cells = np.arange(-24, 24.1, 1.5)
    angles = -np.pi + 2 * np.pi * np.arange(48) / 48
    flat = np.ones((len(cells), len(cells)))
    return Body(
        frame,
        cells,
        cells + radius,
        -half * flat,
        half * flat,
        radius,
        angles,
        np.linspace(0, 1, 8),
        np.full((8, 48), radius),
        100.0,
        False,
    )


@pytest.mark.parametrize("spacing", [0.8, 1.0, 1.5])
def test_a_round_body_holds_its_volume_and_its_discs_theirs(spacing):
    place = grid(spacing, tuple(int(n / spacing) for n in (70, 60, 60)))
    _, inside = paint_body(drum(), place, 6.0)
    area = np.pi * 15**2
    assert (inside == 1).sum() * place.voxel_mm3 == pytest.approx(area * 20, rel=0.06)
    for below_and_above in (2, 3):
        assert (inside == below_and_above).sum() * place.voxel_mm3 == pytest.approx(area * 6, rel=0.2)


def test_the_disc_below_is_told_from_the_one_above():
    place = grid(1.0)
    box, inside = paint_body(drum(), place, 4.0)
    z = place.crop(box).to_lps(np.argwhere(inside == 2))[:, 2]
    assert z.max() < 25.5
    z = place.crop(box).to_lps(np.argwhere(inside == 3))[:, 2]
    assert z.min() > 44.5
