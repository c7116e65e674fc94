"""What is called a spine must look like one."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.likeness import LEAST_LIKENESS, spine_likeness
from thecal.anatomy.missing import missing_data
from thecal.anatomy.spine import Spine
from thecal.anatomy.working_grid import OUTSIDE_HU, sample_volume
from thecal.frames import CanalFrame
from thecal.phantom.patient import Case
from thecal.volume import patient_grid


def likeness(case: Case, frame: CanalFrame) -> float:
    """Of the phantom's surroundings, about a given course."""
    volume, canal = case.volume, case.spine.canal
    fine = patient_grid(volume.grid.crop(case.spine.box), 1.0)
    hu = sample_volume(volume, fine)
    missing = missing_data(hu, fine.spacing_mm, 1.0) | (hu <= OUTSIDE_HU)
    wall = np.repeat(np.median(canal.wall_mm, axis=0)[None], len(frame.s_mm), axis=0)
    return spine_likeness(hu, missing, fine, frame, canal.theta, wall)


def moved(frame: CanalFrame, left_mm: float, behind_mm: float) -> CanalFrame:
    """The same course elsewhere in the patient."""
    return CanalFrame.through(frame.points + left_mm * frame.left + behind_mm * frame.posterior)


def test_a_spine_looks_like_a_spine(phantom_patient: Case, phantom_spine: Spine) -> None:
    assert likeness(phantom_patient, phantom_spine.canal.frame) > 0.95


@pytest.mark.parametrize(("left", "behind"), [(25.0, 0.0), (-25.0, 0.0), (40.0, -20.0), (0.0, -45.0)])
def test_a_course_beside_the_canal_does_not(
    phantom_patient: Case, phantom_spine: Spine, left: float, behind: float
) -> None:
    assert likeness(phantom_patient, moved(phantom_spine.canal.frame, left, behind)) < LEAST_LIKENESS


def test_where_nothing_is_known_it_is_no_spine(phantom_patient: Case, phantom_spine: Spine) -> None:
    fine = patient_grid(phantom_patient.volume.grid.crop(phantom_spine.box), 2.0)
    canal = phantom_spine.canal
    hidden = np.ones(fine.shape, bool)
    hu = np.zeros(fine.shape, np.int16)
    assert spine_likeness(hu, hidden, fine, canal.frame, canal.theta, canal.wall_mm) == 0.0
