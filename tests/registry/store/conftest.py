from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres import Postgres, why_absent

from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.seal import Key, new_key


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A private PostgreSQL; where none can be started, the test says why it skips."""
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    running = Postgres()
    try:
        yield running.start()
    finally:
        running.stop()


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a registry can be made: a file, or an empty database."""
    if request.param == "sqlite":
        return str(tmp_path / "registry.sqlite")
    server: Postgres = request.getfixturevalue("server")
    return server.database()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty registry on SQLite, to be copied: migrating one takes ten times as long."""
    path = tmp_path_factory.mktemp("empty") / "registry.sqlite"
    init_store(path).close()
    return path


@pytest.fixture
def store(where: str, empty: Path) -> Iterator[Store]:
    """An empty registry without a key."""
    if "://" in where:
        made = init_store(where)
    else:
        shutil.copy(empty, where)
        made = open_store(where)
    with made:
        yield made


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """A key, in the file ``key``."""
    return new_key(tmp_path / "key")


@pytest.fixture
def keyed(where: str, key: Key) -> Iterator[Store]:
    """An empty registry with a key."""
    with init_store(where, key) as made:
        yield made


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes empty registries on SQLite."""
    made: list[Store] = []

    def another() -> Store:
        made.append(init_store(tmp_path / f"registry-{len(made)}.sqlite"))
        return made[-1]

    yield another
    for each in made:
        each.close()
