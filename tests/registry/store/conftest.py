from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from thecal.registry.store import Store, init_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty registry without a key."""
    with init_store(tmp_path / "registry.sqlite") as made:
        yield made
