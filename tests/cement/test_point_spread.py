"""How far the scanner blurs, read where the patient ends in air."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from thecal.cement.point_spread import point_spread
from thecal.volume import Grid, Volume

STEP_MM = 0.7
SIZE = 200


def patient_in_air(sigma_mm: float, noise_hu: float) -> Volume:
    """A round patient of 35 HU, blurred in plane."""
    rng = np.random.default_rng(4)
    z, y, x = np.meshgrid(np.arange(12), *[np.arange(SIZE)] * 2, indexing="ij")
    away = STEP_MM * np.hypot(y - SIZE / 2 + 0.03 * z, x - SIZE / 2)
    hu = -1000 + 1035 * ndtr((55.0 - away) / sigma_mm) + rng.normal(0, noise_hu, away.shape)
    grid = Grid(hu.shape, np.diag([STEP_MM, STEP_MM, 2.0, 1.0])[[0, 1, 2, 3]][:, [2, 1, 0, 3]])
    stored = np.clip(np.rint(hu), -1024, 3071).astype(np.int16)
    return Volume.from_array(stored, grid, slice_thickness_mm=2.0)


@pytest.mark.parametrize("sigma_mm", [0.4, 0.6, 0.9])
def test_the_blur_of_a_soft_kernel_is_read_off_the_skin(sigma_mm):
    found = point_spread(patient_in_air(sigma_mm, 12.0))
    assert found.measured
    assert found.sigma_mm[1:] == pytest.approx([sigma_mm] * 2, rel=0.25)


@pytest.mark.parametrize("noise_hu", [15.0, 40.0, 60.0])
def test_a_sharp_and_noisy_kernel_is_never_taken_for_a_soft_one(noise_hu):
    """Its edge lies between two voxels: there is no flank, and what looks like one is noise."""
    found = point_spread(patient_in_air(0.2, noise_hu))
    assert found.sigma_mm[1:].max() <= 0.4
