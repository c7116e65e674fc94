"""The stream of ``thecal watch``: faults, kills, an hour of pictures. The picture model has its own table."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.table import Row, Table
from thecal.fluoro.frame import Frame
from thecal.fluoro.injection.chronicle import Chronicle
from thecal.fluoro.reading import Reading
from thecal.fluoro.screen.web import WebScreen
from thecal.fluoro.sources.arrival import Arrival, SourceGeometry, SourceLost
from thecal.fluoro.stream.events import Event
from thecal.fluoro.stream.lines import Lines
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.recording import Opening, Recorder, read_opening
from thecal.fluoro.stream.replay import replay
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Shown, Watch
from thecal.fluoro.target import Target

NAME: Final = "stream"
RATES_HZ: Final = (3.0, 5.0, 7.5, 10.0, 15.0)
FAULTS: Final = ("silence", "black", "inverted", "frozen", "wrong size", "out of order", "source lost", "gap")
SIZE: Final = 128
HOUR: Final = 27_000
"""Pictures of an hour at 7.5 a second."""
REAL_MINUTES: Final = 50.0
"""The picture model itself is not run for longer, though it has not seen an hour's pictures yet."""
LIMIT_S: Final = 1.0
GROWTH_MB: Final = 20.0


@dataclass(frozen=True)
class Job:
    """What is done: "faults", "kills", "hour" or "model", and how much of it."""

    what: str
    count: int


def cases(*, quick: bool) -> list[Job]:
    """The four."""
    if quick:
        return [Job("faults", 24), Job("kills", 8), Job("hour", 2_000)]
    return [Job("faults", 400), Job("kills", 100), Job("hour", HOUR), Job("model", HOUR)]


def one_case(job: Job) -> dict[str, Any]:
    """Do it; plain values."""
    done = {"faults": _faults, "kills": _kills, "hour": _hour, "model": _model}[job.what](job.count)
    return {"case": job.what, "count": job.count, **done}


def table(results: list[dict[str, Any]], *, quick: bool) -> Table:
    """Rows from the cases."""
    rows = []
    for result in results:
        on = result["case"]
        if on == "faults":
            delays = result["delays_s"]
            late = sum(d is None or d > LIMIT_S for d in delays)
            worst = max((d for d in delays if d is not None), default=float("nan"))
            said = f"{len(delays) - late} of {len(delays)}, slowest {worst:.2f} s"
            rows.append(Row(on, "`lost` said within 1 s of the last good picture", "all", said, late == 0))
            back = sum(result["came_back"])
            rows.append(
                Row(on, "watch goes on after it", "all", f"{back} of {len(delays)}", back == len(delays))
            )
            wall = result["wall_s"]
            rows.append(
                Row(
                    on,
                    "the same by the clock on the wall, live",
                    f"≤ {LIMIT_S:g} s",
                    f"{max(wall):.2f} s",
                    max(wall) <= LIMIT_S,
                )
            )
        elif on == "kills":
            whole = result["whole"]
            rows.append(
                Row(
                    on,
                    "recordings of a killed watch that replay bit for bit",
                    "all",
                    f"{whole} of {result['count']}",
                    whole == result["count"],
                )
            )
        else:
            grown = result["rss_mb"]["end"] - result["rss_mb"]["early"]
            rss = ", ".join(f"{when} {mb:.0f}" for when, mb in result["rss_mb"].items())
            where = "an hour of pictures, simple model" if on == "hour" else "picture model"
            rows.append(
                Row(
                    where,
                    f"memory, {result['pictures']} pictures, MB",
                    f"+ {GROWTH_MB:.0f}",
                    rss,
                    grown <= GROWTH_MB,
                )
            )
            rows.append(Row(where, "time a picture, whole chain, ms", "", f"{result['ms']:.0f}"))
    caption = (
        "The stream without a patient: drawn pictures with noise; faults at random moments at 3 to 15 "
        "pictures a second (by the source's clock; a dozen live, by the wall clock); kill -9 while a watch "
        "records; an hour's pictures through the whole chain with a web page open, as fast as can be, read "
        "by a model that keeps nothing and by the picture model itself (one injection to and fro, fresh "
        "noise)."
    )
    return Table(NAME, "The stream of a watch", caption, rows, results, quick)


class Simple:
    """A picture model that costs nothing and keeps nothing."""

    def see(self, frame: Frame) -> Reading:
        """The mean of the middle row stands for the front."""
        front = float(frame.pixels[frame.pixels.shape[0] // 2].mean()) / 65535.0
        return Reading(frame.number, frame.time_s, "ok", "Seen", "lateral", front, 30 * front, 100 * front)


class Pictures:
    """Noisy pictures without end, none like the one before.

    Parameters
    ----------
    seed, size : int
    """

    def __init__(self, seed: int, size: int = SIZE) -> None:
        self._dice = np.random.default_rng(seed)
        ramp = np.linspace(900.0, 3000.0, size)
        self._scene = np.add.outer(ramp, 0.3 * ramp[::-1]).astype(np.float32)
        self._noise = self._dice.normal(0.0, 40.0, (size, size)).astype(np.float32)

    def one(self) -> np.ndarray:
        """The next picture."""
        shift = self._dice.integers(0, len(self._noise), 2)
        return (self._scene + np.roll(self._noise, shift, (0, 1))).astype(np.uint16)


class Scripted:
    """A source of what it is given; numbers are waits in seconds."""

    geometry: SourceGeometry | None = None

    def __init__(self, script: Iterator[Arrival | float], *, live: bool) -> None:
        self.name, self.live = "drawn", live
        self._script, self._stopped = script, threading.Event()

    def arrivals(self) -> Iterator[Arrival]:
        """Item by item."""
        for item in self._script:
            if self._stopped.is_set():
                return
            if isinstance(item, float):
                self._stopped.wait(item)
            else:
                yield item

    def stop(self) -> None:
        """End."""
        self._stopped.set()


class Heard:
    """What was said."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def say(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def show(self, shown: Shown) -> None:
        """Nothing."""


def _broken(kind: str, seed: int) -> tuple[list[Arrival | float], float]:
    """A run with one fault that lasts, and the time of its last good picture."""
    dice = random.Random(seed)
    rate = dice.choice(RATES_HZ)
    pictures = Pictures(seed, 64)
    good, bad = dice.randrange(5, 40), int(rate * dice.uniform(1.3, 3.0)) + 2
    script: list[Arrival | float] = [Frame(n, n / rate, pictures.one()) for n in range(good + bad + 20)]
    for n in range(good, good + bad):
        frame = script[n]
        assert isinstance(frame, Frame)
        if kind == "black":
            script[n] = replace(frame, pixels=np.zeros_like(frame.pixels))
        elif kind == "inverted":
            script[n] = replace(frame, pixels=np.uint16(4095) - frame.pixels)
        elif kind == "frozen":
            before = script[good - 1]
            assert isinstance(before, Frame)
            script[n] = replace(frame, pixels=before.pixels)
        elif kind == "wrong size":
            script[n] = replace(frame, pixels=frame.pixels[:32])
        elif kind == "out of order":
            script[n] = replace(frame, number=max(good - 2 - (n - good), 0), time_s=frame.time_s)
    if kind == "source lost":
        script[good : good + bad] = [SourceLost("gone")]
    elif kind in ("silence", "gap"):
        del script[good : good + bad]
    return script, (good - 1) / rate


def _faults(count: int) -> dict[str, Any]:
    delays: list[float | None] = []
    back, kinds = [], []
    for seed in range(count):
        kind = FAULTS[seed % len(FAULTS)]
        script, last_s = _broken(kind, 1000 + seed)
        heard = Heard()
        Session(Watch(), Simple(), [heard]).run(Scripted(iter(script), live=False), speed="full")
        changes = [event for event in heard.events if event.event == "level"]
        lost = next((e.at_s for e in changes if e.level == "lost" and e.was is not None), None)
        delays.append(None if lost is None else round(lost - last_s, 3))
        back.append(changes[-1].level != "lost")
        kinds.append(kind)
    return {
        "kinds": kinds,
        "delays_s": delays,
        "came_back": back,
        "wall_s": [_live_delay(s) for s in range(12)],
    }


def _live_delay(seed: int) -> float:
    """By the clock on the wall: from the last good picture's arrival to ``lost``, nothing coming."""
    pictures = Pictures(seed, 64)
    arrived = [0.0]

    def script() -> Iterator[Arrival | float]:
        for n in range(6):
            arrived[0] = time.monotonic()
            yield Frame(n, n / 7.5, pictures.one())
            yield random.Random(seed).uniform(0.06, 0.3)
        yield 1.3

    said = [0.0]

    class Waits(Heard):
        def say(self, event: Event) -> None:
            if event.event == "level" and event.level == "lost" and event.was is not None:
                said[0] = time.monotonic()

    Session(Watch(), Simple(), [Waits()]).run(Scripted(script(), live=True))
    return round(said[0] - arrived[0], 3)


_KILLED: Final = """
import os, random, signal, sys, time
from itertools import count
from pathlib import Path
from benchmarks.stream import Pictures, Scripted, Simple, opening
from thecal.fluoro.frame import Frame
from thecal.fluoro.stream.recording import Recorder
from thecal.fluoro.stream.session import Session
from thecal.fluoro.stream.watch import Watch
begins = opening()

def watch(path, seed):
    pictures = Pictures(seed)
    frames = (item for n in count() for item in (Frame(n, n / 7.5, pictures.one()), 0.001))
    Session(Watch(every_frame=True), Simple(), [], Recorder(path, begins)).run(Scripted(frames, live=True))

for seed in range(int(sys.argv[2])):
    child = os.fork()
    if child == 0:
        watch(Path(sys.argv[1]) / f"{seed}.thecal", seed)
        os._exit(0)
    time.sleep(random.Random(seed).uniform(0.05, 0.8))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def _kills(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", _KILLED, folder, str(count)], check=True)
        whole, pictures = 0, 0
        for path in sorted(Path(folder).glob("*.thecal")):
            done = replay(path, read_opening(path), Simple())
            whole += done.difference is None and not done.ended
            pictures += done.pictures
    return {"whole": whole, "pictures": pictures}


def opening() -> Opening:
    """Of a box for a vertebra."""
    from thecal.frames import VertebraFrame
    from thecal.volume import Grid

    labels = np.zeros((12, 16, 14), np.uint16)
    labels[3:9, 4:12, 3:11] = 19
    hu = np.where(labels > 0, 300, 40).astype(np.int16)
    grid = Grid(labels.shape, np.diag([1.0, 1.0, 2.0, 1.0])[[2, 1, 0, 3]].T)
    frame = VertebraFrame.from_axes((0.0, 4.0, 0.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    target = Target("T12", 19, frame, 30.0, hu, labels, (labels > 0).astype(np.uint8), grid)
    return Opening("0", "drawn", WatchOptions(every_frame=True), None, target)


def _hour(count: int) -> dict[str, Any]:
    pictures = Pictures(7)
    frames = (Frame(n, n / 7.5, pictures.one()) for n in range(count))
    return _through(frames, Simple(), opening(), count, None)


def _model(count: int) -> dict[str, Any]:
    """The picture model on one injection, whose pictures go forth and back with fresh noise."""
    from thecal.fluoro.front.monitor import Monitor
    from thecal.fluoro.target import target_of
    from thecal.phantom.injection import body_ml, draw_spec, inject, usable
    from thecal.phantom.patient import make_patient

    case = make_patient(511, "T11-L1", spacing_mm=(1.5, 1.0, 1.0), fov_mm=180.0)
    vertebra = next(v for v in case.spine.vertebrae if usable(v, case.spine))
    spec = draw_spec(511, vertebra, body_ml(case.spine, vertebra), kind="posterior wall")
    injection = inject(case.volume, case.spine, vertebra, spec)
    level = vertebra.level or "T12"
    target = target_of(case.volume, case.spine, vertebra, level, (injection.planned,))
    shots = [frame.pixels for frame, _ in injection.pictures()]
    order = [*range(len(shots)), *range(len(shots) - 2, 0, -1)]
    dice = np.random.default_rng(1)
    noise = dice.integers(-3, 4, shots[0].shape, np.int16)

    def frames() -> Iterator[Frame]:
        for n in range(count):
            shot = shots[order[n % len(order)]]
            fresh = np.roll(noise, dice.integers(0, 512, 2), (0, 1))
            yield Frame(n, n / spec.fps, np.clip(shot + fresh, 0, None).astype(shot.dtype))

    begins = replace(opening(), target=target)
    model: PictureModel = Monitor(target, injection.stated_view)
    return _through(frames(), model, begins, count, REAL_MINUTES)


def _through(
    frames: Iterator[Frame], model: PictureModel, begins: Opening, count: int, minutes: float | None
) -> dict[str, Any]:
    """All pictures through the whole chain, a web page open; memory early, in the middle and at the end."""
    rss: dict[str, float] = {}
    began = time.perf_counter()
    seen = [0]

    def timed() -> Iterator[Arrival | float]:
        for number, frame in enumerate(frames):
            if minutes is not None and time.perf_counter() - began > 60.0 * minutes:
                break
            yield frame
            seen[0] = number + 1
            if number == count // 10 or (minutes is not None and number == 200):
                rss["early"] = _rss_mb()
            if number == count // 2:
                rss["middle"] = _rss_mb()

    rss["start"] = _rss_mb()
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder) / "recording.thecal", begins, None if minutes is None else 60.0)
        lines = Lines(Path(folder) / "events.jsonl")
        screen, over = WebScreen("T12", "third"), threading.Event()
        reader = threading.Thread(target=_look, args=(screen.address, over), daemon=True)
        reader.start()
        watch = Watch(every_frame=True)
        told = [lines, Chronicle(), screen]
        Session(watch, model, told, recorder).run(Scripted(timed(), live=False), speed="full")
        rss["end"] = _rss_mb()
        took = time.perf_counter() - began
        over.set()
        screen.close()
        recorder.close()
        lines.close()
        size = (Path(folder) / "recording.thecal").stat().st_size
    return {
        "pictures": seen[0],
        "rss_mb": {when: round(rss[when], 1) for when in ("start", "early", "middle", "end") if when in rss},
        "ms": round(1000.0 * took / max(seen[0], 1), 2),
        "recording_mb": round(size / 1e6, 1),
        "failed": recorder.failed,
    }


def _look(address: str, over: threading.Event) -> None:
    """A page that reads as fast as it can."""
    with urllib.request.urlopen(address + "moments") as answer:
        while not over.is_set() and answer.read(65536):
            pass


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    for one in cases(quick="--quick" in sys.argv):
        print(one_case(one))
