"""A recording run again: the same pictures, the same clock, and whether the same is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.stream.events import Event, Start, to_line
from thecal.fluoro.stream.picture_model import PictureModel
from thecal.fluoro.stream.recording import Opening, Step, digest, read_steps
from thecal.fluoro.stream.session import Told, see
from thecal.fluoro.stream.watch import Watch


@dataclass(frozen=True)
class Difference:
    """The first thing that was not the same again."""

    at_s: float
    text: str


@dataclass(frozen=True)
class Replayed:
    """What came of a replay.

    Attributes
    ----------
    pictures, readings, lines : int
        Pictures in the recording, readings and lines compared.
    ended : bool
        Whether the recording has its end; without, its writer was killed.
    difference : Difference or None
    """

    pictures: int
    readings: int
    lines: int
    ended: bool
    difference: Difference | None


def start_event(opening: Opening) -> Start:
    """The first line of a watch."""
    return Start(
        at_s=0.0,
        thecal=opening.thecal,
        source=opening.source,
        level=opening.target.level,
        posterior=opening.options.posterior,
    )


def replay(
    path: Path,
    opening: Opening,
    model: PictureModel,
    told: Sequence[Told] = (),
    pace: Callable[[float], None] | None = None,
) -> Replayed:
    """Run the picture model over a recording again and compare, reading for reading and line for line.

    Parameters
    ----------
    path : Path
    opening : Opening
        Of the same file.
    model : PictureModel
        Made as the recorded one was.
    told : sequence of Told
        Are told what is said this time.
    pace : callable, optional
        Is given the time of each step before it is taken; may wait.
    """
    watch = Watch(every_frame=opening.options.every_frame)
    run = _Run(watch, model)
    counts = {"frame": 0, "told": 0, "lines": 0}
    ended = ending = False
    difference: Difference | None = None
    said: list[Event] = []
    for step, again in run.steps(read_steps(path)):
        if pace is not None:
            pace(step.at_s)
        if step.kind == "said":
            # The end is written with its line; without that its writer was killed.
            ended = ended or ending
            lines = [to_line(event) for event in said]
            counts["lines"] += len(step.values["lines"])
            if difference is None and lines != step.values["lines"]:
                difference = Difference(step.at_s, _words(step.values["lines"], lines))
            said = []
            continue
        if difference is None and said:
            difference = Difference(step.at_s, _words([], [to_line(event) for event in said]))
        said = again
        if step.kind in counts:
            counts[step.kind] += 1
        if difference is None and run.unlike is not None:
            difference = Difference(step.at_s, run.unlike)
        ending = step.kind == "end"
        shown = watch.shown(step.at_s)
        for someone in told:
            for event in again:
                someone.say(event)
            someone.show(shown)
    return Replayed(counts["frame"], counts["told"], counts["lines"], ended, difference)


class _Run:
    """Takes the recorded steps through a watch."""

    def __init__(self, watch: Watch, model: PictureModel) -> None:
        self._watch, self._model = watch, model
        self._read: dict[int, Reading | str] = {}
        self.unlike: str | None = None

    def steps(self, steps: Iterator[Step]) -> Iterator[tuple[Step, list[Event]]]:
        """Each step and what it leads to this time."""
        for step in steps:
            yield step, [] if step.kind == "said" else self._take(step.kind, step)

    def _take(self, kind: str, step: Step) -> list[Event]:
        watch, at_s, values = self._watch, step.at_s, step.values
        if kind == "frame":
            assert step.frame is not None
            frame, said = watch.offer(step.frame, at_s)
            self._look(frame)
            return said
        if kind in ("told", "broke"):
            return self._told(kind, step)
        if kind == "passed":
            return watch.passed_over(values["pictures"], at_s)
        if kind == "lost":
            return watch.source_lost(values["text"], at_s)
        if kind == "unreadable":
            return watch.unreadable(values["text"], at_s)
        if kind == "noted":
            return watch.noted(values["fault"], values["text"], at_s)
        if kind == "end":
            return watch.end(values["why"], at_s)
        return watch.begin() if kind == "begin" else watch.tick(at_s)

    def _look(self, frame: Frame | None) -> None:
        self._read = {} if frame is None else {frame.number: see(self._model, frame)}

    def _told(self, kind: str, step: Step) -> list[Event]:
        number = step.values["number"]
        reading = self._read.pop(number, None)
        if isinstance(reading, Reading):
            if kind == "broke" or digest(reading) != step.values["digest"]:
                self.unlike = self.unlike or f"picture {number} is read otherwise than it was"
            return self._watch.told(reading, step.at_s)
        if kind == "told" or reading is None:
            self.unlike = self.unlike or f"picture {number} is not read, though it was"
        return self._watch.not_told(reading or "not read", number, step.at_s)


def _words(was: list[Any], now: list[Any]) -> str:
    before = next((line for line, again in zip(was, [*now, None], strict=False) if line != again), None)
    after = next((again for line, again in zip([*was, None], now, strict=False) if line != again), None)
    return f"recorded {before or 'nothing'}, now {after or 'nothing'}"
