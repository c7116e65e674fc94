from __future__ import annotations

import numpy as np
import pytest
from patients import PEDICLE_HALF, PEDICLE_X, PEDICLE_Z, plain_block

from thecal.needle.corridor import corridor


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
