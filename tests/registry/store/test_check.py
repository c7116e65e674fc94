"""Damage is found and named, and nothing stops with a traceback."""

from __future__ import annotations

import random
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from assessed import assessed
from registry_cases import founding, simple
from sqlalchemy import text

from thecal.errors import InputError
from thecal.registry.attach import attach
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.check import problems
from thecal.registry.store.hashes import content_hash

FLIPS = 30
WRITTEN = "Case founding is not what the audit says of it"


def test_a_sound_registry_has_nothing_to_say(keyed: Store, tmp_path: Path) -> None:
    keyed.add_many([founding(name="Erika Mustermann"), *(simple(n) for n in range(20))], who="ada")
    attach(keyed, "founding", assessed(tmp_path / "report"), who="ada")
    keyed.withdraw("P000003", who="ada")
    keyed.withdraw("P000004", who="ada", erase=True)
    assert problems(keyed) == []
    with open_store(str(keyed.place.path or keyed.place.url)) as without:
        without.withdraw("founding", who="ada")
        assert problems(without) == []
    assert problems(keyed) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "UPDATE cases SET age_years = 71 WHERE pseudonym = 'founding'",
            "Case founding is not what the audit",
        ),
        (
            "UPDATE cases SET shift_days = 99 WHERE pseudonym = 'founding'",
            "Case founding is not what the audit",
        ),
        ("UPDATE fractures SET level = 'T99'", "Case founding cannot be read"),
        ("DELETE FROM outcomes", WRITTEN),
        ("DELETE FROM cases WHERE pseudonym = 'P000001'", "Case P000001 is missing"),
        ("UPDATE report_files SET content = '\\x00'", "report .* attached to case founding is damaged"),
        ("UPDATE registry SET uuid = 'other'", "Row 1 of the audit, or the one before it, was changed"),
    ],
)
def test_a_change_behind_the_audits_back_is_named(
    store: Store, tmp_path: Path, change: str, said: str
) -> None:
    store.add_many([founding(), simple(1)], who="ada")
    attach(store, "founding", assessed(tmp_path / "report"), who="ada")
    if store.engine.dialect.name == "sqlite":
        change = change.replace("'\\x00'", "x'00'")
    with store.engine.begin() as connection:
        connection.execute(text(change))
    assert re.search(said, " | ".join(problems(store)))


def test_an_audit_whose_guards_were_taken_away_still_shows_it(tmp_path: Path) -> None:
    with init_store(tmp_path / "registry.sqlite") as store:
        store.add_many([founding(), simple(1), simple(2)], who="ada")
        with sqlite3.connect(tmp_path / "registry.sqlite") as raw:
            raw.execute("DROP TRIGGER audit_no_update")
            raw.execute("DROP TRIGGER audit_content_no_update")
            raw.execute("UPDATE audit SET who = 'eve' WHERE id = 2")
            raw.execute("UPDATE audit_content SET after = replace(after, 'T', 'L') WHERE id = 3")
        found = " | ".join(problems(store))
    assert "Row 2 of the audit, or the one before it, was changed" in found
    assert "What row 3 of the audit says of P000002 after it was changed" in found


def test_flipped_bytes_are_named_or_harmless_and_never_a_traceback(tmp_path: Path) -> None:
    """Bytes that SQLite does not use may change without harm: then all content is still the same."""
    sound = tmp_path / "sound.sqlite"
    with init_store(sound) as store:
        store.add_many([founding(), *(simple(number) for number in range(40))], who="ada")
        attach(store, "founding", assessed(tmp_path / "report"), who="ada")
        expected = content_hash(store)
    content = sound.read_bytes()
    draw = random.Random(5)
    named = 0
    for turn in range(FLIPS):
        path = tmp_path / "flipped.sqlite"
        changed = bytearray(content)
        for _ in range(draw.choice([1, 1, 8, 64])):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            with open_store(path) as store:
                found = problems(store)
                if not found:
                    assert content_hash(store) == expected, turn
        except InputError as error:
            found = [str(error)]
        named += bool(found)
        assert all("\n" not in sentence for sentence in found)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
    assert named > FLIPS / 2


def test_a_file_cut_short_is_named(tmp_path: Path) -> None:
    with init_store(tmp_path / "whole.sqlite") as store:
        store.add_many([simple(number) for number in range(100)], who="ada")
    shutil.copy(tmp_path / "whole.sqlite", tmp_path / "cut.sqlite")
    with (tmp_path / "cut.sqlite").open("r+b") as file:
        file.truncate(150_000)
    try:
        with open_store(tmp_path / "cut.sqlite") as store:
            found = problems(store)
    except InputError as error:
        found = [str(error)]
    assert found
    assert "damaged" in " ".join(found)
