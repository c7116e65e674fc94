"""A command in a fresh process: wall time, and peak memory with all its helpers."""

from __future__ import annotations

import os
import resource
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

    Memory is the greater of the kernel's own peak for one process and the sum of the shares (PSS) of the
    command and its helpers, looked at ten times a second.

    Returns
    -------
    dict
        ``wall_s``, ``peak_mib``, ``status``, ``stdout``.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    peak = [0]
    watcher = threading.Thread(target=_watch, args=(process.pid, peak), daemon=True)
    watcher.start()
    out, err = process.communicate()
    wall = time.perf_counter() - started
    watcher.join()
    after = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if process.returncode != 0:
        raise RuntimeError(
            f"{Path(command[0]).name} {command[1]} ended with {process.returncode}: {err[-400:]}"
        )
    # The kernel keeps the largest child so far, which may have been an earlier one.
    alone = after if after > before else 0
    return {
        "wall_s": round(wall, 2),
        "peak_mib": round(max(peak[0], alone) / 1024.0),
        "status": process.returncode,
        "stdout": out[-200:],
    }


def _watch(pid: int, peak: list[int]) -> None:
    while Path(f"/proc/{pid}").exists():
        held = sum(_pss_kib(p) for p in _family(pid))
        if held == 0:
            return
        peak[0] = max(peak[0], held)
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


def _pss_kib(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    line = next((x for x in text.splitlines() if x.startswith("Pss:")), "Pss: 0 kB")
    return int(line.split()[1])


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))
