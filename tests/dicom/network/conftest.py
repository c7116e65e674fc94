from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from orthanc import Orthanc, why_absent
from scans import trunk, write_series


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No proxy, and no credentials of whoever runs the tests."""
    for name in ("THECAL_USER", "THECAL_PASSWORD", "THECAL_TOKEN", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    archive = Orthanc(tmp_path_factory.mktemp("orthanc")).start()
    yield archive
    archive.stop()


@pytest.fixture
def orthanc(running: Orthanc) -> Orthanc:
    """An empty archive."""
    running.forget()
    return running


@pytest.fixture(scope="session")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny CT series of 8 slices."""
    folder = tmp_path_factory.mktemp("scan")
    write_series(folder, trunk((8, 20, 24)), AccessionNumber="A77", StudyDate="20240229")
    return folder
