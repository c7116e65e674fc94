"""The founding paper's patient on each of her days."""

from __future__ import annotations

import numpy as np

from thecal.phantom.founding import founding_case


def test_before_the_puncture_she_has_the_same_spine_and_no_cement():
    coarse = {"spacing_mm": (3.0, 1.5, 1.5), "levels": "T12", "fov_mm": 90.0}
    before, after = founding_case(**coarse, treated=False), founding_case(**coarse)
    np.testing.assert_array_equal(before.labels, after.labels)
    np.testing.assert_array_equal(before.grid.affine, after.grid.affine)
    assert not before.deposit_labels().any()
    assert after.deposit_labels().any()
    assert before.tracks == ()
    assert len(after.tracks) == 2
