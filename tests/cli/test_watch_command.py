"""``thecal watch``, ``replay`` and ``clock`` as they are called."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from stand_in import ColumnModel, frames, picture, toy_target
from xa_files import xa

from thecal.cli import EXIT_DIFFERENT, EXIT_INPUT, EXIT_NOTHING_TOLD, EXIT_OK, run
from thecal.cli.mixing import since
from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.stream.events import from_line
from thecal.fluoro.target_file import target_path, write_target

Said = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simple picture model in the monitor's place; signals stay the test's."""
    monkeypatch.setattr(
        "thecal.fluoro.stream.planned_model.PlannedModel._begun", lambda self, frame: ColumnModel()
    )
    monkeypatch.setattr("thecal.fluoro.stream.warm_up.warm_up", lambda *_: None)
    monkeypatch.setattr("thecal.cli.compiled.tell_if_cold", lambda: None)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a plan of T12 and a run of an injection up to the posterior third."""
    monkeypatch.chdir(tmp_path)
    write_target(target_path(Path("plan"), "T12"), toy_target())
    pixels = np.stack([frame.pixels for frame in frames(40)])
    xa(tmp_path / "run.dcm", pixels, FrameTime=1000.0 / 7.5, PositionerPrimaryAngle=90.0)
    return tmp_path


def watched(*more: str, out: str = "out", source: str = "run.dcm") -> int:
    return run(["watch", source, "--plan", "plan", "--out", out, "--speed", "full", *more])


def test_a_watch_says_its_events_and_leaves_recording_events_and_page(here: Path, capsys: Said) -> None:
    assert watched() == EXIT_OK
    said = capsys.readouterr()
    lines = said.out.splitlines()
    events = [from_line(line) for line in lines]
    assert [e.level for e in events if e.event == "level"] == ["lost", "ok", "near", "stop"]
    assert json.loads(lines[0])["schema"] == "thecal.watch/1"
    assert (here / "out" / "events.jsonl").read_text() == said.out
    assert "posterior third" in said.err
    assert "Assumed, since the source does not state it: source to detector 1000 mm" in said.err
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        "events.jsonl",
        "injection.html",
        "recording.thecal",
    ]


def test_a_watch_in_which_nothing_could_be_told_says_so_and_ends_with_its_own_status(
    here: Path, capsys: Said
) -> None:
    xa(here / "black.dcm", np.zeros((20, 96, 96), np.uint16), PositionerPrimaryAngle=90.0)
    assert watched(source="black.dcm") == EXIT_NOTHING_TOLD
    said = capsys.readouterr().err
    assert "Nothing could be told in this watch." in said
    assert "No alarm" not in said
    assert "Nothing could be told in this watch." in (here / "out" / "injection.html").read_text()


def test_a_replay_of_a_watch_is_the_same_and_makes_the_same_files(here: Path, capsys: Said) -> None:
    watched("--every-frame", "--posterior", "quarter")
    assert run(["replay", "out", "--out", "again"]) == EXIT_OK
    assert "The same, bit for bit: 40 pictures, 40 readings" in capsys.readouterr().out
    for name in ("events.jsonl", "injection.html"):
        assert (here / "out" / name).read_bytes() == (here / "again" / name).read_bytes()


def test_a_replay_that_differs_says_where_and_ends_with_its_own_status(
    here: Path, capsys: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Other(ColumnModel):
        def see(self, frame: Frame) -> Reading:
            return super().see(Frame(frame.number, frame.time_s, np.roll(frame.pixels, frame.number == 21)))

    watched()
    monkeypatch.setattr("thecal.fluoro.stream.planned_model.PlannedModel._begun", lambda self, frame: Other())
    assert run(["replay", "out/recording.thecal"]) == EXIT_DIFFERENT
    said = capsys.readouterr().out
    assert "picture 21 is read otherwise" in said
    assert "another kind of computer" not in said
    monkeypatch.setattr("thecal.fluoro.stream.machine.machine", lambda: "an abacus")
    assert run(["replay", "out"]) == EXIT_DIFFERENT
    assert "another kind of computer" in capsys.readouterr().out


def test_a_recording_whose_watch_was_killed_says_so_beside_the_same(here: Path, capsys: Said) -> None:
    watched()
    path = here / "out" / "recording.thecal"
    whole = path.read_bytes()
    capsys.readouterr()
    for size in (len(whole) - 7, whole.rindex(b"STEP"), whole.rindex(b"FRAM")):
        path.write_bytes(whole[:size])
        assert run(["replay", "out"]) == EXIT_OK
        (said,) = capsys.readouterr().out.splitlines()
        assert "bit for bit" in said
        assert "its watch was killed" in said


def test_an_option_that_overrules_the_source_says_so(here: Path, capsys: Said) -> None:
    assert watched("--view", "ap", "--at", "40,50") == EXIT_OK
    assert "angles 180 and 0 degrees (stated: 90 and 0)" in capsys.readouterr().err


def test_a_recording_is_never_written_over(here: Path, capsys: Said) -> None:
    watched()
    before = (here / "out" / "recording.thecal").read_bytes()
    assert watched() == EXIT_INPUT
    assert "holds a recording already" in capsys.readouterr().err
    assert (here / "out" / "recording.thecal").read_bytes() == before
    assert run(["replay", "out", "--out", "out"]) == EXIT_INPUT


def test_a_live_folder_is_watched_until_ctrl_c(here: Path, capsys: Said) -> None:
    (here / "in").mkdir()

    def fill() -> None:
        for number in range(6):
            Image.fromarray(picture(number)).save(here / "in" / f"{number}.part", "PNG")
            os.rename(here / "in" / f"{number}.part", here / "in" / f"{number}.png")
            stop.wait(0.05)
        stop.wait(0.4)
        os.kill(os.getpid(), signal.SIGINT)

    stop = threading.Event()
    thread = threading.Thread(target=fill)
    thread.start()
    try:
        words = ["watch", "in", "--live", "--plan", "plan", "--out", "out", "--view", "lateral"]
        assert run(words) == EXIT_OK
    finally:
        stop.set()
        thread.join()
    last = from_line(capsys.readouterr().out.splitlines()[-1])
    assert last.why == "stopped"
    assert last.pictures + last.passed_over == 6
    assert (here / "out" / "injection.html").exists()
    assert run(["replay", "out"]) == EXIT_OK


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--level", "T9"), "does not plan T9; it plans T12"),
        (("--cement", "Foo", "--since-mixing", "60"), "Nothing is known of the cement Foo"),
        (("--cement", "Simplex P"), "--mixed-at or --since-mixing"),
        (("--cement", "Simplex P", "--mixed-at", "noon"), "HH:MM:SS"),
        (("--since-mixing", "60"), "--cement names it"),
        (("--room-temp", "19"), "--cement names the cement"),
        (("--cement", "Simplex P", "--since-mixing", "60"), "--cement needs --show web"),
        (("--sound",), "--sound needs the page"),
        (("--live",), "the source is one file"),
        (("--network",), "the source is of this one"),
        (("--tip", "behind"), "this one is lateral"),
        (("--fps", "4"), "states the times of its pictures"),
        (("--sod", "1200"), "impossible"),
        (("--at", "40"), "--at 240,310"),
        (("--at", "40,4000"), "outside the picture"),
        (("--walls", "40,50", "40"), "--walls 240,340 238,260"),
        (("--walls", "40,50", "40,4000"), "outside the picture"),
        (("--walls", "40,50", "40,60", "--at", "40,50"), "give one of them"),
        (("--primary", "200"), "between -180 and 180"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_picture(
    here: Path, capsys: Said, more: tuple[str, ...], words: str
) -> None:
    assert watched(*more) == EXIT_INPUT
    assert words in capsys.readouterr().err
    assert not (here / "out").exists()


def test_a_source_that_does_not_say_how_the_c_arm_stands_needs_the_view(here: Path, capsys: Said) -> None:
    (here / "in").mkdir()
    Image.fromarray(picture(0)).save(here / "in" / "0.png")
    assert watched(source="in") == EXIT_INPUT
    assert "--view lateral or --view ap" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["file", "cut", "folder", "pictures", "film"])
def test_the_name_of_a_file_may_be_a_patients_and_is_kept_nowhere(
    here: Path, capsys: Said, kind: str
) -> None:
    source = here / "DOE_JANE.dcm"
    if kind in ("file", "cut"):
        (here / "run.dcm").rename(source)
        source.write_bytes(source.read_bytes()[: -20_000 if kind == "cut" else None])
    elif kind == "film":
        source = here / "DOE_JANE.avi"
        film = pytest.importorskip("cv2").VideoWriter(str(source), 0x47504A4D, 7.5, (96, 96), isColor=False)
        for frame in frames(3, dtype=np.uint8):
            film.write(frame.pixels)
        film.release()
    else:
        source = here / "DOE_JANE"
        source.mkdir()
        for number in range(3):
            if kind == "folder":
                xa(source / f"DOE_{number}.dcm", picture(number), InstanceNumber=number)
            else:
                Image.fromarray(picture(number)).save(source / f"DOE_{number}.png")
        broken = source / ("DOE_1.dcm" if kind == "folder" else "DOE_1.png")
        broken.write_bytes(broken.read_bytes()[:-2000])
    assert watched("--view", "lateral", source=str(source)) == EXIT_OK
    said = capsys.readouterr().out.encode()
    kept = [path.read_bytes() for path in (here / "out").iterdir()]
    assert not any(b"DOE" in content for content in (said, *kept))
    assert (b'"unreadable"' in said) == (kind in ("cut", "folder", "pictures"))


def test_a_rate_that_nobody_states_is_said_to_be_assumed(here: Path, capsys: Said) -> None:
    (here / "in").mkdir()
    for number in range(3):
        Image.fromarray(picture(number)).save(here / "in" / f"{number}.png")
    assert watched("--view", "lateral", source="in") == EXIT_OK
    assert "7.5 pictures a second (--fps)" in capsys.readouterr().err
    assert watched("--view", "lateral", "--fps", "4", source="in", out="other") == EXIT_OK
    assert "pictures a second" not in capsys.readouterr().err


def test_the_web_page_is_served_while_it_runs(here: Path, capsys: Said) -> None:
    assert watched("--show", "web", "--sound", "--cement", "simplex p", "--since-mixing", "300") == EXIT_OK
    assert "Watching at http://127.0.0.1:" in capsys.readouterr().err
    assert "Simplex P, room at 21 degrees C" in (here / "out" / "injection.html").read_text()


class _Asked:
    """A screen's place: keeps the clock that it was given."""

    address = "nowhere"

    def __init__(self, *_: object, clock: object = None, **__: object) -> None:
        _Asked.clock = clock

    def say(self, event: object) -> None: ...

    def show(self, shown: object) -> None: ...

    def close(self) -> None: ...


def test_cement_is_no_fresher_for_what_the_program_took_to_get_ready(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan takes 90 s to read; a replay shows the clock as it stood then."""
    now = [1000.0]
    monkeypatch.setattr("thecal.cli.mixing.monotonic", lambda: now[0])
    monkeypatch.setattr("thecal.fluoro.screen.web.WebScreen", _Asked)

    def slowly(*_: object) -> object:
        now[0] += 90.0
        return toy_target()

    monkeypatch.setattr("thecal.fluoro.target_file.read_planned_target", slowly)
    clock = ("--show", "web", "--cement", "simplex p", "--since-mixing", "300", "--room-temp", "20")
    assert watched(*clock) == EXIT_OK
    assert _Asked.clock(4.0).since_s == 394.0
    first = _Asked.clock(4.0)
    monkeypatch.setattr("thecal.fluoro.screen.beating.WebScreen", _Asked)
    assert run(["replay", "out", "--show", "web"]) == EXIT_OK
    assert _Asked.clock(4.0) == first
    # Of what is watched as it happens, the clock on the wall counts.
    assert watched(*clock, "--speed", "real", out="live") == EXIT_OK
    assert _Asked.clock(4.0).since_s == 390.0
    now[0] += 60.0
    assert _Asked.clock(4.0).since_s == 450.0


@pytest.mark.parametrize(
    ("mixed_at", "now", "seconds"),
    [("23:58", "00:03:00", 300.0), ("23:59:30", "23:59:45", 15.0), ("00:00", "00:00:00", 0.0)],
)
def test_mixing_before_midnight_is_yesterdays(mixed_at: str, now: str, seconds: float) -> None:
    assert since(mixed_at, datetime.fromisoformat(f"2026-03-04T{now}").astimezone()) == seconds


def test_mixing_that_begins_later_than_now_is_refused() -> None:
    with pytest.raises(InputError, match="in the future"):
        since("10:05", datetime.fromisoformat("2026-03-04T10:03:00").astimezone())


def test_a_replay_makes_no_sound_without_its_page_and_says_so(here: Path, capsys: Said) -> None:
    watched()
    assert run(["replay", "out", "--sound"]) == EXIT_INPUT
    assert "--show web" in capsys.readouterr().err


def test_a_port_that_there_is_not_is_one_sentence_in_watch_and_replay(here: Path, capsys: Said) -> None:
    assert watched("--show", "web", "--port", "99999") == EXIT_INPUT
    assert not (here / "out").exists()
    watched()
    capsys.readouterr()
    assert run(["replay", "out", "--show", "web", "--port", "99999"]) == EXIT_INPUT
    assert capsys.readouterr().err == "--port is a number from 0 to 65535.\n"


def test_the_clock_says_what_is_known_and_what_is_not(capsys: Said) -> None:
    assert run(["clock", "CMW 1", "--room-temp", "25", "--gauge", "11G"]) == EXIT_OK
    said = capsys.readouterr().out
    assert "cured                 8:42 min (Nicholas 2007" in said
    assert "toothpaste begins     not known" in said
    assert "1.0 MPa, below the mean peak in vivo" in said
    assert run(["clock", "Foo"]) == EXIT_INPUT
    assert "there are figures for Simplex P" in capsys.readouterr().err


def refuses(action: Callable[[], int]) -> bool:
    return action() == EXIT_INPUT


def test_a_damaged_recording_is_refused_in_one_sentence(here: Path, capsys: Said) -> None:
    watched()
    path = here / "out" / "recording.thecal"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert refuses(lambda: run(["replay", "out"]))
    assert "is damaged at byte" in capsys.readouterr().err
