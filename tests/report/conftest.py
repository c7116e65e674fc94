from __future__ import annotations

import pytest
from archived import Shelf
from toy_patient import cement_of, no_cement, spine, volume

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.findings import Leakage
from thecal.volume import Volume


class Patient:
    """Not a dataclass: hypothesis would print every field of it."""

    def __init__(self, volume: Volume, spine: Spine, cement: Cement, leakage: Leakage) -> None:
        self.volume = volume
        self.spine = spine
        self.cement = cement
        self.leakage = leakage


@pytest.fixture(scope="session")
def leaking() -> Patient:
    """Cement in T12, in its canal and beside it."""
    found = spine()
    cement, leakage = cement_of(found)
    return Patient(volume(found, cement), found, cement, leakage)


@pytest.fixture(scope="session")
def shelf(leaking: Patient, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """The leaking patient in the archive, in every layout of slices."""
    return Shelf(leaking, tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="session")
def untouched(leaking: Patient) -> Patient:
    """The same spine before any cement."""
    cement, leakage = no_cement(leaking.cement, leaking.leakage)
    return Patient(volume(leaking.spine), leaking.spine, cement, leakage)
