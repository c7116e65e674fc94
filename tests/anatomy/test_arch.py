"""The arch and its processes belong to their own vertebra; ribs to none."""

from __future__ import annotations

import numpy as np
import pytest
from canal_reading import Read
from label_spine import BODY_HEIGHT, SEGMENT, LabelSpine, label_spine

from thecal.anatomy.arch import share_out_arches
from thecal.anatomy.bodies import find_body
from thecal.anatomy.column import Disc
from thecal.anatomy.missing import DENSE_HU
from thecal.anatomy.paint import inside_wall, paint_body


def disc_at(z: float, canal: Read) -> Disc:
    s = float(canal.frame.locate([[0.0, 0.0, z]])[0][0])
    return Disc(s, np.array([0.0, -22.0, z]), np.array([0, 0, 1.0]), 100.0, 4.0)


@pytest.fixture(scope="module")
def shared(plain: LabelSpine, canal: Read) -> tuple[np.ndarray, np.ndarray]:
    """Labels of the arches, and places of the voxels; T12 carries ribs, L2's arch holds cement."""
    grid = canal.grid
    hu = np.where(canal.hu > 0, canal.hu, 0).astype(np.int16)
    ribs = label_spine([21, 20, 19], ribs=(19,)).volume.hu
    hu = np.maximum(hu, np.where(ribs > 200, ribs, 0)).astype(np.int16)
    points = grid.to_lps(np.argwhere(np.ones(hu.shape, bool))).reshape(*hu.shape, 3)
    x, y, z = np.moveaxis(points, -1, 0)
    hu[(np.abs(x) < 3) & (y > 14) & (y < 24) & (np.abs(z - 10) < 5)] = 2800
    missing = np.zeros(hu.shape, bool)
    shape = (canal.frame, canal.theta, canal.wall)
    planes = [disc_at(k * SEGMENT - 4.0, canal) for k in range(4)]
    spans = [(planes[k].s_mm, planes[k + 1].s_mm) for k in range(3)]
    bodies = [find_body(hu, missing, grid, shape, planes[k], planes[k + 1], spans[k]) for k in range(3)]
    taken = inside_wall(grid, *shape)
    for body in bodies:
        box, inside = paint_body(body, grid, 7.0)
        taken[box] |= inside > 0
    return share_out_arches(hu, hu >= DENSE_HU, taken, grid, shape, bodies, spans), points


def owners(shared: tuple[np.ndarray, np.ndarray], where: np.ndarray) -> np.ndarray:
    return shared[0][where]


@pytest.mark.parametrize("vertebra", [0, 1, 2])
def test_spinous_and_transverse_processes_keep_their_vertebra(
    shared, plain: LabelSpine, vertebra: int
) -> None:
    x, y, _ = np.moveaxis(shared[1], -1, 0)
    own = plain.labels == 21 - vertebra
    # Behind the cement, and short of where the ribs' fronts meet the processes.
    spinous = own & (np.abs(x) < 3) & (y > 24) & (y < 36)
    transverse = own & (np.abs(x) > 18) & (np.abs(x) < 30) & (y > -3)
    for process in (spinous, transverse):
        assert (owners(shared, process) == vertebra + 1).mean() > 0.95


def test_cement_in_an_arch_does_not_take_it_from_its_vertebra(shared) -> None:
    x, y, z = np.moveaxis(shared[1], -1, 0)
    behind = (np.abs(x) < 2) & (y > 26) & (y < 36) & (np.abs(z - BODY_HEIGHT / 2 + 3) < 7)
    assert (owners(shared, behind) == 1).mean() > 0.95


def test_a_rib_belongs_to_no_vertebra(shared) -> None:
    x, _, _ = np.moveaxis(shared[1], -1, 0)
    rib = (np.abs(x) > 56) & (np.abs(x) < 80)
    assert (owners(shared, rib) == 0).all()


def test_soft_tissue_between_two_arches_belongs_to_none(shared) -> None:
    x, y, z = np.moveaxis(shared[1], -1, 0)
    between = (np.abs(x) < 3) & (y > 16) & (y < 36) & (np.abs(z - (SEGMENT - 5)) < 2)
    assert (owners(shared, between) == 0).all()
