"""A waist under cement is as hollow as its other side and its neighbours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from thecal.anatomy.bodies import WAIST_ANGLES, WAIST_LEVELS, Body
from thecal.anatomy.bone_edge import Sight
from thecal.anatomy.hidden_waist import settle_hidden_waists
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import Grid

ANGLES = -np.pi + 2 * np.pi * np.arange(WAIST_ANGLES) / WAIST_ANGLES
LEVELS = (np.arange(WAIST_LEVELS) + 0.5) / WAIST_LEVELS
HALF_HEIGHT = 12.0
GRID = Grid((90, 80, 80), np.eye(4)[[2, 1, 0, 3]])


def radius_at(angle: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Hollow: 4 mm narrower at mid height than at the endplates."""
    return 16.0 + 2.0 * np.cos(2 * angle) + 4.0 * (np.abs(2 * share - 1) ** 2 - 0.5)


def scene() -> tuple[np.ndarray, Body]:
    """One hollow body of bone in soft tissue, its axis at (40, 40), as drawn without a fault."""
    z, y, x = np.mgrid[:90, :80, :80]
    left, forward = x - 40.0, -(y - 40.0)
    share = (z - (45 - HALF_HEIGHT)) / (2 * HALF_HEIGHT)
    limit = radius_at(np.arctan2(left, forward), np.clip(share, 0, 1))
    bone = (np.hypot(left, forward) < limit) & (share > -0.2) & (share < 1.2)
    hu = np.where(bone, 250, 30).astype(np.int16)
    # LPS: anterior is -y; the origin stands 15 mm behind the axis.
    frame = VertebraFrame.from_axes(
        np.array([40.0, 55.0, 45.0]), np.array([0, 0, 1.0]), np.array([1.0, 0, 0])
    )
    cells = np.arange(-36, 36.1, 1.5)
    flat = np.full((len(cells), len(cells)), HALF_HEIGHT)
    waist = radius_at(ANGLES[None], LEVELS[:, None])
    body = Body(frame, cells, cells + 15, -flat, flat, 15.0, ANGLES, LEVELS, waist, 200.0, False)
    return hu, body


def canal_behind() -> tuple[CanalFrame, np.ndarray, np.ndarray]:
    """Where no ray of the waist meets it."""
    points = np.array([[40.0, 300.0, z] for z in np.arange(0.0, 90.0)])
    theta = np.linspace(-np.pi, np.pi, 64, endpoint=False)
    return CanalFrame.through(points), theta, np.full((len(points), 64), 8.0)


def under_cement(hu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cement over the left front of the waist, inside and out, from near one endplate to the other."""
    z, y, x = np.mgrid[:90, :80, :80]
    left, forward = x - 40.0, -(y - 40.0)
    angle, radius = np.arctan2(left, forward), np.hypot(left, forward)
    cement = (np.abs(angle - 0.9) < 0.55) & (radius > 8) & (radius < 22) & (np.abs(z - 45) < 11)
    return np.where(cement, 2500, hu).astype(np.int16), cement


def test_a_waist_that_cement_hides_is_drawn_as_hollow_as_its_other_side():
    hu, body = scene()
    dirty, cement = under_cement(hu)
    straight = body.waist.copy()
    hidden = np.abs(ANGLES - 0.9) < 0.5
    straight[:, hidden] = body.waist[[0, -1]].mean(axis=0)[hidden]
    drawn = replace(body, waist=straight)
    before = np.abs(straight - body.waist)[4:-4][:, hidden].mean()
    (settled,) = settle_hidden_waists(Sight.of(dirty, cement, GRID), canal_behind(), [drawn])
    after = np.abs(settled.waist - body.waist)[4:-4][:, hidden].mean()
    assert before > 2.0
    assert after < 1.0


def test_a_waist_in_plain_sight_is_left_as_it_is():
    hu, body = scene()
    (settled,) = settle_hidden_waists(Sight.of(hu, np.zeros(hu.shape, bool), GRID), canal_behind(), [body])
    assert settled is body


def test_the_same_body_is_expected_whichever_side_the_cement_is_on():
    hu, body = scene()
    mirrored = (-np.arange(WAIST_ANGLES)) % WAIST_ANGLES
    found = []
    for flip in (1, -1):
        dirty, cement = (np.ascontiguousarray(v[:, :, ::flip]) for v in under_cement(hu))
        # Voxel 39 mirrors voxel 40: the axis moves by one.
        origin = body.frame.origin - np.array([1.0 if flip < 0 else 0.0, 0, 0])
        frame = replace(body.frame, origin=origin)
        (settled,) = settle_hidden_waists(
            Sight.of(dirty, cement, GRID), canal_behind(), [replace(body, frame=frame)]
        )
        found.append(settled.waist[:, mirrored] if flip < 0 else settled.waist)
    front = np.abs(ANGLES) < 1.6
    assert found[0][:, front] == pytest.approx(found[1][:, front], abs=0.1)
