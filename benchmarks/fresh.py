"""A command in a fresh process: wall time, and peak memory with all its helpers."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

THECAL: Final = str(Path(sys.executable).with_name("thecal"))
POLL_S: Final = 0.1


def timed(command: list[str]) -> dict[str, Any]:
    """Run a command and say how long it took and how much memory it held at most.

    Memory is the greater of the kernel's high-water mark for the command itself and the sum of the shares
    (PSS) of the command and its helpers, both looked at ten times a second.

    Returns
    -------
    dict
        ``wall_s``, ``peak_mib``, and ``stdout`` of a Python one-liner (that of thecal names folders).
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    out, err = process.communicate()
    wall = time.perf_counter() - started
    watcher.join()
    if process.returncode != 0:
        raise RuntimeError(
            f"{Path(command[0]).name} {command[1]} ended with {process.returncode}: {err[-400:]}"
        )
    return {
        "wall_s": round(wall, 2),
        "peak_mib": round(peak[0] / 1024.0),
        "stdout": out[-200:] if command[1] == "-c" else "",
    }


def _watch(pid: int, peak: list[int]) -> None:
    while Path(f"/proc/{pid}").exists():
        held = sum(_kib(p, "smaps_rollup", "Pss:") for p in _family(pid))
        if held == 0:
            return
        peak[0] = max(peak[0], held, _kib(pid, "status", "VmHWM:"))
        time.sleep(POLL_S)


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            try:
                members += [int(word) for word in task.read_text().split()]
            except OSError:
                continue
    return members


def _kib(pid: int, file: str, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return 0
    line = next((x for x in text.splitlines() if x.startswith(name)), "none 0 kB")
    return int(line.split()[1])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
