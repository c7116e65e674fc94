"""What cement hides from anatomy, and what is bone and must be read."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.missing import isles_in_canal, missing_data
from thecal.frames import CanalFrame
from thecal.volume import Grid

SPACING = np.array([1.0, 1.0, 1.0])


def bone() -> np.ndarray:
    hu = np.full((30, 40, 40), 50, np.int16)
    hu[5:25, 5:20, 5:35] = 180
    hu[5:25, 19, 5:35] = 1000
    return hu


def test_a_scan_without_cement_hides_nothing():
    assert not missing_data(bone(), SPACING, 1.0).any()


def test_cement_and_the_voxels_beside_it_are_not_read():
    hu = bone()
    hu[10:15, 8:13, 10:15] = 2500
    hidden = missing_data(hu, SPACING, 1.0)
    assert hidden[9:16, 7:14, 9:16].all()
    assert hidden.sum() == 7**3


def test_a_thin_sheet_that_hangs_on_cement_is_hidden_and_cortical_bone_is_not():
    hu = bone()
    hu[10:15, 8:13, 10:15] = 2500
    hu[12, 13:17, 12] = 800
    hidden = missing_data(hu, SPACING, 1.0)
    assert hidden[12, 13:17, 12].all()
    assert not hidden[:, 19].any()


@pytest.mark.parametrize(
    ("side", "hu_of_it", "read"),
    [(3, 1500, True), (4, 1500, False), (1, 2800, True), (2, 2800, False)],
    ids=["small spot of sharp cortex", "large and dense", "one bright voxel", "small and bright"],
)
def test_a_small_spot_is_bone_unless_it_is_brighter_than_bone_can_be(side, hu_of_it, read):
    hu = bone()
    hu[10 : 10 + side, 10 : 10 + side, 10 : 10 + side] = hu_of_it
    assert missing_data(hu, SPACING, 1.0).any() != read


def test_thick_slices_hide_more_above_and_below():
    hu = bone()
    hu[12:14, 10:15, 10:15] = 2500
    assert missing_data(hu, SPACING, 1.0)[9].sum() == 0
    assert missing_data(hu, SPACING, 6.0)[9].sum() > 0


def test_cement_at_the_scans_edge_is_hidden_too():
    hu = bone()
    hu[:4, :4, :4] = 2500
    assert missing_data(hu, SPACING, 1.0)[:4, :4, :4].all()


GRID = Grid((40, 40, 40), np.eye(4)[[2, 1, 0, 3]])
COURSE = CanalFrame.through(np.array([[20.0, 20.0, z] for z in np.arange(0.0, 40.0)]))


def canal() -> np.ndarray:
    """A canal 16 mm wide in a ring of cortical bone."""
    y, x = np.mgrid[:40, :40]
    ring = np.hypot(y - 20, x - 20)
    plane = np.where((ring > 8) & (ring < 11), 900, np.where(ring >= 11, 250, 30))
    return np.repeat(plane[None], 40, axis=0).astype(np.int16)


def test_the_bone_round_a_canal_is_no_isle_in_it():
    assert not isles_in_canal(canal(), GRID, COURSE).any()


@pytest.mark.parametrize("hu", [500, 800, 2500])
def test_a_drop_of_cement_in_the_canal_is_hidden_however_small_or_faint(hu: int):
    scan = canal()
    scan[18:21, 22:24, 18:20] = hu
    hidden = isles_in_canal(scan, GRID, COURSE)
    assert hidden[18:21, 22:24, 18:20].all()
    assert hidden.sum() < 12 * 30


def test_a_spur_of_bone_into_the_canal_is_no_isle():
    scan = canal()
    scan[17:22, 10:17, 17:23] = 700
    assert not isles_in_canal(scan, GRID, COURSE).any()


def test_a_drop_outside_the_canals_reach_is_left_to_others():
    scan = np.full((40, 60, 60), 30, np.int16)
    scan[18:21, 50:53, 50:53] = 2500
    assert not isles_in_canal(scan, Grid((40, 60, 60), GRID.affine), COURSE).any()
