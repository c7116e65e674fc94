"""What looks like a needle's hole on one plane, and what only seems to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.leakage.tracks.block import STEP_MM
from thecal.leakage.tracks.spots import GAS_DEPTH, hole_spots

MIDDLE = (1, 20, 20)
Plane = npt.NDArray[np.float32]


def bone_with_hole(inside_hu: float, radius_mm: float = 1.6) -> Plane:
    rows, columns = np.mgrid[:41, :41] - 20
    hu = np.where(np.hypot(rows, columns) * STEP_MM <= radius_mm, inside_hu, 250.0)
    return np.broadcast_to(hu, (3, 41, 41)).astype(np.float32).copy()


def depth(hu: Plane, cement: Plane | None = None) -> float:
    spots, _, _ = hole_spots(hu, np.zeros_like(hu) if cement is None else cement, 1)
    return float(spots[MIDDLE])


def test_blood_in_bone_is_a_hole_and_gas_a_deeper_one() -> None:
    assert 0.7 < depth(bone_with_hole(10.0)) < 1.1
    assert depth(bone_with_hole(-800.0)) == np.float32(GAS_DEPTH)


def test_fat_in_bone_is_no_hole_of_a_needle() -> None:
    assert depth(bone_with_hole(-90.0)) == 0.0


def test_marrow_walled_by_cement_is_unknown_and_no_hole() -> None:
    hu = bone_with_hole(10.0)
    ring = (hu > 100.0).astype(np.float32)
    assert np.isnan(depth(np.where(ring > 0, np.float32(3000.0), hu), ring))


def test_cement_on_one_side_of_a_hole_leaves_it_a_hole() -> None:
    hu = bone_with_hole(10.0)
    cement = np.zeros_like(hu)
    cement[:, :, 23:] = 1.0
    assert 0.7 < depth(np.where(cement > 0, np.float32(3000.0), hu), cement) < 1.1


def test_a_hole_is_a_tunnel_and_a_groove_along_the_spine_is_none() -> None:
    groove = np.full((3, 41, 41), 250.0, np.float32)
    groove[:, :, 18:23] = 10.0
    for hu, closed in ((bone_with_hole(10.0), True), (groove, False)):
        _, _, tunnel = hole_spots(hu, np.zeros_like(hu), 1)
        assert bool(tunnel[MIDDLE]) is closed
