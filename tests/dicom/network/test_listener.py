"""A listener loses nothing that it was sent and does nothing twice, however it ends."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from results import STUDY, FileArchive, Sent, calls, result_uids, stages, stand_in
from scans import trunk, write_series

from thecal.dicom.network import inbox as inbox_module
from thecal.dicom.network.inbox import Inbox
from thecal.dicom.network.listener import Listener, Plan
from thecal.errors import InputError

HERE = Path(__file__).parent


class House:
    """A listener without a network, its stand-in for an assessment and its archive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.archive = FileArchive(folder / "archive")
        self.assess = stand_in(self.home)
        self.inbox: Inbox | None = None

    def start(self, *, archive: bool = True, quiet_s: float = 0.0) -> Listener:
        if self.inbox is not None:
            self.inbox.close()
        self.inbox = Inbox(self.folder / "inbox")
        plan = Plan(self.assess, self.archive if archive else None, quiet_s, push_again_after_s=(0.0, 0.0))
        self.listener = Listener(self.inbox, plan)
        return self.listener

    def told(self) -> dict[str, object]:
        (state,) = self.folder.glob("inbox/studies/*/state.json")
        return json.loads(state.read_text())

    def finish(self) -> None:
        while self.listener.turn():
            continue


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "house")
    yield made
    if made.inbox is not None:
        made.inbox.close()


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three images of one study."""
    return write_series(tmp_path_factory.mktemp("three"), trunk((3, 12, 12)), StudyInstanceUID=STUDY)


def send(listener: Listener, images: list[Path]) -> None:
    for image in images:
        assert listener.receive(Sent(image)) == 0


def test_killed_at_any_step_it_loses_no_image_and_repeats_no_result(
    tmp_path: Path, three: list[Path]
) -> None:
    done = subprocess.run(
        [sys.executable, str(HERE / "kill_points.py"), str(tmp_path), str(three[0].parent)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert [run["whole"] for run in runs] == [False] * (len(runs) - 1) + [True]
    assert {run["acknowledged"] for run in runs} == {0, 1, 2, 3}
    assert any(len(run["assessed"]) == 2 for run in runs), "some were killed in the middle of an assessment"
    assert len(runs) > 40
    assert sum(run["results then"] for run in runs) > 10
    for run in runs:
        assert run["kept"] >= run["acknowledged"], run
        assert run["in the end"] == 3, run
        assert run["intact"], run
        assert run["stages"] == ["pushed"], run
        assert sorted(run["archive"]) == sorted(result_uids(3)), run
        assert run["archive"] == run["before the last restart"], run
        assert run["left"] == [], run
        assert set(run["assessed"]) == {3}, run
        if run["results then"]:
            assert run["assessed"] == run["assessed then"], run


def test_a_study_is_assessed_once_it_is_quiet_and_pushed_once(house: House, three: list[Path]) -> None:
    send(house.start(), three)
    house.finish()
    assert calls(house.home) == [3]
    assert set(house.archive.sent()) == result_uids(3)
    assert stages(house.folder / "inbox") == ["pushed"]


def test_a_study_that_is_still_coming_waits(house: House, three: list[Path]) -> None:
    send(house.start(quiet_s=3600.0), three)
    assert not house.listener.turn()
    assert not house.start(quiet_s=3600.0).turn(), "nor is it thought quiet because of a restart"
    assert calls(house.home) == []


def test_images_sent_again_change_nothing(house: House, three: list[Path]) -> None:
    for _ in range(2):
        send(house.start(), three)
        house.finish()
    assert calls(house.home) == [3]
    assert len(house.archive.sent()) == 2


def test_a_late_image_has_the_study_assessed_anew(house: House, three: list[Path]) -> None:
    send(house.start(), three[:2])
    house.finish()
    send(house.listener, three[2:])
    house.finish()
    assert calls(house.home) == [2, 3]
    assert set(house.archive.sent()) == result_uids(2) | result_uids(3)
    assert len(house.archive.sent()) == 4


def test_an_image_that_comes_during_the_assessment_is_not_overlooked(
    house: House, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = house.start()
    attended = listener._attended

    def and_one_more(*arguments) -> int:
        send(listener, three[2:])
        return attended(*arguments)

    monkeypatch.setattr(listener, "_attended", and_one_more)
    send(listener, three[:2])
    house.finish()
    assert calls(house.home) == [2, 3]
    assert stages(house.folder / "inbox") == ["pushed"]


@pytest.mark.parametrize("status", [2, 3])
def test_what_cannot_be_assessed_is_set_aside_with_its_sentence_and_not_tried_again(
    house: House, three: list[Path], status: int
) -> None:
    send(house.start(), three)
    (house.home / "status").write_text(f"{status} Series 1.2.3.4.5.6 misses slices.")
    house.finish()
    house.start()
    house.finish()
    assert calls(house.home) == [3]
    assert house.told()["stage"] == "set aside"
    assert house.told()["sentence"] == "Series 1.2.3.4.5.6 misses slices."
    assert house.archive.sent() == []


def test_a_study_set_aside_that_grows_is_tried_again(house: House, three: list[Path]) -> None:
    (house.home / "status").write_text("2 Too few slices.")
    send(house.start(), three[:2])
    house.finish()
    (house.home / "status").unlink()
    send(house.listener, three[2:])
    house.finish()
    assert stages(house.folder / "inbox") == ["pushed"]


@pytest.mark.parametrize("status", ["-1", "1 Traceback"])
def test_an_assessment_that_stops_without_an_answer_is_tried_twice_in_all(
    house: House, three: list[Path], status: str
) -> None:
    send(house.start(), three)
    (house.home / "status").write_text(status)
    house.finish()
    house.start()
    house.finish()
    assert calls(house.home) == [3, 3]
    assert house.told()["sentence"] == "Its assessment stopped without an answer."


def test_an_archive_that_is_away_is_tried_again(house: House, three: list[Path]) -> None:
    house.archive.refuses = ["away"]
    send(house.start(), three)
    house.finish()
    assert stages(house.folder / "inbox") == ["pushed"]
    assert len(house.archive.sent()) == 2


def test_an_archive_that_stays_away_is_not_tried_for_ever_but_at_the_next_start(
    house: House, three: list[Path]
) -> None:
    house.archive.refuses = ["The archive at 1.2 does not answer"] * 3
    send(house.start(), three)
    house.finish()
    assert house.told()["stage"] == "set aside"
    assert house.told()["sentence"] == "Its results were not pushed. The archive at 1.2 does not answer."
    house.start()
    house.finish()
    assert stages(house.folder / "inbox") == ["pushed"]
    assert calls(house.home) == [3]


def test_results_stay_where_no_archive_is_named_and_go_when_one_is(house: House, three: list[Path]) -> None:
    send(house.start(archive=False), three)
    house.finish()
    assert stages(house.folder / "inbox") == ["assessed"]
    house.start()
    house.finish()
    assert set(house.archive.sent()) == result_uids(3)
    assert calls(house.home) == [3]


def test_studies_are_kept_apart(house: House, three: list[Path], tmp_path: Path) -> None:
    other = write_series(tmp_path / "other", trunk((4, 12, 12)), StudyInstanceUID="1.2.3.4.2000")
    listener = house.start()
    for one, two in zip([*three, three[0]], other, strict=True):
        send(listener, [one, two])
    house.finish()
    assert sorted(calls(house.home)) == [3, 4]


def test_neither_the_log_nor_a_name_on_disk_says_who_it_is(
    house: House, three: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    send(house.start(), three[:2])
    house.finish()
    (house.home / "status").write_text(f"2 Series {STUDY}.7.8 misses slices.")
    send(house.listener, three[2:])
    house.finish()
    names = " ".join(str(path.relative_to(house.folder)) for path in house.folder.rglob("*"))
    assert "set aside" in caplog.text
    for said in (caplog.text, names):
        assert STUDY not in said
        assert "Doe" not in said
        assert "secret-42" not in said


def test_a_full_disk_is_told_to_the_sender(
    house: House, three: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = house.start()

    def full(*arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(inbox_module, "write_durably", full)
    assert listener.receive(Sent(three[0])) == 0xA700


def test_what_is_no_image_is_refused(house: House, tmp_path: Path) -> None:
    path = tmp_path / "broken"
    path.write_bytes(bytes(128) + b"DICM" + b"nothing")
    assert house.start().receive(Sent(path)) == 0xC000
    assert house.inbox is not None
    assert house.inbox.all_studies() == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes.")
def test_what_is_received_is_for_nobody_else_on_the_computer(house: House) -> None:
    house.start()
    assert (house.folder / "inbox").stat().st_mode & 0o077 == 0


def test_two_listeners_do_not_share_a_folder(house: House) -> None:
    house.start()
    with pytest.raises(InputError, match="in use by another listener"):
        Inbox(house.folder / "inbox")
