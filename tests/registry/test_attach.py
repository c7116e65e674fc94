"""An assessment in a case: its file is kept, and its leaks are found again."""

from __future__ import annotations

import hashlib
import json
import zlib
from pathlib import Path

import pytest
from assessed import assessed
from registry_cases import founding, simple

from thecal.errors import InputError
from thecal.registry.attach import attach
from thecal.registry.case import Case, Outcome, Patient
from thecal.registry.store import Store, init_store
from thecal.registry.store.tables import report_files


@pytest.fixture
def store(tmp_path: Path):
    with init_store(tmp_path / "registry.sqlite") as made:
        made.add(Case(patient=Patient(pseudonym="A")), who="ada")
        yield made


def test_leaks_signs_and_verdict_are_read_from_the_report(store: Store, tmp_path: Path) -> None:
    case = attach(store, "A", assessed(tmp_path / "report"), who="ada")
    assert store.case("A") == case
    canal, disc = case.leaks
    assert (canal.compartment, canal.level, canal.volume_ml, canal.yeom) == ("epidural", "T12", 0.4, "B")
    assert (canal.occlusion, canal.intradural, canal.probability) == (0.35, "possible", 0.4)
    assert [(sign.name, sign.state) for sign in canal.signs] == [("layering", "present")]
    assert (disc.compartment, disc.occlusion, disc.intradural, disc.signs) == ("intradiscal", None, None, ())
    assert canal.seen_on == "ct"
    (image,) = case.imaging
    content = (tmp_path / "report" / "report.json").read_bytes()
    assert image.series_uid == "1.2.3"
    assert image.report_sha256 == canal.report_sha256 == hashlib.sha256(content).hexdigest()
    with store.reading() as connection:
        (kept,) = connection.execute(report_files.select())
    assert zlib.decompress(kept.content) == content
    assert store.history("A")[-1].what == "attach"


def test_a_later_report_of_the_series_takes_the_place_of_the_earlier(store: Store, tmp_path: Path) -> None:
    store.add(founding(), who="ada")
    entered = founding().leaks
    attach(store, "founding", assessed(tmp_path / "one"), who="ada")
    case = attach(store, "founding", assessed(tmp_path / "two", volume_ml=0.5), who="ada")
    assert len(case.imaging) == 1
    assert case.imaging[0].on == founding().imaging[0].on
    assert case.leaks[: len(entered)] == entered
    assert [leak.volume_ml for leak in case.leaks[len(entered) :]] == [0.5, 0.1]
    other = attach(store, "founding", assessed(tmp_path / "three", series="9.9"), who="ada")
    assert len(other.imaging) == 2
    assert len(other.leaks) == len(entered) + 4


def test_a_report_is_attached_once(store: Store, tmp_path: Path) -> None:
    attach(store, "A", assessed(tmp_path / "report"), who="ada")
    with pytest.raises(InputError, match="attached to case A already"):
        attach(store, "A", tmp_path / "report", who="ada")
    store.add(simple(1), who="ada")
    before = store.case("P000001")
    with pytest.raises(InputError, match="attached to case A already: it is of one patient"):
        attach(store, "P000001", tmp_path / "report", who="ada")
    assert store.case("P000001") == before


def test_a_report_of_a_man_is_not_attached_to_a_woman(store: Store, tmp_path: Path) -> None:
    folder = assessed(tmp_path / "report")
    report = json.loads((folder / "report.json").read_text())
    report["input"]["sex"] = "M"
    (folder / "report.json").write_text(json.dumps(report))
    store.replace(Case(patient=Patient(pseudonym="A", sex="F")), who="ada")
    with pytest.raises(InputError, match="another patient"):
        attach(store, "A", folder, who="ada")
    assert not store.case("A").leaks


@pytest.mark.parametrize(
    ("age", "known", "followed_days", "agrees"),
    [
        (70.0, 70.0, 0, True),
        (72.0, 70.0, 0, True),
        (68.0, 70.0, 0, True),
        (73.0, 70.0, 0, False),
        (67.0, 70.0, 3650, False),
        (79.0, 70.0, 3000, True),
        (81.0, 70.0, 3000, False),
        (40.0, None, 0, True),
        (None, 70.0, 0, True),
    ],
)
def test_a_report_of_another_age_is_not_attached(
    age: float | None, known: float | None, followed_days: int, agrees: bool, store: Store, tmp_path: Path
) -> None:
    folder = assessed(tmp_path / "report")
    report = json.loads((folder / "report.json").read_text())
    report["input"]["age"] = age
    (folder / "report.json").write_text(json.dumps(report))
    seen = (Outcome(scale="vas", as_written="3", value=3.0, days=followed_days),)
    store.replace(Case(patient=Patient(pseudonym="A", age_years=known), outcomes=seen), who="ada")
    if agrees:
        assert attach(store, "A", folder, who="ada").leaks
        return
    with pytest.raises(InputError, match="age in the report is not that of case A") as told:
        attach(store, "A", folder, who="ada")
    assert "70" not in str(told.value)
    assert not store.case("A").leaks


def test_what_is_no_report_changes_nothing(store: Store, tmp_path: Path) -> None:
    folder = assessed(tmp_path / "report")
    report = json.loads((folder / "report.json").read_text())
    report["deposits"][0]["compartment"] = "elsewhere"
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match=r"no report of thecal assess: .*deposits\.0\.compartment"):
        attach(store, "A", folder, who="ada")
    (folder / "report.json").write_text("half a fi")
    with pytest.raises(InputError, match="no report of thecal assess"):
        attach(store, "A", folder, who="ada")
    with pytest.raises(InputError, match="cannot be read"):
        attach(store, "A", tmp_path / "none", who="ada")
    assert store.case("A") == Case(patient=Patient(pseudonym="A"))
