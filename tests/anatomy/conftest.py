"""What several tests of anatomy look at; each is made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from canal_reading import Read
from label_spine import BODY_HEIGHT, LabelSpine, label_spine

from thecal.volume import Volume

if TYPE_CHECKING:
    from thecal.anatomy.spine import Spine
    from thecal.phantom.patient import Case


@pytest.fixture(scope="session")
def plain() -> LabelSpine:
    """L2, L1 and T12 of simple solids with dense endplates, 1.5 mm, without cement."""
    built = label_spine([21, 20, 19])
    hu = built.volume.hu.copy()
    points = built.volume.grid.to_lps(np.argwhere(built.labels >= 0))
    for centre in built.centres:
        x, y, z = (points - centre).T
        end = (np.hypot(x / 20, y / 15) <= 1) & (np.abs(np.abs(z) - BODY_HEIGHT / 2 + 1.0) <= 1.0)
        hu[end.reshape(hu.shape)] = 480
    hu[built.labels == 60] = 20
    return LabelSpine(Volume.from_array(hu, built.volume.grid), built.labels, built.centres)


@pytest.fixture(scope="session")
def canal(plain: LabelSpine) -> Read:
    """The canal's wall in the plain spine."""
    from thecal.anatomy.wall import find_wall
    from thecal.frames import CanalFrame

    grid, hu = plain.volume.grid, plain.volume.hu
    missing = np.zeros(hu.shape, bool)
    course = CanalFrame.through([[1.5, -1.0, z] for z in np.linspace(-12, 100, 20)])
    return Read(grid, hu, missing, *find_wall(hu, missing, grid, course))


@pytest.fixture(scope="session")
def treated() -> Case:
    """A small phantom of T12 and L1 with cement in T12 and behind it in the canal."""
    from thecal.phantom.deposit_spec import DepositSpec
    from thecal.phantom.patient import make_patient

    deposits = (
        DepositSpec("intravertebral", "T12", 2.0),
        DepositSpec("epidural", "T12", 0.5, side="left"),
    )
    return make_patient(11, "T12-L1", spacing_mm=(2.0, 1.2, 1.2), fov_mm=130.0, age=66, deposits=deposits)


@pytest.fixture(scope="session")
def treated_canal(treated: Case) -> Read:
    """The canal of ``treated`` on an even grid, with what cement hides."""
    from thecal.anatomy.canal import find_course
    from thecal.anatomy.missing import missing_data
    from thecal.anatomy.wall import find_wall
    from thecal.anatomy.working_grid import OUTSIDE_HU, sample_volume
    from thecal.volume import patient_grid

    course = find_course(treated.volume)[0]
    fine = patient_grid(treated.grid, 1.0)
    hu = sample_volume(treated.volume, fine)
    missing = missing_data(hu, fine.spacing_mm, 2.0) | (hu <= OUTSIDE_HU)
    return Read(fine, hu, missing, *find_wall(hu, missing, fine, course))


@pytest.fixture(scope="session")
def treated_spine(treated: Case) -> Spine:
    """What the built-in anatomy finds in ``treated``."""
    from thecal.anatomy.backends.builtin import Builtin

    return Builtin().find(treated.volume)
