"""Geometry: how the patient lies on the table changes nothing in the vertebra's own axes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from patients import patient, vertebra
from scipy.spatial.transform import Rotation

from thecal.frames import VertebraFrame
from thecal.needle.search.block import block_of
from thecal.volume import Grid

LOW, HIGH, STEP = (-30.0, -30.0, -15.0), (30.0, 35.0, 15.0), 3.0


@settings(max_examples=10)
@given(turn=st.tuples(*[st.floats(-60.0, 60.0)] * 3), shift=st.tuples(*[st.floats(-200.0, 200.0)] * 3))
def test_a_patient_turned_and_moved_gives_the_same_block(turn, shift):
    case, own = patient(), vertebra("L1")
    move = np.eye(4)
    move[:3, :3] = Rotation.from_rotvec(np.radians(turn)).as_matrix()
    move[:3, 3] = shift

    def moved(grid: Grid) -> Grid:
        return Grid(grid.shape, move @ grid.affine)

    frame = own.frame
    turned = VertebraFrame(
        move[:3, :3] @ frame.origin + move[:3, 3],
        move[:3, :3] @ frame.left,
        move[:3, :3] @ frame.anterior,
        move[:3, :3] @ frame.cranial,
    )
    volume = replace(case.volume, grid=moved(case.volume.grid))
    spine = replace(case.spine, grid=moved(case.spine.grid))
    a = block_of(case.volume, case.spine, own, LOW, HIGH, STEP)
    b = block_of(volume, spine, replace(own, frame=turned), LOW, HIGH, STEP)
    np.testing.assert_allclose(a.hu, b.hu, atol=0.5)
    np.testing.assert_allclose(a.own, b.own, atol=1e-3)
    assert (a.labels != b.labels).mean() < 0.002


def test_beyond_the_scan_there_is_no_hounsfield_unit():
    case = patient()
    block = block_of(case.volume, case.spine, vertebra("L1"), (0.0, 0.0, 300.0), (3.0, 3.0, 303.0), 3.0)
    assert np.isnan(block.hu).all()
    assert not block.labels.any()
