"""A registry of 100,000 simulated cases on SQLite: taking them in, listing them, and the statistics' page."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any, Final

from benchmarks.fresh import cores, timed
from benchmarks.table import Row, Table

NAME: Final = "registry"
CASES: Final = 100_000
QUICK_CASES: Final = 5_000
SEED: Final = 2026
RATE_WANTED: Final = 2_000.0
"""Cases a second that are taken in."""
PAGE_WANTED_S: Final = 1.0
_CALL: Final = "from thecal.cli import main; main()"


def cases(*, quick: bool) -> list[int]:
    """How many cases."""
    return [QUICK_CASES if quick else CASES]


def one_case(job: int) -> dict[str, Any]:
    """Take them in from CSV, list a page, and write the statistics' page, each in a fresh process."""
    from thecal.phantom.simulated_cases import simulated_cases
    from thecal.registry.exchange.csv_out import write_wide

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Compiled Python is kept between commands, as where thecal is installed.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
        table = folder / "cases.csv"
        with table.open("w", encoding="utf-8", newline="") as stream:
            write_wide(simulated_cases(job, SEED), stream)
        _compile(folder)
        where = ["--registry", str(folder / "registry.sqlite")]
        _thecal("init", *where)
        took_in = _thecal("import", str(table), *where, "--who", "benchmark")
        listed = [_thecal("list", *where) for _ in range(3)]
        page = folder / "page.html"
        stats = [_thecal("stats", *where, "--out", str(page)) for _ in range(3)]
        return {
            "case": f"{job} cases",
            "seed": SEED,
            "cases": job,
            "csv_bytes": table.stat().st_size,
            "import_s": took_in["wall_s"],
            "import_peak_mib": took_in["peak_mib"],
            "import_cpu_s": took_in["cpu_s"],
            "list_s": min(run["wall_s"] for run in listed),
            "list_cpu_s": min(run["cpu_s"] for run in listed),
            "stats_s": min(run["wall_s"] for run in stats),
            "stats_cpu_s": min(run["cpu_s"] for run in stats),
            "stats_peak_mib": max(run["peak_mib"] for run in stats),
            "page_bytes": page.stat().st_size,
        }


def _compile(folder: Path) -> None:
    """A first run of every command on ten cases, after which Python's compiled files are there."""
    from thecal.phantom.simulated_cases import simulated_cases
    from thecal.registry.exchange.csv_out import write_wide

    where = ["--registry", str(folder / "first.sqlite")]
    with (folder / "first.csv").open("w", encoding="utf-8", newline="") as stream:
        write_wide(simulated_cases(10, SEED), stream)
    _thecal("init", *where)
    _thecal("import", str(folder / "first.csv"), *where, "--who", "benchmark")
    _thecal("list", *where)
    _thecal("stats", *where, "--out", str(folder / "first.html"))


def _thecal(*words: str) -> dict[str, Any]:
    before = getrusage(RUSAGE_CHILDREN)
    run = timed([sys.executable, "-c", _CALL, "registry", *words])
    after = getrusage(RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return run | {"cpu_s": round(busy, 2)}


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = list(results)
    rows = []
    for case in done:
        on = f"{case['cases']:,} simulated cases".replace(",", " ")
        rate = case["cases"] / case["import_s"]
        rows += [
            Row(
                on,
                "`thecal registry import` of one CSV file, all of the command",
                "≥ 2 000 cases/s",
                f"{rate:.0f} cases/s ({case['import_s']:.1f} s, of the processor "
                f"{case['import_cpu_s']:.1f} s)",
                rate >= RATE_WANTED,
            ),
            Row(
                on,
                "`thecal registry list`, a page of 50, all of the command",
                "≤ 1 s",
                f"{case['list_s']:.2f} s (of the processor {case['list_cpu_s']:.2f} s)",
                case["list_s"] <= PAGE_WANTED_S,
            ),
            Row(
                on,
                "`thecal registry stats --out`, all of the command",
                "≤ 1 s",
                f"{case['stats_s']:.2f} s (of the processor {case['stats_cpu_s']:.2f} s)",
                case["stats_s"] <= PAGE_WANTED_S,
            ),
            Row(on, "peak memory of the import", "", f"{case['import_peak_mib'] / 1024:.2f} GiB"),
        ]
    caption = (
        f"SQLite on {cores()} cores; each command in a fresh process, its start included, the best of three "
        "but for the import, which runs once. The cases are simulated: one in a hundred has a deficit and is "
        "followed for a year."
    )
    return Table(NAME, "The registry", caption, rows, done, quick)
