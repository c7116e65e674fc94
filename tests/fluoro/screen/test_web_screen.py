"""The page shows each moment, is served to this computer alone, and turns to LOST when nothing comes."""

from __future__ import annotations

import base64
import http.client
import io
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from browser import Browser, why_absent
from PIL import Image
from stand_in import ColumnModel, frames

from thecal.errors import InputError
from thecal.fluoro.reading import LEVELS, Reading
from thecal.fluoro.screen.beating import Beating
from thecal.fluoro.screen.clock_face import ClockFace
from thecal.fluoro.screen.look import CANAL_LOOK, LEVEL_LOOKS, NOT_CLEARED
from thecal.fluoro.screen.web import WebScreen
from thecal.fluoro.stream.watch import Watch
from thecal.terms import RESEARCH_USE


@pytest.fixture
def screen() -> Iterator[WebScreen]:
    def clock(at_s: float) -> ClockFace:
        return ClockFace(300.0 + at_s, "too fluid", "Wait", "from memory")

    made = WebScreen("T12", "third", clock=clock)
    yield made
    made.close()


LINES: list[http.client.HTTPConnection] = []


@pytest.fixture(autouse=True)
def hung_up() -> Iterator[None]:
    yield
    while LINES:
        LINES.pop().close()


def port_of(screen: WebScreen) -> int:
    port = urlsplit(screen.address).port
    assert port is not None
    return port


def asked(screen: WebScreen, path: str, **headers: str) -> http.client.HTTPResponse:
    """``path`` under the screen's own secret one."""
    line = http.client.HTTPConnection("127.0.0.1", port_of(screen), timeout=5)
    LINES.append(line)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request("GET", urlsplit(screen.address).path + path.lstrip("/"), headers=named)
    return line.getresponse()


def moments(answer: http.client.HTTPResponse) -> Iterator[dict]:
    while line := answer.readline():
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def shown_after(count: int, watch: Watch, screen: WebScreen | Beating) -> None:
    watch.begin()
    model = ColumnModel()
    for frame in frames(count):
        offered, _ = watch.offer(frame, frame.time_s)
        assert offered is not None
        watch.told(model.see(offered), frame.time_s)
    screen.show(watch.shown(count / 7.5))


def test_the_page_says_what_the_watch_says(screen: WebScreen) -> None:
    watch = Watch()
    shown_after(35, watch, screen)
    moment = next(moments(asked(screen, "/moments")))
    assert moment["level"] == "stop"
    assert moment["to_posterior_wall_mm"] == pytest.approx(30.0 * moment["front"])
    assert moment["clock"]["since_s"] == pytest.approx(300.0 + 35 / 7.5)
    assert {line["name"] for line in moment["outlines"]} == {"body", "posterior wall"}
    assert moment["outlines"][0]["path"] == "M20.5 30.5L76.5 30.5L76.5 66.5L20.5 66.5Z"
    data = base64.b64decode(moment["image"].partition(",")[2])
    image = np.asarray(Image.open(io.BytesIO(data)))
    assert image.shape == (96, 96)
    assert image[48, 40] < 60 < image[10, 10]


def test_each_picture_is_sent_once_and_the_page_hears_of_each_quarter_second(screen: WebScreen) -> None:
    watch = Watch()
    shown_after(20, watch, screen)
    said = moments(asked(screen, "/moments"))
    assert "image" in next(said)
    assert "image" not in next(said)


def test_a_watch_that_says_nothing_any_more_is_lost_on_the_page(screen: WebScreen) -> None:
    watch = Watch()
    shown_after(20, watch, screen)
    levels = [
        moment["level"] for moment, _ in zip(moments(asked(screen, "/moments")), range(6), strict=False)
    ]
    assert levels[0] == "ok"
    assert levels[-1] == "lost"


def test_a_replay_that_pauses_keeps_its_screen_awake() -> None:
    screen = WebScreen("T12", "third")
    beating = Beating(screen)
    watch = Watch()
    shown_after(20, watch, beating)
    said = moments(asked(screen, "/moments"))
    levels = [moment["level"] for moment, _ in zip(said, range(9), strict=False)]
    beating.close()
    assert levels == ["ok"] * 9


def test_lost_keeps_no_figure_of_better_times(screen: WebScreen) -> None:
    watch = Watch()
    shown_after(35, watch, screen)
    watch.tick(99.0)
    screen.show(watch.shown(99.0))
    moment = next(moments(asked(screen, "/moments")))
    assert moment["level"] == "lost"
    assert moment["front"] is None
    assert moment["to_posterior_wall_mm"] is None


def test_pages_come_and_go_and_nobody_waits_for_them(screen: WebScreen) -> None:
    watch = Watch()
    for _ in range(12):
        asked(screen, "/moments").close()
    begun = time.monotonic()
    shown_after(20, watch, screen)
    assert time.monotonic() - begun < 2.0
    time.sleep(0.6)
    assert next(moments(asked(screen, "/moments")))["level"] == "ok"


def test_only_this_computer_is_served_and_under_its_own_name(screen: WebScreen) -> None:
    assert screen._server.server_address[0] == "127.0.0.1"
    assert asked(screen, "/", Host="example.org").status == 403
    assert asked(screen, "/moments", Host="example.org:80").status == 403
    assert asked(screen, "/x").status == 404


def test_a_page_of_another_site_and_one_who_does_not_know_the_address_get_nothing(screen: WebScreen) -> None:
    assert asked(screen, "moments", Sec_Fetch_Site="cross-site").status == 403
    assert asked(screen, "moments", Origin="https://example.org").status == 403
    line = http.client.HTTPConnection("127.0.0.1", port_of(screen), timeout=5)
    LINES.append(line)
    line.request("GET", "/moments")
    assert line.getresponse().status == 404
    own = f"http://127.0.0.1:{port_of(screen)}"
    assert asked(screen, "", Sec_Fetch_Site="none").status == 200
    assert asked(screen, "moments", Sec_Fetch_Site="same-origin", Origin=own).status == 200


def test_a_leak_towards_the_canal_has_a_word_of_its_own_on_the_page(screen: WebScreen) -> None:
    watch = Watch()
    watch.begin()
    for number, leaks in enumerate([("disc above",), ("disc above", "over the foramen")]):
        frame = frames(2)[number]
        watch.offer(frame, frame.time_s)
        watch.told(Reading(number, frame.time_s, "leak", "A leak", leaks=leaks, also=("stop",)), frame.time_s)
        screen.show(watch.shown(frame.time_s))
        moment = next(moments(asked(screen, "/moments")))
        assert (moment["level"], moment["canal"], moment["also"]) == ("leak", number == 1, ["stop"])
    assert "over the foramen" in moment["why"]


def test_the_page_loads_nothing_from_anywhere_and_is_for_research_only(screen: WebScreen) -> None:
    answer = asked(screen, "/")
    page = answer.read().decode()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert RESEARCH_USE in page
    assert NOT_CLEARED in page
    for word in ("http://", "https://", "src=", "@import", "url("):
        assert word not in page.replace("http://www.w3.org/2000/svg", "")


def test_no_two_levels_look_or_sound_alike_and_all_but_ok_are_heard() -> None:
    looks = [LEVEL_LOOKS[level] for level in LEVELS]
    for name in ("word", "shape", "beeps"):
        assert getattr(CANAL_LOOK, name) not in [getattr(look, name) for look in looks]
    for name in ("word", "colour", "shape", "beeps"):
        assert len({getattr(look, name) for look in looks}) == len(LEVELS)
    assert [level for level in LEVELS if not LEVEL_LOOKS[level].beeps] == ["ok"]


def test_a_port_that_is_taken_is_said(screen: WebScreen) -> None:
    port = port_of(screen)
    with pytest.raises(InputError, match=f"Port {port}"):
        WebScreen("T12", "third", port=port)


def test_closing_ends_open_pages() -> None:
    made = WebScreen("T12", "third")
    said = moments(asked(made, "/moments"))
    next(said)
    threading.Timer(0.1, made.close).start()
    assert len(list(said)) < 10


@pytest.mark.skipif(bool(why_absent()), reason=why_absent() or "-")
def test_a_page_whose_own_script_breaks_turns_to_lost(tmp_path: Path) -> None:
    screen = WebScreen("T12", "third")
    watch = Watch()
    shown_after(35, watch, screen)
    over = threading.Event()

    def beat() -> None:
        while not over.wait(0.1):
            screen.show(watch.shown(35 / 7.5))

    thread = threading.Thread(target=beat)
    thread.start()
    browser = Browser(tmp_path)
    try:
        browser.open(screen.address)
        assert browser.until("document.getElementById('word').textContent === 'STOP'")
        browser.value("draw = () => { throw new Error('broken') }")
        assert browser.until("document.getElementById('word').textContent === 'LOST'", timeout_s=3.0)
    finally:
        over.set()
        thread.join()
        screen.close()
        browser.close()


@pytest.mark.skipif(bool(why_absent()), reason=why_absent() or "-")
def test_the_page_itself_turns_to_lost_when_thecal_is_gone(tmp_path: Path) -> None:
    """In a real browser: the level in large letters, and LOST within some moments of the server's death."""
    screen = WebScreen("T12", "third")
    watch = Watch()
    beating = threading.Event()

    def beat() -> None:
        while not beating.wait(0.1):
            screen.show(watch.shown(35 / 7.5))

    shown_after(35, watch, screen)
    thread = threading.Thread(target=beat)
    thread.start()
    browser = Browser(tmp_path)
    try:
        browser.open(screen.address)
        assert browser.until("document.getElementById('word').textContent === 'STOP'")
        assert browser.value("document.getElementById('mm').textContent") == "7.0mm to the posterior wall"
        assert browser.value("document.querySelectorAll('#picture path').length") == 2
        assert browser.value("document.querySelector('#picture image') !== null") is True
        beating.set()
        thread.join()
        screen.close()
        assert browser.until("document.getElementById('word').textContent === 'LOST'", timeout_s=3.0)
        assert browser.value("document.getElementById('mm').textContent") == "–mm to the posterior wall"
    finally:
        beating.set()
        thread.join()
        browser.close()
