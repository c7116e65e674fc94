"""``python -m benchmarks``: measure, keep the figures, and write the validation page."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import (
    clean,
    compare,
    demo,
    inserted,
    intradural,
    medial,
    myelogram,
    phantoms,
    planner,
    projection,
    registration,
    registry,
    registry_faults,
    speed,
    stream,
    tracks,
    watch,
)
from benchmarks.score import FOUND_SHARE
from benchmarks.table import commit, store, write_page

PAGE = Path(__file__).resolve().parents[1] / "docs" / "validation.md"
MODULES: dict[str, Any] = {
    m.NAME: m
    for m in (
        clean,
        inserted,
        phantoms,
        intradural,
        tracks,
        compare,
        myelogram,
        planner,
        projection,
        registration,
        watch,
        medial,
        stream,
        registry,
        registry_faults,
        speed,
        demo,
    )
}
# These are timed, so nothing may run beside them.
ALONE = {speed.NAME, demo.NAME, projection.NAME, registry.NAME, registry_faults.NAME, stream.NAME}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the chosen tables and write the page from all that are stored."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=list(MODULES), action="append", help="run this table alone")
    parser.add_argument("--quick", action="store_true", help="fewer cases; the page says so")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    parser.add_argument("--minutes", type=float, help="begin no further case of a table after this time")
    options = parser.parse_args(arguments)
    for name in options.only or MODULES:
        module = MODULES[name]
        started, busy, state = time.perf_counter(), os.getloadavg()[0], commit()
        jobs = module.cases(quick=options.quick)
        if not jobs:
            print(f"{name}: the shared CTs are not on this machine, nothing measured")
            continue
        limit = None if name in ALONE else options.minutes
        results = _run(module.one_case, jobs, 1 if name in ALONE else options.jobs, limit)
        table = module.table(results, quick=options.quick or len(results) < len(jobs))
        store(table, busy, state)
        print(f"{name}: {len(results)} cases in {time.perf_counter() - started:.0f} s")
        for row in table.rows:
            verdict = {True: "ok", False: "NOT", None: ""}[row.ok]
            print(f"  {row.measure:70s} {row.aim:8s} {row.reached} {verdict}")
    write_page(PAGE, list(MODULES))


def _run(
    one_case: Callable[[Any], dict[str, Any]], jobs: list[Any], at_once: int, minutes: float | None
) -> list[dict[str, Any]]:
    """Results in the order of the jobs, as many as are begun within the time."""
    last = None if minutes is None else time.monotonic() + 60.0 * minutes
    if at_once == 1:
        done = []
        for job in jobs:
            if last is None or time.monotonic() < last:
                done.append(_said(one_case(job)))
        return done
    # Fresh processes, so that threads of the parent are not copied.
    results: dict[int, dict[str, Any]] = {}
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        waiting: dict[Future[dict[str, Any]], int] = {}
        for number, job in enumerate(jobs):
            while len(waiting) >= at_once:
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    results[waiting.pop(future)] = _said(future.result())
            if last is not None and time.monotonic() >= last:
                break
            waiting[pool.submit(one_case, job)] = number
        for future, number in waiting.items():
            results[number] = _said(future.result())
    return [results[number] for number in sorted(results)]


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
