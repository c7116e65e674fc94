"""``python -m benchmarks``: measure, keep the figures, and write the validation page."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import clean, demo, inserted, phantoms, speed
from benchmarks.score import FOUND_SHARE
from benchmarks.table import store, write_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation.md"
MODULES: dict[str, Any] = {m.NAME: m for m in (clean, inserted, phantoms, speed, demo)}
# These are timed, so nothing may run beside them.
ALONE = {speed.NAME, demo.NAME}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen tables and write the page from all that are stored."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=list(MODULES), action="append", help="run this table alone")
    parser.add_argument("--quick", action="store_true", help="fewer cases; the page says so")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    options = parser.parse_args(arguments)
    for name in options.only or MODULES:
        module = MODULES[name]
        started, busy = time.perf_counter(), os.getloadavg()[0]
        jobs = module.cases(quick=options.quick)
        if not jobs:
            print(f"{name}: the shared CTs are not on this machine, nothing measured")
            continue
        results = _run(module.one_case, jobs, 1 if name in ALONE else options.jobs)
        table = module.table(results, quick=options.quick)
        store(table, busy)
        print(f"{name}: {len(results)} cases in {time.perf_counter() - started:.0f} s")
        for row in table.rows:
            verdict = {True: "ok", False: "NOT", None: ""}[row.ok]
            print(f"  {row.measure:70s} {row.aim:8s} {row.reached} {verdict}")
    write_page(PAGE, list(MODULES))


def _run(one_case: Callable[[Any], dict[str, Any]], jobs: list[Any], at_once: int) -> list[dict[str, Any]]:
    if at_once == 1:
        return [_said(one_case(job)) for job in jobs]
    # Fresh processes, so that threads of the parent are not copied.
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        return [_said(result) for result in pool.map(one_case, jobs)]


def _said(result: dict[str, Any]) -> dict[str, Any]:
    """Tell each case as it is done, with what went wrong in it."""
    missed = [
        f"missed {d['compartment']} {d['form']} {1000 * d['volume_ml']:.0f} mm3, called {d['called']}"
        for d in result.get("deposits", [])
        if isinstance(d, dict) and d["counted"] and d["share_right"] < FOUND_SHARE
    ]
    false = [
        f"false {f['called']} {1000 * f['ml']:.0f} mm3, truly {f['truly']}" for f in result.get("false", [])
    ]
    print(f"    {result['case']} {result.get('seed', '')} " + "; ".join(missed + false), flush=True)
    return result


if __name__ == "__main__":
    main()
