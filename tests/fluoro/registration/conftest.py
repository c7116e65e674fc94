"""A patient's L1, T12 or T11, and pictures of it by another geometry than the search's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage
from watched_vertebra import Watched

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.line_integrals import line_integrals
from thecal.fluoro.projection.view import Pose, View
from thecal.fluoro.registration.bone_model import bone_model
from thecal.fluoro.target import target_of

if TYPE_CHECKING:
    from thecal.anatomy.spine import Spine
    from thecal.phantom.patient import Case


@pytest.fixture(scope="session")
def watched(phantom_patient: Case, phantom_spine: Spine) -> Watched:
    """T12 of a phantom."""
    vertebra = phantom_spine.vertebrae[1]
    target = target_of(phantom_patient.volume, phantom_spine, vertebra, "T12")
    model = bone_model(target)
    arm = CArm(pitch_mm=0.8, shape=(256, 256))
    hu = np.ascontiguousarray(phantom_patient.volume.hu, np.float32) - 30.0
    grid = phantom_patient.volume.grid

    def show(view: View, pose: Pose, *, number: int = 0, needle: bool = False, seed: int = 0) -> Frame:
        """The whole patient, moved: 8 bit, dense things dark, with noise."""
        path = line_integrals(hu, grid, view.of_moved(pose)) * 2e-5
        if needle:
            tip = view.project(pose.apply(model.centre)).round().astype(int)
            path[tip[0] - 3 : tip[0] + 2, : tip[1]] += 1.2
        bright = np.exp(-path)
        noise = np.random.default_rng(seed).normal(0.0, 0.03, bright.shape)
        bright = ndimage.gaussian_filter(bright, 0.6) * (1.0 + noise)
        low, high = np.percentile(bright[64:192, 64:192], (1.0, 99.0))
        return Frame(
            number,
            number / 7.5,
            (255.0 * np.clip((bright - low) / (high - low), 0, 1) ** 0.8).astype(np.uint8),
        )

    return Watched(target, model, arm.view(model.centre, 90.0), arm.view(model.centre, 0.0), show)
