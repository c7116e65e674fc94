"""How well cement inside the dura is told from cement outside it, on generated cases."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.intradural_cases import hosts_needed, make, real_available, truth_of
from benchmarks.table import Row, Table
from thecal.assessment import Assessment, assess
from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.probability import judge, nothing_seen

NAME: Final = "intradural"
FIT: Final = range(0, 132)
TEST: Final = range(12000, 12330)
"""Seeds; the fit never sees a clean scan of the test's phantoms, but the real CTs are the same few."""
QUICK: Final = 12
STORE: Final = Path(__file__).parent / "results" / "intradural_cases.jsonl"
"""One line a case, as it is made: a run that is cut short goes on where it stopped."""
THICK_MM: Final = 3.5
BINS: Final = 10


def cases(*, quick: bool) -> list[int]:
    """Seeds of the test."""
    if not real_available():
        return []
    return list(TEST)[:QUICK] if quick else list(TEST)


def one_case(seed: int) -> dict[str, Any]:
    """A case of a seed, from the store where this version of the program has made it."""
    return run(seed)


def run(seed: int) -> dict[str, Any]:
    """Make, assess from the scan alone, and keep."""
    stored = read_cases().get(seed)
    if stored is not None and stored["tree"] == tree():
        return stored
    case = make(seed)
    row = {"seed": seed, **truth_of(case), **found_in(assess(case.volume)), "tree": tree()}
    with STORE.open("a", encoding="utf-8") as out:
        out.write(json.dumps(row) + "\n")
    return row


def found_in(result: Assessment) -> dict[str, Any]:
    """The signs as they were read, and what stands in the way of a finding, as plain values."""
    row: dict[str, Any] = {
        "signs": None,
        "why": "No spine was found.",
        "nothing_seen": False,
        "in_sac": False,
    }
    if result.leakage is not None and result.leakage.dural is not None:
        found = result.leakage.dural
        deposits = result.leakage.deposits
        row |= {
            "signs": {s.name: [s.state, s.value] for s in result.leakage.signs},
            "why": found.why,
            "nothing_seen": found.finding != "not_assessable" and not found.weights,
            "in_sac": any(d.compartment == "intradural" for d in deposits),
        }
    return row | {"seconds": round(sum(result.timings_s.values()), 1)}


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """The stored case with the finding of the model that is installed now."""
    if row["signs"] is None or row["why"]:
        return row | {"finding": "not_assessable", "probability": None}
    signs = tuple(
        IntraduralSign(name, state, value, None, None, "", "")
        for name, (state, value) in row["signs"].items()
    )
    found = nothing_seen() if row["nothing_seen"] else judge(signs, in_sac=row["in_sac"])
    return row | {"finding": found.finding, "probability": found.probability}


def read_cases() -> dict[int, dict[str, Any]]:
    """The stored cases by seed; of a seed stored twice the last."""
    if not STORE.exists():
        return {}
    rows = [json.loads(line) for line in STORE.read_text(encoding="utf-8").splitlines() if line]
    return {row["seed"]: row for row in rows}


@lru_cache(maxsize=1)
def tree() -> str:
    """What the program's sources are, as git names them; "" outside a checkout."""
    git = ["git", "-C", str(Path(__file__).parents[1]), "rev-parse", "--short", "HEAD:src"]
    try:
        return subprocess.run(git, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def roc_area(score: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a case inside has the higher score; ties count half."""
    a, b = score[inside], score[~inside]
    above = (a[:, None] > b[None, :]).mean() + 0.5 * (a[:, None] == b[None, :]).mean()
    return float(above)


def calibration_error(chance: npt.NDArray[np.float64], inside: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over ten bins of equal width."""
    which = np.minimum((chance * BINS).astype(int), BINS - 1)
    return float(
        sum(
            (which == k).mean() * abs(chance[which == k].mean() - inside[which == k].mean())
            for k in np.unique(which)
        )
    )


def table(results: Iterable[dict[str, Any]], *, quick: bool) -> Table:
    """The rows and the caption."""
    done = [judged(r) for r in results]
    thin = [r for r in done if r["spacing_mm"][0] <= THICK_MM]
    thick = [r for r in done if r["spacing_mm"][0] > THICK_MM]
    rows = _rows("all", thin)
    for word, own in (("phantoms", "phantom"), ("cement inserted in real CT", "real")):
        some = [r for r in thin if r["case"].startswith(own)]
        rows += _rows(word, some) if some else []
    rows += [
        _accuracy(thin, "layering", lambda r: bool(r["layers"])),
        _accuracy(thin, "medial_puncture", lambda r: r["medial_mm"] is not None and r["medial_mm"] < 0),
    ]
    if thick:
        said = sum(r["finding"] == "not_assessable" for r in thick)
        rows.append(
            Row(
                "slices of 5 mm",
                "called not assessable",
                "all",
                f"{said} of {len(thick)}",
                said == len(thick),
            )
        )
    rows += _by_kind(thin)
    real = sum(r["case"].startswith("real") for r in done)
    caption = (
        f"Generated cement in the canal: {len(done)} cases with seeds that the fit never saw, {real} of them "
        "inserted in real CT (T10 to L3 and, in one window, somewhat above), the others in phantoms with "
        f"usual, stenosed, fatty and slim canals; six cases lie in each of {hosts_needed(len(done))} clean "
        "scans, slices 1 to 5 mm. Half hold cement inside the dura: sheets, small dorsal, ventral, lateral "
        "lumps, casts round roots, and with cement outside at once; the others crescents, masses that dent "
        "the dura, casts of veins over levels, cement in the recess with a medial needle, behind the sac, or "
        "none. The same few real CTs also served the fit, with other cement. On real CT the truth of inside "
        "and outside rests on the outline that the built-in anatomy draws there before cement. All of it is "
        "synthetic: of real patients nothing is known. Prior: even odds, as in the cases."
    )
    return Table(NAME, "Inside the dura or outside", caption, rows, done, quick)


def _rows(on: str, some: list[dict[str, Any]]) -> list[Row]:
    on = f"{on} ({len(some)} cases)"
    read = [r for r in some if r["probability"] is not None]
    chance = np.array([r["probability"] for r in read], float)
    inside = np.array([r["inside"] for r in read], bool)
    truth = np.array([r["inside"] for r in some], bool)
    probable = np.array([r["finding"] == "probable" for r in some], bool)
    area, error = roc_area(chance, inside), calibration_error(chance, inside)
    right, found = float((~probable[~truth]).mean()), float(probable[truth].mean())
    return [
        Row(
            on,
            "area under the ROC curve",
            "≥ 0.95",
            f"{area:.3f} ({len(read)} assessable of {len(some)})",
            area >= 0.95,
        ),
        Row(
            on,
            "specificity at `probable`",
            "≥ 0.95",
            f"{right:.3f} ({probable[~truth].sum()} of {(~truth).sum()} wrong)",
            right >= 0.95,
        ),
        Row(
            on,
            "sensitivity at `probable`; not assessable counts as missed",
            "≥ 0.80",
            f"{found:.3f} ({probable[truth].sum()} of {truth.sum()})",
            found >= 0.80,
        ),
        Row(on, "expected calibration error, ten bins", "≤ 0.05", f"{error:.3f}", error <= 0.05),
    ]


def _accuracy(some: list[dict[str, Any]], name: str, true: Callable[[dict[str, Any]], bool]) -> Row:
    read = [r for r in some if r["signs"] and r["signs"][name][0] != "not_assessable"]
    right = [(r["signs"][name][0] == "present") == true(r) for r in read]
    held = sum(true(r) for r in some)
    seen = sum(true(r) and r["signs"][name][0] == "present" for r in read)
    share = float(np.mean(right)) if right else 0.0
    return Row(
        f"all ({len(some)} cases)",
        f"{name.replace('_', ' ')} right where assessable",
        "≥ 0.90",
        f"{share:.3f} ({sum(right)} of {len(right)}; seen in {seen} of {held} that have it)",
        share >= 0.90,
    )


def _by_kind(some: list[dict[str, Any]]) -> list[Row]:
    """What each kind of deposit is called."""
    rows = []
    kinds = sorted({_kind(r) for r in some})
    for kind in kinds:
        own = [r["finding"] for r in some if _kind(r) == kind]
        counts = ", ".join(
            f"{own.count(w)} {w.replace('_', ' ')}"
            for w in ("probable", "possible", "not_detected", "not_assessable")
            if w in own
        )
        rows.append(Row(f"… {kind} ({len(own)})", "called", "", counts))
    return rows


def _kind(row: dict[str, Any]) -> str:
    parts = [part for part in row["made"].split(", ") if part != "medial track"]
    return "inside and outside" if len(parts) > 1 else parts[0].removesuffix(" with a medial track")
