"""The watch in time: faults are named, ``lost`` is said within a second, and nothing ends the watch."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from stand_in import RATE_HZ, SIZE, ColumnModel, Heard, Scripted, frames

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.screen.bell import Bell
from thecal.fluoro.sources.arrival import Arrival, SourceLost, Unreadable
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch


def watched(script: list[Arrival | float], *, live: bool = False, model: object | None = None) -> Heard:
    heard = Heard()
    session = Session(Watch(), model or ColumnModel(), [heard])
    session.run(Scripted(script, live=live), speed="full")
    return heard


def lost_after(heard: Heard, since_s: float) -> float:
    """How long after a moment ``lost`` was said next."""
    return min(
        e.at_s for e in heard.events if e.event == "level" and e.level == "lost" and e.at_s > since_s
    ) - (since_s)


def black(count: int, start: int) -> list[Frame]:
    return [replace(frame, pixels=np.zeros_like(frame.pixels)) for frame in frames(count, start=start)]


def inverted(count: int, start: int) -> list[Frame]:
    return [replace(frame, pixels=4095 - frame.pixels) for frame in frames(count, start=start)]


def frozen(count: int, start: int) -> list[Frame]:
    still = frames(1, start=start - 1)[0].pixels
    return [replace(frame, pixels=still.copy()) for frame in frames(count, start=start)]


def saturated(count: int, start: int) -> list[Frame]:
    return [
        replace(f, pixels=np.minimum(f.pixels * np.uint16(3), 4095).astype(np.uint16))
        for f in frames(count, start=start, grown=40)
    ]


def wrong_size(count: int, start: int) -> list[Frame]:
    return [replace(frame, pixels=frame.pixels[: SIZE // 2]) for frame in frames(count, start=start)]


def backwards(count: int, start: int) -> list[Frame]:
    """Late pictures in falling order: none of them is news."""
    return [replace(f, number=start - 2 - n) for n, f in enumerate(frames(count, start=start))]


def test_an_injection_goes_from_ok_to_leak_and_says_each_level_once() -> None:
    heard = watched(list(frames(60)))
    assert heard.levels() == ["lost", "ok", "near", "stop", "leak"]
    assert heard.events[-1].event == "end"
    assert (heard.events[-1].pictures, heard.events[-1].read) == (60, 60)
    assert heard.faults() == []


def test_after_a_leak_all_that_is_worse_is_said_too() -> None:
    """A disc leak on picture 8, the posterior third reached on picture 20, the canal on picture 30."""

    class Worse(ColumnModel):
        def see(self, frame: Frame) -> Reading:
            n = frame.number
            leaks = ("disc above",) * (n >= 8) + ("behind the posterior wall",) * (n >= 30 and n != 33)
            return replace(
                super().see(frame),
                level="leak" if leaks else "ok",
                why=f"Cement outside the body: {', '.join(leaks)}.",
                leaks=leaks,
                also=("stop", "near") if n >= 20 else (),
            )

    heard = watched(list(frames(40)), model=Worse())
    said = [event for event in heard.events if event.event == "level" and event.level == "leak"]
    assert [event.picture for event in said] == [8, 20, 30]
    assert [event.was for event in said] == ["ok", "leak", "leak"]
    assert said[1].also == ("stop", "near")
    assert said[1].why == "Cement outside the body: disc above. STOP holds too."
    assert said[2].leaks == ("disc above", "behind the posterior wall")
    assert said[2].why.startswith("Cement on the canal's side: behind the posterior wall; also: disc above.")
    rung = io.StringIO()
    for event in said:
        Bell(rung).say(event)
    assert rung.getvalue() == "\a\a\a"


@pytest.mark.parametrize("begins_s", [0.0, 0.1, 1 / 3, 2.7, 123.4, 3599.9])
def test_a_gap_in_a_file_is_lost_whenever_it_begins(begins_s: float) -> None:
    """Sums of times are rounded: 0.1 + 0.9 - 0.1 may be a little less than 0.9."""
    script = [replace(frame, time_s=begins_s + frame.time_s) for frame in (*frames(4), *frames(4, start=15))]
    heard = watched(script)
    assert heard.levels() == ["lost", "ok", "lost", "ok"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (black, "black"),
        (inverted, "inverted"),
        (frozen, "repeated"),
        (saturated, "saturated"),
        (wrong_size, "wrong_size"),
        (backwards, "out_of_order"),
    ],
)
def test_pictures_that_cannot_be_used_are_lost_within_a_second_and_the_watch_comes_back(
    fault: object, kind: str
) -> None:
    good = frames(15)
    bad = fault(12, 15)
    heard = watched([*good, *bad, *frames(10, start=27)])
    assert kind in heard.faults()
    assert 0.0 < lost_after(heard, good[-1].time_s) <= 1.0
    assert heard.levels()[-1] not in ("lost",)
    over = [event for event in heard.events if event.event == "fault_over"]
    assert over[0].kind == kind


def test_a_glitch_of_one_picture_is_named_but_alarms_nobody() -> None:
    heard = watched([*frames(10), *black(1, 10), *frames(5, start=11)])
    assert heard.faults() == ["black"]
    assert heard.levels() == ["lost", "ok"]


def test_pictures_that_are_missing_in_a_file_are_lost_by_the_files_own_clock() -> None:
    good = frames(10)
    heard = watched([*good, *frames(10, start=40)])
    assert "missing" in heard.faults()
    assert 0.0 < lost_after(heard, good[-1].time_s) <= 1.0
    assert heard.levels()[-1] != "lost"


def test_a_source_that_is_lost_is_said_at_once_and_may_begin_its_count_again() -> None:
    heard = watched([*frames(12), SourceLost("the cable is out"), *frames(12, seed=4)])
    assert heard.levels() == ["lost", "ok", "lost", "ok"]
    lost = [event for event in heard.events if event.event == "level" and event.level == "lost"][-1]
    assert "the cable is out" in lost.why
    assert [e.kind for e in heard.events if e.event == "fault_over"] == ["source_lost"]
    assert heard.events[-1].read == 24


def test_what_is_no_picture_is_named() -> None:
    heard = watched([*frames(3), Unreadable("x.png is no picture"), *frames(3, start=3)])
    assert heard.faults() == ["unreadable"]


def test_silence_of_a_live_source_is_lost_within_a_second_on_the_wall_clock() -> None:
    """No picture comes: only the timer can tell."""
    script: list[Arrival | float] = []
    for frame in frames(4):
        script += [frame, 0.05]
    heard = watched([*script, 1.3], live=True)
    ok = next(n for n, e in enumerate(heard.events) if e.event == "level" and e.level == "ok")
    lost = next(n for n, e in enumerate(heard.events) if n > ok and e.event == "level" and e.level == "lost")
    # Three pictures more came after the first was read.
    assert heard.wall_s[lost] - heard.wall_s[ok] < 3 * 0.05 + 1.0 + 0.15
    assert "No picture has come" in heard.events[lost].why


def test_a_picture_model_that_hangs_is_lost_within_a_second_too() -> None:
    class Hangs(ColumnModel):
        def see(self, frame: Frame) -> object:
            if frame.number == 3:
                time.sleep(1.4)
            return super().see(frame)

    script: list[Arrival | float] = []
    for frame in frames(4):
        script += [frame, 0.05]
    heard = watched([*script, 1.3], live=True, model=Hangs())
    lost = next(e for e in heard.events if e.event == "level" and e.level == "lost" and e.was is not None)
    assert lost.at_s < 1.25
    assert "takes longer" in lost.why


def test_a_defect_in_the_picture_model_does_not_end_the_watch() -> None:
    class Breaks(ColumnModel):
        def see(self, frame: Frame) -> object:
            if 10 <= frame.number < 20:
                raise ZeroDivisionError
            return super().see(frame)

    heard = watched(list(frames(30)), model=Breaks())
    assert heard.faults() == ["model"]
    assert heard.levels()[:3] == ["lost", "ok", "lost"]
    assert heard.levels()[-1] == "stop"


def test_a_screen_that_breaks_does_not_end_the_watch() -> None:
    class Breaks(Heard):
        def show(self, shown: object) -> None:
            if len(self.events) > 1:
                raise ZeroDivisionError

    broken, heard = Breaks(), Heard()
    session = Session(Watch(), ColumnModel(), [broken, heard])
    session.run(Scripted(list(frames(60)), live=False), speed="full")
    assert heard.levels() == ["lost", "ok", "near", "stop", "leak"]
    assert heard.faults() == ["screen"]
    assert len(broken.events) == 2


def test_a_slow_picture_model_gets_the_newest_picture_and_the_others_are_counted() -> None:
    script: list[Arrival | float] = []
    for frame in frames(30):
        script += [frame, 0.02]
    model = ColumnModel(slow_s=0.1)
    heard = watched(script, live=True, model=model)
    end = heard.events[-1]
    passed = [event for event in heard.events if event.event == "passed_over"]
    assert end.read == len(model.seen) < 20
    assert end.read + end.passed_over == 30
    assert passed[-1].in_all == end.passed_over
    assert model.seen[-1] == 29


def test_a_file_may_be_played_at_its_own_pace() -> None:
    heard = Heard()
    begun = time.monotonic()
    Session(Watch(), ColumnModel(), [heard]).run(Scripted(list(frames(8)), live=False), speed="real")
    assert time.monotonic() - begun > 6 / RATE_HZ
    assert heard.events[-1].read == 8


def test_a_film_waits_while_the_vertebra_is_found_on_its_first_picture() -> None:
    class Begins(ColumnModel):
        def see(self, frame: Frame) -> object:
            if frame.number == 0:
                time.sleep(1.0)
            return super().see(frame)

    heard = Heard()
    Session(Watch(), Begins(), [heard]).run(Scripted(list(frames(5)), live=False), speed="real")
    assert heard.events[-1].passed_over == 0


def test_a_live_source_whose_driver_breaks_is_lost_and_begun_again() -> None:
    class Breaks(Scripted):
        def arrivals(self) -> Iterator[Arrival]:
            for item in super().arrivals():
                if item.number == 4 and not self.broken:
                    self.broken = True
                    raise RuntimeError
                yield item

        broken = False

    heard = Heard()
    Session(Watch(), ColumnModel(), [heard]).run(
        Breaks([item for frame in frames(8) for item in (frame, 0.05)], live=True)
    )
    assert heard.levels() == ["lost", "ok", "lost", "ok"]
    assert "it broke (RuntimeError)" in [e.text for e in heard.events if e.event == "fault"]


def test_stopping_ends_a_source_that_never_ends() -> None:
    heard = Heard()
    session = Session(Watch(), ColumnModel(), [heard])
    threading.Timer(0.2, session.stop).start()
    session.run(Scripted([*frames(3), 60.0], live=True))
    assert heard.events[-1].why == "stopped"


def test_nothing_read_yet_is_lost_from_the_first_moment() -> None:
    heard = watched([])
    assert heard.levels() == ["lost"]
    assert heard.events[0].why == "No picture has been read yet"
