"""What cement hides from anatomy, and what is bone and must be read."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.missing import missing_data

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
