"""With a key no free text, UID or time of a change lies in the registry; with it all are there again."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from assessed import assessed
from registry_cases import founding, simple
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from thecal.errors import InputError
from thecal.registry.attach import attach
from thecal.registry.case import Case, Event, Imaging, Revision
from thecal.registry.exchange.fields import all_fields
from thecal.registry.hidden import HIDDEN, put_back, taken_out
from thecal.registry.store import Store, init_store, open_store
from thecal.registry.store.backup import back_up, restore
from thecal.registry.store.check import problems
from thecal.registry.store.drafts import draft_names, save_draft
from thecal.registry.store.hashes import content_hash
from thecal.registry.store.migrate import migrate, revision_of
from thecal.registry.store.seal import Key, new_key
from thecal.registry.store.tables import HEAD
from thecal.registry.store.upgrade import upgrade

SERIES = "1.3.12.2.1107.5.1.4.20230301113000"
SECRETS = (
    *(b"two punctures", b"legs, bladder, bowel", b"MEP lost at 11:40", b"Dr Gabler", b"fell in the ward"),
    *(SERIES.encode(), b"1.2.840.9"),
)
OLD_KEY = Key(bytes(range(32)))
"""Of ``r0002_with_key.sql``, which the program wrote before r0003."""


def full(pseudonym: str = "founding") -> Case:
    """A case with a text in every field that holds one."""
    case = founding(pseudonym, name="Erika Mustermann", born=date(1953, 8, 12))
    revision = Revision(durotomy="yes", monitoring_events="MEP lost at 11:40", notes="Dr Gabler operated")
    event = Event(kind="refracture", level="T12", days=90, notes="fell in the ward")
    image = Imaging(modality="CT", study_uid="1.2.840.9", series_uid=SERIES)
    return case.model_copy(update={"revisions": (revision,), "events": (event,), "imaging": (image,)})


def test_every_free_text_and_uid_of_a_case_is_hidden() -> None:
    """A note is long; a word of at most 120 letters names a brand, a muscle, a grade as it was written."""
    texts = {(f.part, f.name) for f in all_fields() if f.kind == "text" and (f.longest or 0) > 120}
    uids = {(f.part, f.name) for f in all_fields() if f.name.endswith("_uid")}
    assert {(part, name) for part, names in HIDDEN.items() for name in names} == (texts | uids) - {
        ("patient", "name")
    }


def test_what_is_taken_out_of_a_case_can_be_put_back() -> None:
    bare, texts = taken_out(full())
    assert len(texts) == 7
    assert not any(said in bare.model_dump_json() for said in texts.values())
    assert put_back(bare, texts) == full()


def test_free_text_and_uids_come_with_the_key_only(keyed: Store) -> None:
    keyed.add(full(), who="ada")
    assert keyed.case("founding") == full()
    with open_store(_address(keyed)) as without:
        assert taken_out(without.case("founding")) == (without.case("founding"), {})
        assert without.case("founding").revisions[0].durotomy == "yes"


def test_no_text_uid_or_time_lies_in_the_file(tmp_path: Path, key: Key) -> None:
    path = tmp_path / "registry.sqlite"
    with init_store(path, key) as store:
        store.add(full(), who="ada")
        store.replace(full().model_copy(update={"events": ()}), who="ada")
        attach(store, "founding", assessed(tmp_path / "report", series=SERIES), who="ada")
        save_draft(store, "new", {"procedures.0.notes": "two punctures"})
        store.withdraw("founding", who="ada")
        whole = _bytes_of(path)
    for secret in (*SECRETS, f"{datetime.now(UTC):%Y-%m-%d}".encode(), b"thecal.report/1"):
        assert secret not in whole


def test_a_changed_note_is_shown_with_the_key_and_without_it_only_that_it_changed(keyed: Store) -> None:
    keyed.add(full(), who="ada")
    other = full().procedures[0].model_copy(update={"notes": "three punctures"})
    keyed.replace(full().model_copy(update={"procedures": (other,)}), who="bob")
    change = keyed.history("founding")[1]
    assert change.before["procedures"][0]["notes"] == "two punctures"
    assert change.after["procedures"][0]["notes"] == "three punctures"
    with open_store(_address(keyed)) as without:
        change = without.history("founding")[1]
    before, after = change.before["procedures"][0], change.after["procedures"][0]
    assert before["notes"].startswith("hmac-sha256:")
    assert before["notes"] != after["notes"]
    assert change.before["imaging"] == change.after["imaging"]


def test_the_time_of_each_change_is_exact_with_the_key_and_absent_without(keyed: Store) -> None:
    begun = datetime.now(UTC)
    keyed.add(full(), who="ada")
    with open_store(_address(keyed)) as without:
        without.withdraw("founding", who="bob")
        assert [(change.at, change.who) for change in without.history("founding")] == [
            (None, "ada"),
            (None, "bob"),
        ]
    at = [datetime.fromisoformat(change.at) for change in keyed.history("founding")]
    assert begun <= at[0] < at[1] <= datetime.now(UTC)
    assert problems(keyed) == []


def test_nothing_of_a_keyed_registry_holds_todays_date(keyed: Store) -> None:
    """Whoever reads when a visit was entered would know by how many days it was moved."""
    keyed.add(full(), who="ada")
    save_draft(keyed, "first", {"patient.age_years": "70"})
    save_draft(keyed, "second", {"patient.age_years": "70"})
    assert draft_names(keyed) == ["second", "first"]
    today = str(datetime.now(UTC).year)
    with keyed.reading() as connection:
        for table, columns in (("registry", "created"), ("audit", "at"), ("drafts", "at")):
            for (value,) in connection.execute(text(f"SELECT {columns} FROM {table}")):
                assert today not in value.removeprefix("sha256:")[:4]


def test_another_key_opens_texts_times_and_reports_and_the_old_one_nothing(
    keyed: Store, tmp_path: Path
) -> None:
    keyed.add(full(), who="ada")
    attach(keyed, "founding", assessed(tmp_path / "report", series=SERIES), who="ada")
    with open_store(_address(keyed)) as without:
        without.withdraw("founding", who="bob")
    before = keyed.history("founding")
    other = new_key(tmp_path / "other")
    old = keyed.keeper
    keyed.rekey(other, who="ada")
    with open_store(_address(keyed), other) as again:
        assert again.history("founding") == before
        assert problems(again) == []
    with keyed.reading() as connection:
        rows = connection.execute(text("SELECT id, hash, sealed FROM audit")).mappings().all()
    for row in rows:
        with pytest.raises(InputError, match=r"row \d of the audit does not open"):
            old.opened(bytes(row["sealed"]), f"audit/{row['hash']}/row {row['id']} of the audit")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET at = 'now'",
        "UPDATE audit SET sealed = NULL",
        "UPDATE audit_content SET sealed = NULL WHERE id = 1",
        "UPDATE audit_content SET before = '{}'",
    ],
)
def test_what_is_encrypted_of_the_audit_cannot_be_taken_away(keyed: Store, change: str) -> None:
    keyed.add(full(), who="ada")
    with pytest.raises(DBAPIError, match="the audit only grows"), keyed.engine.begin() as connection:
        connection.execute(text(change))


def test_check_finds_a_seal_that_was_changed_or_moved(keyed: Store, tmp_path: Path) -> None:
    keyed.add_many([full("a"), full("b")], who="ada")
    attach(keyed, "a", assessed(tmp_path / "report"), who="ada")
    assert problems(keyed) == []
    swap = "UPDATE {0} SET sealed = (SELECT sealed FROM {0} WHERE id = 1) WHERE id = 2"
    with keyed.engine.begin() as connection:
        for table in ("audit", "audit_content"):
            connection.execute(text(swap.format(table)))
    found = " | ".join(problems(keyed))
    assert "What is encrypted for row 2 of the audit does not open" in found
    with open_store(_address(keyed)) as without:
        assert problems(without) == []


def test_check_finds_an_older_note_put_back_behind_the_audits_back(keyed: Store) -> None:
    keyed.add(full(), who="ada")
    with keyed.reading() as connection:
        older = connection.execute(text("SELECT sealed FROM cases")).scalar_one()
    other = full().procedures[0].model_copy(update={"notes": "three punctures"})
    keyed.replace(full().model_copy(update={"procedures": (other,)}), who="bob")
    with keyed.engine.begin() as connection:
        connection.execute(text("UPDATE cases SET sealed = :older"), {"older": older})
    assert problems(keyed) == [
        "Case founding is not what the audit says of it: it was changed by something else"
    ]


def test_a_backup_of_a_keyed_registry_holds_the_same_and_no_text(
    keyed: Store, tmp_path: Path, key: Key
) -> None:
    keyed.add(full(), who="ada")
    made = back_up(keyed, tmp_path / "backup.sqlite")
    assert not any(secret in _bytes_of(tmp_path / "backup.sqlite") for secret in SECRETS)
    assert restore(tmp_path / "backup.sqlite", tmp_path / "again.sqlite") == made
    with open_store(tmp_path / "again.sqlite", key) as again:
        assert list(again.cases()) == [full()]
        assert again.history("founding") == keyed.history("founding")


def test_a_backup_whose_encrypted_report_is_damaged_is_found_with_the_key(tmp_path: Path, key: Key) -> None:
    with init_store(tmp_path / "registry.sqlite", key) as store:
        store.add(full(), who="ada")
        attach(store, "founding", assessed(tmp_path / "report", series=SERIES), who="ada")
        back_up(store, tmp_path / "backup.sqlite")
    with sqlite3.connect(tmp_path / "backup.sqlite") as raw:
        raw.execute("UPDATE report_files SET content = x'0102'")
    raw.close()
    with pytest.raises(InputError, match=r"report .* attached to case founding is damaged"):
        restore(tmp_path / "backup.sqlite", tmp_path / "again.sqlite", key)
    assert not (tmp_path / "again.sqlite").exists()


def test_an_upgrade_says_that_a_reader_keeps_clear_text_in_the_log(
    tmp_path: Path, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thecal.registry.store.engine.BUSY_MS", 50)
    path = tmp_path / "registry.sqlite"
    with init_store(path, key) as store:
        store.add(full(), who="ada")
        with store.writing() as connection:
            migrate(connection, "r0002", key=key)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM cases").fetchone()
    with pytest.raises(InputError, match=r"is up to date.*another program is reading it"):
        upgrade(str(path), key=key)
    reader.close()
    with open_store(path, key) as store:
        assert problems(store) == []
    assert not any(secret in _bytes_of(path) for secret in SECRETS)


def test_a_registry_of_the_version_before_is_encrypted_by_an_upgrade(tmp_path: Path) -> None:
    """``r0002_with_key.sql`` is a registry as that version wrote it, with its own key."""
    path = tmp_path / "registry.sqlite"
    with sqlite3.connect(path) as raw:
        raw.executescript(Path(__file__).with_name("r0002_with_key.sql").read_text(encoding="utf-8"))
        times = [at for (at,) in raw.execute("SELECT at FROM audit WHERE pseudonym = 'founding' ORDER BY id")]
    raw.close()
    assert b"Mrs Mustermann" in _bytes_of(path)
    for wrong, said in ((None, "is kept with a key"), (Key(bytes(32)), "This is not the key")):
        with pytest.raises(InputError, match=said):
            upgrade(str(path), key=wrong)
    kept = upgrade(str(path), key=OLD_KEY, who="eve")
    assert kept is not None
    assert b"Mrs Mustermann" in _bytes_of(kept)
    clear = (
        b"Mrs Mustermann",
        b"two punctures",
        b"legs, bladder",
        b'"series_uid":"1.2.3"',
        times[0].encode(),
    )
    assert not any(secret in _bytes_of(path) for secret in clear)
    with open_store(path, OLD_KEY) as store:
        assert problems(store) == []
        case = store.case("founding")
        assert case.patient.name == "Erika Mustermann"
        assert case.procedures[0].notes == "Mrs Mustermann, second puncture on 2 March"
        assert (case.imaging[0].series_uid, case.deficit.description) == ("1.2.3", "legs, bladder, bowel")
        assert case.procedures[0].on == date(2023, 3, 1)
        assert [change.at for change in store.history("founding")] == times
        assert store.history("founding")[2].before["procedures"][0]["notes"] == "two punctures"
        assert draft_names(store) == ["new", "newer"]
        assert [change.what for change in store.history("P000002")] == ["import", "withdraw", "erase"]
        with store.reading() as connection:
            who, content = connection.execute(
                text("SELECT who, after FROM audit JOIN audit_content USING (id) WHERE what = 'upgrade'")
            ).one()
    with sqlite3.connect(kept) as raw:
        ended = raw.execute("SELECT hash FROM audit ORDER BY id DESC").fetchone()[0]
    raw.close()
    assert (who, json.loads(content)) == ("eve", {"revision": "r0003", "chain_before": ended})


def test_a_damaged_audit_is_not_chained_anew(tmp_path: Path) -> None:
    path = tmp_path / "registry.sqlite"
    sql = Path(__file__).with_name("r0002_with_key.sql").read_text(encoding="utf-8")
    with sqlite3.connect(path) as raw:
        raw.executescript(sql.replace("'bob','replace'", "'eve','replace'"))
    raw.close()
    with pytest.raises(InputError, match="Row 6 of the audit was changed"):
        upgrade(str(path), key=OLD_KEY)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchone() == ("r0002",)
    raw.close()


def test_a_filled_registry_with_a_key_goes_down_and_up_again(keyed: Store, key: Key, tmp_path: Path) -> None:
    keyed.add_many([full(), *(simple(number) for number in range(60))], who="ada")
    attach(keyed, "founding", assessed(tmp_path / "report", series=SERIES), who="bob")
    keyed.withdraw("P000003", who="bob", erase=True)
    with open_store(_address(keyed)) as without:
        without.withdraw("P000004", who="bob")
    save_draft(keyed, "new", {"patient.age_years": "70"})
    cases, history = list(keyed.cases(withdrawn=True)), keyed.history("founding")
    with keyed.writing() as connection:
        migrate(connection, "r0002", key=key)
        assert revision_of(connection) == "r0002"
        assert (
            connection.execute(text("SELECT notes FROM procedures WHERE case_id = 1")).scalar()
            == "two punctures"
        )
        at = connection.execute(text("SELECT at FROM audit WHERE id = 1")).scalar()
        assert at == history[0].at
    with pytest.raises(InputError, match="kept with a key"), keyed.writing() as connection:
        migrate(connection)
    with keyed.writing() as connection:
        migrate(connection, key=key, who="ada")
        assert revision_of(connection) == HEAD
    with open_store(_address(keyed), key) as again:
        assert list(again.cases(withdrawn=True)) == cases
        assert again.history("founding") == history
        assert problems(again) == []
        assert content_hash(again) != ""


def _bytes_of(path: Path) -> bytes:
    files = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-shm", "-journal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def _address(store: Store) -> str:
    return str(store.place.path or store.place.url.render_as_string(hide_password=False))
