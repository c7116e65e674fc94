"""A registry in a file that is only asked answers as the whole store does, and refuses what that refuses."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from registry_cases import founding, simple

from thecal.errors import InputError
from thecal.registry.statistics.build import registry_statistics
from thecal.registry.statistics.from_store import columns_from
from thecal.registry.store import init_store, open_store
from thecal.registry.store.asking import asked
from thecal.registry.store.listing import Wanted, page
from thecal.registry.store.revision import newest
from thecal.registry.store.seal import new_key
from thecal.registry.store.tables import HEAD


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A registry of a few cases, of which one was withdrawn."""
    with init_store(tmp_path / "registry.sqlite") as store:
        store.add_many([founding(), *(simple(number) for number in range(30))], who="ada")
        store.withdraw(simple(7).patient.pseudonym, who="ada")
    return tmp_path / "registry.sqlite"


def test_a_list_and_the_statistics_are_the_same_from_the_file_and_from_the_store(path: Path) -> None:
    wanted = [Wanted(), Wanted(level="T12", kind="VP"), Wanted(compartment="intradural", deficit="yes")]
    with open_store(path) as store, asked(path) as file:
        for each in wanted:
            assert page(file, each, 0, 5) == page(store, each, 0, 5)
        assert page(file, Wanted()).total == 30
        theirs = registry_statistics(columns_from(store)).to_json()
        assert registry_statistics(columns_from(file)).to_json() == theirs


def test_sqlalchemy_and_scipy_are_not_loaded_to_answer(path: Path) -> None:
    words = "from thecal.cli import run; run(['registry', 'stats']); run(['registry', 'list'])"
    told = "import sys; print({'sqlalchemy', 'scipy', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", f"{words}; {told}"],
        env={**os.environ, "THECAL_REGISTRY": str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_registry_that_is_not_there_is_not_made_by_asking(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no registry"), asked(tmp_path / "none.sqlite"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_tables_of_another_version_are_refused(path: Path) -> None:
    assert newest() == HEAD
    for version, words in (("r0001", "An older thecal"), ("r9999", "A newer thecal")):
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        with pytest.raises(InputError, match=words), asked(path):
            pass


def test_another_registrys_key_is_refused(path: Path, tmp_path: Path) -> None:
    new_key(tmp_path / "key")
    new_key(tmp_path / "other")
    with pytest.raises(InputError, match="made without a key"), asked(path, tmp_path / "key"):
        pass
    with init_store(tmp_path / "keyed.sqlite", tmp_path / "key"):
        pass
    with asked(tmp_path / "keyed.sqlite", tmp_path / "key") as file:
        assert page(file, Wanted()).total == 0
    with pytest.raises(InputError, match="not the key"), asked(tmp_path / "keyed.sqlite", tmp_path / "other"):
        pass


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no database at all, but long enough to look at" * 9, "is no registry"), (b"", "holds no registry")],
)
def test_a_file_that_is_no_registry_is_told_in_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "x.sqlite").write_bytes(content)
    with pytest.raises(InputError, match=words), asked(tmp_path / "x.sqlite"):
        pass
    assert (tmp_path / "x.sqlite").read_bytes() == content


def test_a_table_that_is_gone_is_damage(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE imaging")
    with asked(path) as file, pytest.raises(InputError, match="is damaged"):
        columns_from(file)
