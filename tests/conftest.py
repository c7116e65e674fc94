"""Fixtures that every test folder may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

# The same examples on every machine, so that a pass means the same everywhere; `--hypothesis-profile=search`
# draws new ones. How long an example takes is the machine's business, not the test's.
TIMELESS = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
settings.register_profile("steady", derandomize=True, **TIMELESS)
settings.register_profile("search", derandomize=False, **TIMELESS)
settings.load_profile("steady")

if TYPE_CHECKING:
    from thecal.anatomy.spine import Spine
    from thecal.phantom.patient import Case


@pytest.fixture(scope="session")
def phantom_patient() -> Case:
    """A person's T11 to L1 without cement, 1.0 x 1.0 x 1.5 mm, with everything that is true of her."""
    from thecal.phantom.patient import make_patient

    return make_patient(7, "T11-L1", spacing_mm=(1.5, 1.0, 1.0), fov_mm=180.0, age=70, sex="F")


@pytest.fixture(scope="session")
def phantom_spine(phantom_patient: Case) -> Spine:
    """The true anatomy of ``phantom_patient`` as a ``Spine``."""
    return phantom_patient.spine


@pytest.fixture
def no_needles_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the search for needle tracks.

    On a spine of boxes it takes most of the time; compartments, walls, volumes, the plan and all signs do not
    depend on it, but for the medial puncture.
    """
    from thecal.leakage.tracks.find import TracksFound

    monkeypatch.setattr("thecal.leakage.find.find_tracks", lambda *_: TracksFound((), (), (), ()))
