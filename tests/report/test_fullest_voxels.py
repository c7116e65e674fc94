"""Segments of deposits say the volumes that the report says."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.report.fullest_voxels import segment_voxels


def test_the_voxels_of_each_segment_add_up_to_the_deposits_volume(leaking):
    labels = segment_voxels(leaking.cement, leaking.leakage)
    voxel_ml = leaking.cement.grid.voxel_mm3 / 1000
    assert leaking.leakage.deposits
    for deposit in leaking.leakage.deposits:
        own = int((labels == deposit.id).sum())
        assert own >= 1
        most = int((leaking.leakage.deposit_labels == deposit.id).sum())
        assert own * voxel_ml == pytest.approx(
            min(deposit.volume_ml, most * voxel_ml), abs=voxel_ml / 2 + 1e-9
        )


def test_a_segment_lies_within_its_deposit_and_holds_its_fullest_voxels(leaking):
    labels = segment_voxels(leaking.cement, leaking.leakage)
    assert not (labels[leaking.leakage.deposit_labels == 0]).any()
    for deposit in leaking.leakage.deposits:
        of = leaking.leakage.deposit_labels == deposit.id
        kept, left = of & (labels == deposit.id), of & (labels == 0)
        if left.any():
            assert leaking.cement.fraction[kept].min() >= np.max(leaking.cement.fraction[left]) - 1e-6
