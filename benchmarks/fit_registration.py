"""Fit how sure a registration is: ``python -m benchmarks.fit_registration`` prints the constants.

The views are of phantoms and of the real CTs, with seeds that no table uses. ``--keep FILE`` writes their
trials as JSON lines, which ``CASES`` reads again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.optimize import brentq, minimize

from benchmarks import registration
from benchmarks.scans import available
from thecal.fluoro.registration.verdict import FLOOR_MM, WEIGHTS, WRONG_MM, terms

SEED: Final = 53000
PHANTOMS: Final = 18
RIDGE: Final = 0.15
"""Penalty on squared weights of standardised terms, a trial."""


def made(phantoms: int) -> list[dict[str, Any]]:
    """Trials with seeds of their own."""
    jobs: list[registration.Job] = [("phantom", SEED + n, n % 2) for n in range(phantoms)]
    for k, (name, count) in enumerate(registration.REAL.items()):
        if available(name):
            jobs += [(name, SEED + 100 * (k + 1) + n, n) for n in range(count)]
    trials = []
    for job in jobs:
        for trial in registration.one_case(job)["trials"]:
            # A stranger's picture has no right place, nor has one upside down.
            wrong = trial["kind"] in ("stranger", "spoiled")
            trials.append({"err": 99.0 if wrong else trial["error_mm"], **trial["evidence"]})
    return trials


def fitted(trials: list[dict[str, Any]]) -> dict[str, float]:
    """Constant, weights and scale."""
    names = list(WEIGHTS)
    values = np.array([[terms(t)[n] for n in names] for t in trials])
    good = np.array([t["err"] <= WRONG_MM for t in trials], float)
    middle, size = values.mean(0), values.std(0) + 1e-9
    plain = (values - middle) / size

    def loss(x: Any) -> float:
        total = x[0] + plain @ x[1:]
        return float(np.sum(np.logaddexp(0.0, total) - good * total) + RIDGE * np.sum(x[1:] ** 2))

    # No sign of a good fit may count against it.
    bounds = [(None, None), *((0.0, None) if WEIGHTS[n] > 0 else (None, 0.0) for n in names)]
    best = minimize(loss, np.zeros(len(names) + 1), bounds=bounds).x
    weights = best[1:] / size
    spread = np.array([t["spread_mm"] for t in trials])
    error = np.array([t["err"] for t in trials])
    kept = good > 0

    def off(scale: float) -> float:
        return float(np.hypot(FLOOR_MM, scale * spread[kept]).mean() - error[kept].mean())

    return {
        "CONSTANT": float(best[0] - weights @ middle),
        **{n: float(w) for n, w in zip(names, weights, strict=True)},
        "SCALE": float(brentq(off, 0.0, 20.0)),
    }


def main() -> None:
    """Print the constants."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_registration", description=__doc__)
    parser.add_argument("cases", nargs="?", type=Path)
    parser.add_argument("--make", type=int, default=PHANTOMS, help="So many phantoms, and the real CTs.")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    if options.cases:
        trials = [json.loads(line) for line in options.cases.read_text().splitlines()]
    else:
        trials = made(options.make)
        if options.keep:
            options.keep.write_text("".join(json.dumps(t) + "\n" for t in trials))
    trials = [t for t in trials if "level_lead" in t]
    print(len(trials), "trials,", sum(t["err"] <= WRONG_MM for t in trials), "right")
    for name, value in fitted(trials).items():
        print(f"{name:12s} {value:.2f}")


if __name__ == "__main__":
    main()
