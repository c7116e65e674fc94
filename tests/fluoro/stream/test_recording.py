"""A recording is whole up to its last moment, and runs again bit for bit."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from stand_in import ColumnModel, Heard, Scripted, frames, toy_target

from thecal.errors import InputError
from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry, SourceLost, Unreadable
from thecal.fluoro.stream.lines import Lines
from thecal.fluoro.stream.machine import machine
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.record_file import HEADER, MAGIC, read_records
from thecal.fluoro.stream.recording import Opening, Recorder, read_opening, read_steps
from thecal.fluoro.stream.replay import Replayed, replay
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch

GEOMETRY = SourceGeometry(1000.0, 620.0, 0.4, 90.0, 0.0, (96, 96))


def opening(**options: object) -> Opening:
    return Opening("0.1.0", "script", WatchOptions(**options), GEOMETRY, toy_target())


def recorded(
    folder: Path, script: list[Arrival | float], *, live: bool = False, **options: object
) -> tuple[Path, Heard]:
    path, heard = folder / "recording.thecal", Heard()
    begins = opening(**options)
    recorder = Recorder(path, begins)
    watch = Watch(every_frame=begins.options.every_frame)
    lines = Lines(folder / "events.jsonl")
    Session(watch, ColumnModel(), [heard, lines], recorder).run(Scripted(script, live=live), speed="full")
    recorder.close()
    lines.close()
    return path, heard


def again(path: Path, model: object | None = None, told: tuple[object, ...] = ()) -> Replayed:
    return replay(path, read_opening(path), model or ColumnModel(), told)


FAULTY: list[Arrival | float] = [
    *frames(20),
    SourceLost("gone"),
    *frames(9, seed=3),
    Unreadable("x is no picture"),
    *[replace(f, pixels=np.zeros_like(f.pixels)) for f in frames(12, start=9)],
    *frames(30, start=25, seed=3),
]


def test_a_recording_runs_again_bit_for_bit(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, FAULTY, every_frame=True)
    lines = Lines(tmp_path / "again.jsonl")
    result = again(path, told=(lines,))
    lines.close()
    assert result.difference is None
    assert result.ended
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "events.jsonl").read_bytes()


def test_a_live_recording_runs_again_bit_for_bit_though_the_timer_spoke(tmp_path: Path) -> None:
    script: list[Arrival | float] = []
    for frame in frames(12):
        script += [frame, 0.01]
    path, heard = recorded(tmp_path, [*script, 1.1, *frames(3, start=12)], live=True)
    assert heard.levels() == ["lost", "ok", "lost", "ok"]
    result = again(path)
    assert result.difference is None
    assert result.pictures + heard.events[-1].passed_over == 15


def test_a_screen_that_broke_is_replayed_too(tmp_path: Path) -> None:
    class Breaks(Heard):
        def show(self, shown: object) -> None:
            if len(self.events) > 1:
                raise ZeroDivisionError

    path = tmp_path / "recording.thecal"
    recorder = Recorder(path, opening(), None)
    lines = Lines(tmp_path / "events.jsonl")
    Session(Watch(), ColumnModel(), [Breaks(), lines], recorder).run(
        Scripted(list(frames(40)), live=False), speed="full"
    )
    recorder.close()
    lines.close()
    assert again(path).difference is None
    assert '"kind":"screen"' in (tmp_path / "events.jsonl").read_text()


def test_what_was_recorded_is_what_came(tmp_path: Path) -> None:
    script = list(frames(5)) + list(frames(3, start=5, dtype=np.uint8))
    path, _ = recorded(tmp_path, script)
    kept = [step.frame for step in read_steps(path) if step.frame is not None]
    for was, now in zip(script, kept, strict=True):
        assert (was.number, was.time_s, was.pixels.dtype) == (now.number, now.time_s, now.pixels.dtype)
        np.testing.assert_array_equal(was.pixels, now.pixels)
    begins = read_opening(path)
    assert begins.geometry == GEOMETRY
    np.testing.assert_array_equal(begins.target.hu, toy_target().hu)


def test_how_the_c_arm_stood_on_a_picture_and_what_was_chosen_are_kept(tmp_path: Path) -> None:
    script = [replace(frame, geometry=GEOMETRY) for frame in frames(2)]
    path, _ = recorded(tmp_path, list(script), at=(3.0, 4.5), flip=True)
    assert [step.frame.geometry for step in read_steps(path) if step.frame is not None] == [
        GEOMETRY,
        GEOMETRY,
    ]
    begins = read_opening(path)
    assert begins.options == WatchOptions(at=(3.0, 4.5), flip=True)
    assert begins.machine == machine()


@settings(max_examples=40)
@given(arrays.arrays(st.sampled_from([np.uint8, np.uint16]), st.tuples(st.integers(2, 9), st.integers(2, 9))))
def test_any_picture_is_kept_to_the_last_bit(pixels: np.ndarray) -> None:
    from thecal.fluoro.stream.recording import _packed_frame, _unpacked_frame

    step = _unpacked_frame(_packed_frame({"kind": "frame", "at_s": 0.25}, Frame(7, 0.125, pixels)))
    assert step.frame is not None
    np.testing.assert_array_equal(step.frame.pixels, pixels)
    assert step.frame.pixels.dtype == pixels.dtype


def test_another_reading_is_found_and_its_picture_named(tmp_path: Path) -> None:
    class OneBitOff(ColumnModel):
        def see(self, frame: Frame) -> Reading:
            reading = super().see(frame)
            if frame.number == 17 and reading.cement is not None:
                reading.cement[0, 0] ^= True
            return reading

    path, _ = recorded(tmp_path, list(frames(30)))
    difference = again(path, OneBitOff()).difference
    assert difference is not None
    assert difference.text == "picture 17 is read otherwise than it was"


def test_an_option_that_changes_what_is_said_is_found(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, list(frames(30)), every_frame=True)
    begins = replace(read_opening(path), options=WatchOptions())
    assert replay(path, begins, ColumnModel()).difference is not None


def test_a_recording_cut_anywhere_reads_up_to_its_last_whole_record(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, list(frames(12)))
    whole = path.read_bytes()
    starts = [record.at for record in read_records(path)]
    cut = tmp_path / "cut.thecal"
    for size in random.Random(5).sample(range(starts[3], len(whole)), 25):
        cut.write_bytes(whole[:size])
        kept = [record.at for record in read_records(cut)]
        last = next((n for n, at in enumerate(starts) if at > size), len(starts)) - 1
        assert len(kept) in (last, last + 1)
        assert kept == starts[: len(kept)]
        result = again(cut)
        assert result.difference is None
        assert not result.ended


def test_a_damaged_record_is_said_with_its_place(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, list(frames(6)))
    content = bytearray(path.read_bytes())
    at = [record.at for record in read_records(path)][5]
    content[at + HEADER.size + 3] ^= 0x10
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"damaged at byte {at}"):
        again(path)


def test_a_record_whose_length_is_damaged_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path, _ = recorded(tmp_path, list(frames(6)))
    whole = path.read_bytes()
    at = [record.at for record in read_records(path)][5]
    for byte in (0, 4, 7, 11):
        content = bytearray(whole)
        content[at + byte] ^= 0x10
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"damaged at byte {at}"):
            again(path)


def test_another_file_is_no_recording(tmp_path: Path) -> None:
    other = tmp_path / "x"
    other.write_bytes(b"PNG")
    with pytest.raises(InputError, match="no recording"):
        read_opening(other)
    other.write_bytes(b"thecal.recording/1\n")
    with pytest.raises(InputError, match="another version"):
        read_opening(other)
    other.write_bytes(MAGIC)
    with pytest.raises(InputError, match="before its first picture"):
        read_opening(other)


def test_a_recording_of_another_version_is_refused(tmp_path: Path) -> None:
    from thecal.fluoro.stream.record_file import RecordFile
    from thecal.fluoro.target_file import target_to_bytes

    file = RecordFile(tmp_path / "x")
    head = {"thecal": "9", "source": "x", "options": {"unheard_of": 1}, "geometry": None}
    file.append("HEAD", json.dumps(head).encode())
    file.append("TARG", target_to_bytes(toy_target()))
    file.close()
    with pytest.raises(InputError, match="another version"):
        read_opening(tmp_path / "x")


def test_a_disk_that_is_full_ends_the_recording_and_not_the_watch(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recording.thecal", opening())

    def full(kind: str, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    recorder._file.append = full
    heard = Heard()
    Session(Watch(), ColumnModel(), [heard], recorder).run(
        Scripted(list(frames(200)), live=False), speed="full"
    )
    recorder.close()
    assert heard.faults() == ["recording"]
    assert heard.levels()[-1] == "leak"


KILLED = """
import os, random, signal, sys, time
from itertools import count
from pathlib import Path
from stand_in import ColumnModel, Scripted, frames
from test_recording import opening
from thecal.fluoro.stream.recording import Recorder
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch

def watch(path):
    recorder = Recorder(path, opening(every_frame=True))
    source = Scripted((item for n in count() for item in (*frames(1, start=n), 0.002)), live=True)
    Session(Watch(every_frame=True), ColumnModel(), [], recorder).run(source)

for seed in range(int(sys.argv[2])):
    path = Path(sys.argv[1]) / f"{seed}.thecal"
    child = os.fork()
    if child == 0:
        watch(path)
        os._exit(0)
    time.sleep(random.Random(seed).uniform(0.08, 0.35))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""
KILLS = 4


def test_a_watch_that_is_killed_leaves_a_recording_that_runs_again(tmp_path: Path) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), str(KILLS)],
        env=os.environ | {"PYTHONPATH": path},
        check=True,
    )
    results = [again(recording) for recording in sorted(tmp_path.glob("*.thecal"))]
    assert len(results) == KILLS
    assert all(result.difference is None and not result.ended for result in results)
    assert sum(result.readings for result in results) > KILLS
