"""What the tests of leakage share."""

from __future__ import annotations

import pytest

from thecal.leakage.tracks.find import TracksFound


@pytest.fixture
def no_needles_sought(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out the search for needle tracks.

    On so small a spine it takes most of the time; compartments, walls, volumes, the plan and all signs but
    the medial puncture do not depend on it.
    """
    monkeypatch.setattr("thecal.leakage.find.find_tracks", lambda *_: TracksFound((), (), (), ()))
