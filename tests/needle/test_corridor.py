from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from patients import CANAL_X, PEDICLE_HALF, PEDICLE_X, PEDICLE_Z, plain_block

from thecal.needle.corridor import corridor
from thecal.needle.search.keep_away import NEAR_LOW_MM, NEAR_STEP_MM


@pytest.mark.parametrize("slope", [-0.1, 0.0, 0.2])
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_pedicle_that_points_inwards_or_outwards_is_measured_so(slope, side):
    found = corridor(plain_block(slope), side, (PEDICLE_X, PEDICLE_Z), 0.7)
    assert found is not None
    assert found.transverse_deg == pytest.approx(np.degrees(np.arctan(slope)), abs=3.0)
    assert found.width_mm == pytest.approx(2 * PEDICLE_HALF[0] * np.cos(np.arctan(slope)), abs=0.9)
    assert found.height_mm == pytest.approx(2 * PEDICLE_HALF[1], abs=1.2)
    sign = 1.0 if side == "left" else -1.0
    assert sign * found.isthmus_mm[0] == pytest.approx(PEDICLE_X + slope * -found.isthmus_mm[1] * -1, abs=1.5)


def test_the_medial_wall_lies_medial_of_the_outlines_middle():
    found = corridor(plain_block(), "left", (PEDICLE_X, PEDICLE_Z), 0.7)
    assert found is not None
    assert len(found.medial_wall) > 5
    assert found.medial_wall[:, 0].max() < found.outline[:, 0].mean()


def test_no_pedicle_is_no_corridor():
    assert corridor(plain_block(half=(0.5, 0.8)), "left", (PEDICLE_X, PEDICLE_Z), 0.7) is None


def test_the_medial_wall_is_where_the_canal_is_widest_over_the_pedicles_height():
    keep = plain_block()
    near = keep.near.copy()
    x, y, z = (low + NEAR_STEP_MM * np.arange(n) for low, n in zip(NEAR_LOW_MM, near.shape[1:], strict=True))
    bulge = np.ix_((x > 0.0) & (x < 11.5), (y > -12.0) & (y < 0.0), np.abs(z - PEDICLE_Z - 4.0) < 1.5)
    near[0][bulge] = -1.0
    for kept, reach in ((keep, CANAL_X), (replace(keep, near=near), 11.0)):
        found = corridor(kept, "left", (PEDICLE_X, PEDICLE_Z), 0.7)
        assert found is not None
        wall = keep.vertebra.frame.to_local(found.medial_wall)
        beside = wall[(wall[:, 1] > -9.0) & (wall[:, 1] < -3.0)]
        assert np.allclose(beside[:, 0], reach, atol=0.8)
