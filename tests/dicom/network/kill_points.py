"""Kills a listener at every step that it takes on disk, then starts it again; a program, not a test.

``python kill_points.py FOLDER SCAN`` prints, for each step, what the sender was told, and what there was in
the end. Forking spares the imports; each child is ended by SIGKILL, so nothing is tidied up.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import FileArchive, Sent, calls, stages, stand_in

from thecal.dicom.network.inbox import Inbox
from thecal.dicom.network.listener import Listener, Plan

# Everything between two of these leaves the disk as it is.
STEPS = ("fsync", "replace", "link", "mkdir", "rmdir", "unlink", "scandir")


class Halting:
    """A file that is written in two halves, with a step between them."""

    def __init__(self, file: Any, halt: Callable[[], None]) -> None:
        self.file, self.halt = file, halt

    def write(self, content: bytes) -> None:
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        self.halt()
        self.file.write(content[len(content) // 2 :])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def __enter__(self) -> Halting:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def kill_before(step: int) -> list[int]:
    """Have this process killed before its step of that number; the count of steps so far."""
    count = [0]

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if count[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)
            count[0] += 1
            return function(*arguments, **options)

        return call

    opened = Path.open

    def halting(path: Path, mode: str = "r", **options: Any) -> Any:
        file = opened(path, mode, **options)
        return Halting(file, counted(lambda: None)) if mode == "wb" and path.suffix else file

    Path.open = halting  # type: ignore[method-assign, assignment]
    # A killed process, unlike a failing disk, needs none; without it this takes a third of the time.
    os.fsync = lambda handle: None
    for name in STEPS:
        setattr(os, name, counted(getattr(os, name)))
    return count


def work(folder: Path, scan: Path, told: int, unsent: list[str], step: int) -> None:
    """Receive what is unsent, telling of each image that was acknowledged, and bring all to its end."""
    assess = stand_in(folder / "home")
    count = kill_before(step)
    inbox = Inbox(folder / "inbox")
    listener = Listener(inbox, Plan(assess, FileArchive(folder / "archive"), quiet_s=0.0))
    for name in unsent:
        assert listener.receive(Sent(scan / name)) == 0
        os.write(told, f"{name}\n".encode())
    while listener.turn():
        continue
    os.write(told, f"steps {count[0]}\n".encode())


def forked(*arguments: Any) -> tuple[list[str], bool]:
    """The lines that a child told, and whether it came to its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        folder, scan, unsent, step = arguments
        try:
            work(folder, scan, writing, unsent, step)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        lines = stream.read().split("\n")[:-1]
    _, status = os.waitpid(child, 0)
    return lines, os.WIFEXITED(status) and any(line.startswith("steps") for line in lines)


def main(folder: Path, scan: Path) -> None:
    names = sorted(path.name for path in scan.iterdir())
    step = 0
    while True:
        here = folder / f"{step:04d}"
        here.mkdir()
        told, whole = forked(here, scan, names, step)
        acknowledged = [line for line in told if line in names]
        kept = len(list(here.glob("inbox/studies/*/images/*.dcm")))
        results = len(list(here.glob("inbox/studies/*/results/*")))
        assessed_then = calls(here / "home")
        # A sender sends again what was not acknowledged.
        forked(here, scan, [name for name in names if name not in acknowledged], -1)
        once_more = FileArchive(here / "archive").sent()
        # And a restart with nothing new changes nothing.
        if step % 4 == 0:
            forked(here, scan, [], -1)
        sys.stdout.write(
            json.dumps(
                {
                    "step": step,
                    "whole": whole,
                    "acknowledged": len(acknowledged),
                    "kept": kept,
                    "in the end": len(list(here.glob("inbox/studies/*/images/*.dcm"))),
                    "stages": stages(here / "inbox"),
                    "archive": FileArchive(here / "archive").sent(),
                    "before the last restart": once_more,
                    "intact": {p.read_bytes() for p in scan.iterdir()}
                    == {p.read_bytes() for p in here.glob("inbox/studies/*/images/*.dcm")},
                    "results then": results,
                    "assessed then": assessed_then,
                    "assessed": calls(here / "home"),
                    "left": [p.name for d in ("incoming", "work") for p in (here / "inbox" / d).iterdir()],
                }
            )
            + "\n"
        )
        if whole:
            return
        step += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
