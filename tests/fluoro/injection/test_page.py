"""The page of an injection says what was said, shows the pictures that mattered, and clears nobody."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from stand_in import ColumnModel, Scripted, frames, toy_target

from thecal.fluoro.frame import Frame
from thecal.fluoro.injection.chronicle import MOST_EVENTS, Chronicle
from thecal.fluoro.injection.page import blind_s, clock, headline, render_injection_page
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import Arrival
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.recording import Opening
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch
from thecal.terms import RESEARCH_USE

OPENING = Opening("0.1.0", "run.dcm", WatchOptions(), None, replace(toy_target(), depth_mm=30.0))


def chronicled(script: list[Arrival | float]) -> Chronicle:
    chronicle = Chronicle()
    Session(Watch(), ColumnModel(), [chronicle]).run(Scripted(script, live=False), speed="full")
    return chronicle


def black(count: int, start: int) -> list[Frame]:
    return [replace(f, pixels=np.zeros_like(f.pixels)) for f in frames(count, start=start)]


def test_the_page_tells_of_leak_stop_and_near_in_this_order_and_of_the_blind_time() -> None:
    page = render_injection_page(OPENING, chronicled([*frames(30), *black(15, 30), *frames(25, start=45)]))
    text = re.sub(r"<[^>]+>", " ", page)
    leak, stop, near = (
        text.index(words) for words in ("A leak was said", "posterior third was said", "said to come near")
    )
    assert leak < stop < near
    assert "For 1 s of the watch nothing could be told" in text
    for title in ("First cement", "First near", "First stop", "First leak", "First lost"):
        assert title in text
    assert RESEARCH_USE in text
    assert "many leaks do not show on fluoroscopy" in text


def test_a_leak_does_not_hide_the_posterior_third_and_the_canal_comes_first() -> None:
    class Worse(ColumnModel):
        def see(self, frame: Frame) -> Reading:
            n = frame.number
            leaks = ("disc above",) + ("over the foramen",) * (n >= 20)
            also = ("stop", "near") if n >= 10 else ()
            return replace(super().see(frame), level="leak", leaks=leaks, also=also)

    chronicle = Chronicle()
    Session(Watch(), Worse(), [chronicle]).run(Scripted(list(frames(30)), live=False), speed="full")
    said = headline(OPENING, chronicle)
    assert said[0] == "Cement on the canal's side was said at 0:02.7: over the foramen."
    assert said[1].startswith("A leak was said at 0:00.0")
    assert said[2].startswith("The posterior third was said to be reached at 0:01.3")
    page = render_injection_page(OPENING, chronicle)
    for title in ("First leak", "First stop", "First canal leak"):
        assert title in page


def test_an_injection_without_alarm_is_not_called_safe() -> None:
    page = render_injection_page(OPENING, chronicled(list(frames(10))))
    assert "No alarm was said for cement." in page
    for word in ("safe", "no leak", "successful", "cleared"):
        assert word not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).lower()


def test_nothing_read_at_all_is_a_page_too() -> None:
    page = render_injection_page(OPENING, chronicled([]))
    assert "Nothing could be told in this watch." in page
    assert "No alarm was said" not in page
    assert "The injection in time" not in page


def test_a_watch_that_was_always_lost_does_not_say_that_there_was_no_alarm() -> None:
    class Blind(ColumnModel):
        def see(self, frame: Frame) -> Reading:
            return replace(super().see(frame), level="lost", why="The vertebra is not found.")

    chronicle = Chronicle()
    Session(Watch(), Blind(), [chronicle]).run(Scripted(list(frames(30)), live=False), speed="full")
    assert headline(OPENING, chronicle) == ["Nothing could be told in this watch."]
    assert headline(OPENING, chronicled(black(30, 0))) == ["Nothing could be told in this watch."]


def test_the_blind_time_is_the_sum_of_what_was_lost() -> None:
    chronicle = chronicled([*frames(15), *black(15, 15), *frames(10, start=30)])
    lost = [change for change in chronicle.changes if change.level == "lost"][-1]
    back = chronicle.changes[-1]
    assert blind_s(chronicle) == pytest.approx(back.at_s - lost.at_s)


def test_a_watch_of_many_alarms_is_bounded_and_says_what_is_left_out() -> None:
    chronicle = chronicled([])
    watch = Watch()
    model = ColumnModel()
    low, high = model.see(frames(1, start=10)[0]), model.see(frames(1, start=40)[0])
    for n in range(900):
        reading = replace(high if n % 2 else low, number=n, time_s=float(n))
        for event in watch.told(reading, float(n)):
            chronicle.say(event)
    assert len(chronicle.changes) == MOST_EVENTS
    assert chronicle.beyond > 400
    assert f"And {chronicle.beyond} more" in render_injection_page(OPENING, chronicle)


def test_the_page_loads_nothing_from_anywhere() -> None:
    page = render_injection_page(OPENING, chronicled(list(frames(40))))
    links = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)


def test_times_are_minutes_and_seconds() -> None:
    assert [clock(s) for s in (0.0, 9.96, 59.96, 61.25)] == ["0:00.0", "0:10.0", "1:00.0", "1:01.2"]
