"""A writer that is killed, a disk that is full, two writers at once: no half case, no lost commit."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from postgres import Postgres, why_absent
from registry_cases import founding, simple

from thecal.errors import InputError
from thecal.registry.store import Store, engine, open_store
from thecal.registry.store.check import problems

ROOT = Path(__file__).parents[3]
KILLS = 12
EACH = 12


def _killed(kills: int, urls: tuple[str, ...] = ()) -> dict[str, object]:
    words = ["--no-store", "--kills", str(kills), "--server", *urls]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.registry_faults", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def found(request: pytest.FixtureRequest) -> dict[str, object]:
    """Writers killed on SQLite, and on PostgreSQL where it is: one process, for starting takes longest."""
    server = None if why_absent() else request.getfixturevalue("server")
    return _killed(KILLS, tuple(server.database() for _ in range(6)) if server else ())


def test_killed_imports_and_attachments_and_a_full_disk_lose_nothing(found: dict[str, object]) -> None:
    assert found["kills"] == KILLS
    assert found["amid_the_work"] > 0
    assert found["imports_kept"] > 0
    assert str(found["said"]).endswith("nothing of this was kept")


def test_killed_imports_into_postgresql_lose_nothing(server: Postgres, found: dict[str, object]) -> None:
    assert found["server_kills"] == 6


@pytest.mark.slow
def test_two_hundred_kills_lose_nothing() -> None:
    assert _killed(200)["amid_the_work"] > 100


def test_two_who_write_at_once_both_succeed(store: Store) -> None:
    where = _address(store)
    failed: list[BaseException] = []

    def write(first: int) -> None:
        try:
            with open_store(where) as mine:
                for number in range(first, first + EACH):
                    mine.add(simple(number), who=f"writer {first}")
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    writers = [threading.Thread(target=write, args=(first,)) for first in (0, 1000)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    names = sorted(case.patient.pseudonym for case in store.cases())
    assert names == sorted(simple(n).patient.pseudonym for n in (*range(EACH), *range(1000, 1000 + EACH)))
    assert problems(store) == []


def test_two_follow_ups_of_one_case_are_both_kept(store: Store) -> None:
    store.add(founding(), who="ada")
    where, more = _address(store), founding().outcomes[0]

    def follow_up() -> None:
        with open_store(where) as mine:
            for _ in range(EACH):
                mine.change(
                    "founding",
                    lambda case: case.model_copy(update={"outcomes": (*case.outcomes, more)}),
                    who="x",
                    what="outcome",
                )

    writers = [threading.Thread(target=follow_up) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(store.case("founding").outcomes) == len(founding().outcomes) + 2 * EACH


def test_who_waits_too_long_is_told_that_another_writes(
    where: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_MS", 100)
    with store.writing(), open_store(where) as other:
        with pytest.raises(InputError, match=r"Another program is writing to the registry .*: try again"):
            other.add(simple(1), who="bob")
        assert list(other.cases()) == []
    with open_store(where) as other:
        other.add(simple(1), who="bob")


def _address(store: Store) -> str:
    return str(store.place.path or store.place.url.render_as_string(hide_password=False))
