"""A watch in time: source, picture model, clock, and those that are told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, Protocol

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.sources.arrival import Arrival, Source, SourceLost
from thecal.fluoro.stream.events import Event, to_line
from thecal.fluoro.stream.mailbox import Mailbox
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.recording import Recorder, digest
from thecal.fluoro.stream.watch import Shown, Watch

Speed = Literal["real", "full"]
TICK_S: Final = 0.03
AGAIN_S: Final = 0.3
"""A live source that broke is begun again after this time."""
BEAT: Final = 8
"""A screen hears with every so-manieth tick that the watch is alive."""


class Told(Protocol):
    """Someone who is told what is said and shown; both return at once."""

    def say(self, event: Event) -> None:
        """One event."""
        ...

    def show(self, shown: Shown) -> None:
        """What a screen shows from now on."""
        ...


class Session:
    """Runs a watch over a source.

    Parameters
    ----------
    watch : Watch
    model : PictureModel
    told : sequence of Told
    recorder : Recorder or None
    """

    def __init__(
        self, watch: Watch, model: PictureModel, told: Sequence[Told] = (), recorder: Recorder | None = None
    ) -> None:
        self._watch, self._model, self._recorder = watch, model, recorder
        self._told = list(told)
        self._lock = threading.Lock()
        self._stopping, self._one_read = threading.Event(), threading.Event()
        self._record_failed = False
        self._now: Callable[[], float] = lambda: 0.0

    def stop(self) -> None:
        """End the run soon; may be called from a signal handler."""
        self._stopping.set()

    def run(self, source: Source, *, speed: Speed = "real") -> None:
        """Watch until the source ends or `stop` is called.

        A live source, and any with ``speed`` "real", is read in its own thread: the newest picture wins, and
        a timer says ``lost`` whatever the source and the picture model do. With "full" a file is read
        picture by picture as fast as can be, and time is the source's.
        """
        self._happened("begin", 0.0, self._watch.begin())
        if source.live or speed == "real":
            self._live(source)
        else:
            self._full(source)

    def _full(self, source: Source) -> None:
        now_s = 0.0
        self._now = lambda: now_s
        for arrival in source.arrivals():
            if self._stopping.is_set():
                break
            if isinstance(arrival, Frame):
                # The timer would have gone off between the pictures.
                due = self._watch.next_tick_s()
                if due is not None and arrival.time_s > due:
                    now_s = max(now_s, due)
                    self._ticked(now_s)
                now_s = max(now_s, arrival.time_s)
            self._arrived(arrival)
        source.stop()
        self._ended(now_s)

    def _live(self, source: Source) -> None:
        begun = time.monotonic()
        self._now = lambda: time.monotonic() - begun
        mailbox = Mailbox()
        over = threading.Event()
        reads = (source, mailbox, self._stopping, self._one_read)
        threads = [
            threading.Thread(target=_read, args=reads, name="source", daemon=True),
            threading.Thread(target=self._keep_time, args=(over,), name="timer", daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            while not self._stopping.is_set():
                arrival, passed = mailbox.take(TICK_S)
                if passed:
                    self._passed(passed)
                if arrival is not None:
                    self._arrived(arrival)
                if isinstance(arrival, Frame):
                    self._one_read.set()
        except EOFError:
            pass
        finally:
            over.set()
            self._one_read.set()
            source.stop()
            threads[1].join()
        self._ended(self._now())

    def _keep_time(self, over: threading.Event) -> None:
        beats = 0
        while not over.wait(TICK_S):
            self._ticked(None)
            beats += 1
            if beats % BEAT == 0:
                with self._lock:
                    self._tell([], self._now())

    def _ticked(self, at_s: float | None) -> None:
        with self._lock:
            now_s = self._now() if at_s is None else at_s
            said = self._watch.tick(now_s)
            if said:
                self._record("tick", now_s)
                self._tell(said, now_s)

    def _passed(self, pictures: int) -> None:
        with self._lock:
            now_s = self._now()
            self._record("passed", now_s, pictures=pictures)
            self._tell(self._watch.passed_over(pictures, now_s), now_s)

    def _arrived(self, arrival: Arrival) -> None:
        if not isinstance(arrival, Frame):
            with self._lock:
                now_s = self._now()
                lost = isinstance(arrival, SourceLost)
                self._record("lost" if lost else "unreadable", now_s, text=arrival.text)
                said = (self._watch.source_lost if lost else self._watch.unreadable)(arrival.text, now_s)
                self._tell(said, now_s)
            return
        with self._lock:
            now_s = self._now()
            self._record("frame", now_s, arrival)
            frame, said = self._watch.offer(arrival, now_s)
            self._tell(said, now_s)
        if frame is None:
            return
        reading = see(self._model, frame)
        with self._lock:
            now_s = self._now()
            if isinstance(reading, str):
                self._record("broke", now_s, number=frame.number, error=reading)
                said = self._watch.not_told(reading, frame.number, now_s)
            else:
                if self._recorder is not None:
                    self._record("told", now_s, number=frame.number, digest=digest(reading))
                said = self._watch.told(reading, now_s)
            self._tell(said, now_s)

    def _ended(self, now_s: float) -> None:
        why = "stopped" if self._stopping.is_set() else "the source has ended"
        self._happened("end", now_s, self._watch.end(why, now_s), why=why)

    def _happened(self, kind: str, at_s: float, said: list[Event], **values: Any) -> None:
        with self._lock:
            self._record(kind, at_s, **values)
            self._tell(said, at_s)

    def _record(self, kind: str, at_s: float, frame: Frame | None = None, **values: Any) -> None:
        if self._recorder is None:
            return
        self._recorder.step(kind, at_s, frame, **values)
        if self._recorder.failed is not None and not self._record_failed:
            self._record_failed = True
            text = f"the recording has stopped: {self._recorder.failed}"
            self._tell(self._watch.noted("recording", text, at_s), at_s)

    def _tell(self, said: list[Event], at_s: float) -> None:
        """Tell everyone; under the lock, so that all hear it in one order."""
        shown = self._watch.shown(at_s)
        broken: list[str] = []
        for someone in tuple(self._told):
            try:
                for event in said:
                    someone.say(event)
                someone.show(shown)
            # Who is told must not end what is told: the watch goes on without them, and says so.
            except Exception as error:  # noqa: BLE001
                self._told.remove(someone)
                broken.append(f"{type(someone).__name__} broke ({type(error).__name__}) and is left out")
        if said and self._recorder is not None:
            self._recorder.step("said", at_s, None, lines=[to_line(event) for event in said])
        for text in broken:
            self._record("noted", at_s, fault="screen", text=text)
            self._tell(self._watch.noted("screen", text, at_s), at_s)


def see(model: PictureModel, frame: Frame) -> Reading | str:
    """The reading of a picture, or in words what broke: the watch outlives a defect of its picture model."""
    try:
        return model.see(frame)
    except Exception as error:  # noqa: BLE001
        return f"a defect in thecal: the picture could not be read ({type(error).__name__})"


def _read(source: Source, mailbox: Mailbox, stopping: threading.Event, one_read: threading.Event) -> None:
    """Put into the mailbox what comes; a live source that breaks is lost, said to be, and begun again.

    A file's pictures come at their own times, counted from when the first was read: finding the vertebra on
    that takes seconds, in which a film can wait and a patient cannot.
    """
    begun: float | None = None
    try:
        while not stopping.is_set():
            try:
                for arrival in source.arrivals():
                    if not source.live and isinstance(arrival, Frame) and begun is not None:
                        stopping.wait(max(begun + arrival.time_s - time.monotonic(), 0.0))
                    if stopping.is_set():
                        return
                    mailbox.put(arrival)
                    if not source.live and isinstance(arrival, Frame) and begun is None:
                        one_read.wait()
                        begun = time.monotonic() - arrival.time_s
                return
            # Whatever a driver raises.
            except Exception as error:  # noqa: BLE001
                mailbox.put(SourceLost(f"it broke ({type(error).__name__})"))
                if not source.live:
                    return
                stopping.wait(AGAIN_S)
    finally:
        mailbox.close()
