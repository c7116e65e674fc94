"""``python -m benchmarks.fit_intradural``: fit the probability of cement inside the dura, and write its file.

The log odds are the prior's and, for each sign that was read, x·for − (1 − x)·against, with x the strength
of the sign (0..1). ``for`` and ``against`` are not negative, so that the probability never falls as a sign
grows. They are fitted by penalised maximum likelihood to generated cases (``benchmarks.intradural_cases``);
cases lie six to a clean scan, and their covariance is that of fits to scans drawn with replacement.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from benchmarks.intradural import FIT, read_cases, run
from benchmarks.intradural_cases import PER_HOST, SEED
from benchmarks.table import commit
from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural import probability
from thecal.leakage.intradural.probability import evidence
from thecal.terms import SIGNS

FILE: Final = Path(probability.__file__).with_name(probability.MODEL_FILE)
PENALTY: Final = 0.2
"""Half the inverse variance of the normal prior on ``for`` and ``against``: 1.6 of log odds is usual."""
DRAWS: Final = 200
HALF: Final = 0.5

Floats = npt.NDArray[np.float64]


def strengths(row: dict[str, Any]) -> list[float]:
    """Strength of each sign of a case, NaN where it was not read."""
    found = []
    for name in SIGNS:
        state, value = row["signs"][name]
        x = evidence(IntraduralSign(name, state, value, None, None, "", ""))
        found.append(np.nan if x is None else x)
    return found


def fitted(x: Floats, inside: npt.NDArray[np.bool_], weight: Floats) -> Floats:
    """``for`` and ``against`` (14,) by penalised maximum likelihood."""
    seen = ~np.isnan(x)
    terms = np.hstack([np.where(seen, x, 0.0), -np.where(seen, 1.0 - x, 0.0)])
    share = float(np.average(inside, weights=weight))
    start = np.log(share / (1 - share))
    sign = np.where(inside, 1.0, -1.0)

    def loss(beta: Floats) -> tuple[float, Floats]:
        margin = sign * (start + terms @ beta)
        value = float((weight * np.logaddexp(0.0, -margin)).sum() + PENALTY * (beta**2).sum())
        slope = -(weight * sign / (1.0 + np.exp(margin))) @ terms + 2 * PENALTY * beta
        return value, slope

    best = minimize(loss, np.full(2 * len(SIGNS), 0.5), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 14)
    return np.asarray(best.x, float)


def model_of(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The content of the data file from fitted cases."""
    read = [r for r in rows if r["signs"] and not r["why"]]
    seen = [r for r in read if r["signs"]["no_extradural_cement"][0] != "not_assessable"]
    x = np.array([strengths(r) for r in seen])
    inside = np.array([r["inside"] for r in seen])
    host = np.array([r["seed"] // PER_HOST for r in seen])
    beta = fitted(x, inside, np.ones(len(x)))
    rng = np.random.default_rng(SEED)
    hosts = np.unique(host)
    draws = []
    for _ in range(DRAWS):
        times = np.bincount(np.searchsorted(hosts, rng.choice(hosts, len(hosts))), minlength=len(hosts))
        draws.append(fitted(x, inside, times[np.searchsorted(hosts, host)].astype(float)))
    covariance = np.cov(np.array(draws).T)
    term = x * beta[:7] - (1 - x) * beta[7:]
    missed = sum(r["inside"] for r in read) - int(inside.sum())
    clear = len(read) - len(seen) - missed
    # Jeffreys: half a case is added to each side.
    miss_share = (missed + HALF) / (sum(r["inside"] for r in read) + 2 * HALF)
    clear_share = (clear + HALF) / (clear + 2 * HALF)
    return {
        "schema": "thecal.intradural-model/1",
        "fitted": datetime.now(UTC).date().isoformat(),
        "version": commit().removeprefix(", commit "),
        "seed": SEED,
        "cases": {"seeds": [FIT.start, FIT.stop], "read": len(read), "inside": int(inside.sum())},
        "penalty": PENALTY,
        "signs": {
            name: {
                "for": round(float(beta[i]), 3),
                "against": round(float(beta[7 + i]), 3),
                "spread": round(float(np.nanstd(term[:, i])), 3) if np.isfinite(term[:, i]).any() else 0.0,
                "read_in": int(np.isfinite(x[:, i]).sum()),
            }
            for i, name in enumerate(SIGNS)
        },
        "nothing_seen": {
            "log_likelihood_ratio": round(float(np.log(miss_share / clear_share)), 3),
            "sd": round(float(np.sqrt(1.0 / (missed + HALF))), 3),
            "inside_missed": missed,
        },
        "covariance": [[round(float(v), 4) for v in line] for line in covariance],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the cases that are not stored yet, fit, and write the data file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fit_intradural", description=__doc__)
    parser.add_argument("--only-fit", action="store_true", help="fit to the stored cases, make no more")
    options = parser.parse_args(arguments)
    if not options.only_fit:
        for seed in FIT:
            run(seed)
    rows = [row for seed, row in sorted(read_cases().items()) if seed in FIT]
    stored = model_of(rows)
    text = json.dumps(stored, indent=1)
    # One line for each row of the covariance.
    head, _, _ = text.partition('"covariance": ')
    lines = ",\n  ".join(json.dumps(line) for line in stored["covariance"])
    FILE.write_text(f'{head}"covariance": [\n  {lines}\n ]\n}}\n', encoding="utf-8")
    for name, row in stored["signs"].items():
        print(f"{name:32s} for {row['for']:5.2f}  against {row['against']:5.2f}  read in {row['read_in']}")
    print(stored["nothing_seen"], stored["cases"])


if __name__ == "__main__":
    main()
