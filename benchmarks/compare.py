"""``thecal compare`` on pairs of scans: phantoms after a simulated revision, and real CTs with cement in."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any, Final

import numpy as np

from benchmarks.compare_pairs import CANAL, Job, pair_of
from benchmarks.scans import Window, available
from benchmarks.table import Row, Table
from thecal.assessment import assess
from thecal.compare.build import compare
from thecal.errors import SpineNotFound

NAME: Final = "compare"
AIM_VOLUME: Final = 0.05
LEAST_ML: Final = 0.05
Cases = Sequence[dict[str, Any]]


def cases(*, quick: bool) -> list[Job]:
    """Pairs of every kind, with and without screws, with another kernel and slice spacing after."""
    whole = [
        Job(9301, screws=True),
        Job(9302, sharp=True, thick=True),
        Job(9303, real=Window("thorax_1p5mm", (0.45, 1.0))),
        Job(9304, "piece moved"),
        Job(9305, "fracture since"),
        Job(9306, "nothing removed", sharp=True),
        Job(9307, "new leak", screws=True),
        Job(9308, real=Window("thorax_2p5mm", (0.3, 0.72))),
        Job(9309),
        Job(9310, screws=True, sharp=True),
        Job(9311, screws=True, thick=True),
    ]
    here = [job for job in whole if job.real is None or available(job.real.scan)]
    return here[:3] if quick else here


def one_case(job: Job) -> dict[str, Any]:
    """One pair assessed and compared, with what is true of it."""
    made = pair_of(job)
    result: dict[str, Any] = {
        "case": job.kind if job.real is None else job.real.name,
        "seed": job.seed,
        "real": job.real is not None,
        "kind": job.kind,
        "screws": job.screws,
        "sharp": job.sharp,
        "thick": job.thick,
        "true_before_ml": np.round(made.before_ml, 4).tolist(),
        "true_after_ml": np.round(made.after_ml, 4).tolist(),
    }
    try:
        found = compare(assess(made.before), assess(made.after))
    except SpineNotFound as error:
        return result | {"failed": str(error)}
    told = found.comparison
    origins = np.array([v.frame.origin for v in found.before.spine.vertebrae if v.complete])
    there = origins @ made.move[:3, :3].T + made.move[:3, 3]
    laid = np.linalg.norm(found.moves.forward(origins) - there, axis=1)
    result["laid_mm"] = laid.round(3).tolist() if made.still else []
    rows = {row.compartment: row for row in told.compartments}
    canal = [rows[c] for c in CANAL if c in rows and rows[c].before_ml]
    earlier = len(made.compartments) - made.added
    inside = [k for k in range(earlier) if made.compartments[k] in CANAL]
    result["canal_true_ml"] = sum(made.before_ml[k] for k in inside)
    result["residual_true_ml"] = sum(made.after_ml[k] for k in inside)
    result["removed_true_ml"] = result["canal_true_ml"] - result["residual_true_ml"]
    known = all(row.removed_ml is not None for row in canal)
    result["canal_ml"] = sum(row.before_ml for row in canal)
    result["removed_ml"] = sum(row.removed_ml or 0.0 for row in canal) if known else None
    result["residual_ml"] = sum(row.residual_ml or 0.0 for row in canal) if known else None
    body = rows.get("intravertebral")
    result["body_change"] = None if not body or body.removed_ml is None else body.removed_ml / body.before_ml
    result["added"] = [
        (made.compartments[k], round(made.after_ml[k], 4)) for k in range(earlier, len(made.compartments))
    ]
    result["new"] = [(d.kind, d.compartment, d.volume_ml) for d in told.new_deposits]
    result["fractures"] = [v.level or v.before_id for v in told.vertebrae if v.fractured_since]
    result["notes"] = [q.code for q in told.quality]
    return result


def table(results: list[dict[str, Any]], *, quick: bool) -> Table:
    """The table of all pairs."""
    good = [r for r in results if "failed" not in r]
    rows = [_row(f"{len(results)} pairs", "pairs compared", "all", len(good), len(results))]
    for real, name in ((False, "phantoms"), (True, "real CT with cement put in")):
        some = [r for r in good if r["real"] is real]
        if some:
            rows += _volumes(f"{len(some)} pairs, {name}", some)
    rows += _told(f"{len(good)} pairs", good)
    return Table(
        NAME,
        "Two CTs compared",
        "One patient before and after. Phantoms: a simulated revision that took out the piece in the sac and "
        "the upper part of the epidural sheet, the lamina of T12 gone, some with screws in T11 and L1, the "
        "patient turned by up to 10° about each axis and shifted, another spacing, in some pairs another "
        f"kernel. {_others(results)}Real CT: cement put in; then the same CT less the piece in the sac, "
        "turned by up to 6° about each axis, interpolated, with new noise. But for the broken one "
        "the bones are the same in both scans, which no patient's are to the last voxel.",
        rows,
        results,
        quick,
    )


def _others(results: Cases) -> str:
    """Which pairs were not, or not only, a revision; nothing of those that were not made."""
    others = [r["kind"] for r in results if r["kind"] != "revision"]
    return f"Besides, one pair each: {', '.join(others)}. " if others else ""


def _row(on: str, measure: str, aim: str, count: int, of: int) -> Row:
    return Row(on, measure, aim, f"{count} of {of}", count == of)


def _volumes(on: str, some: Cases) -> list[Row]:
    """What was taken out and what is left, against the truth."""
    told = [r for r in some if r["removed_ml"] is not None]
    rows = [Row(on, "canal cement of which what is left is told", "", f"{len(told)} of {len(some)}")]
    laid = [mm for r in some for mm in r["laid_mm"]]
    if laid:
        worst = f"{median(laid):.2f}, {max(laid):.2f}"
        rows.append(Row(on, "vertebra laid over itself, median and worst, mm", "", worst))
    for name, key, aim in (("removed", "removed", "5 %"), ("left", "residual", "")):
        errors = [r[f"{key}_ml"] / r[f"{key}_true_ml"] - 1 for r in told if r[f"{key}_true_ml"] >= LEAST_ML]
        if errors:
            sizes = [abs(e) for e in errors]
            middle = median(sizes)
            reached = f"{100 * middle:.1f} %, {100 * max(sizes):.1f} % (mean {100 * np.mean(errors):+.1f} %)"
            measure = f"volume {name} in the canal, error, median and worst"
            rows.append(Row(on, measure, aim, reached, middle <= AIM_VOLUME if aim else None))
    for r in told:
        if r["kind"] == "nothing removed":
            share = r["removed_ml"] / r["canal_true_ml"]
            rows.append(Row(on, "nothing removed, what is called so, share of the canal's cement", "5 %",
                            f"{100 * share:+.1f} %", abs(share) <= AIM_VOLUME))  # fmt: skip
    body = [abs(r["body_change"]) for r in some if r["body_change"] is not None]
    if body:
        worst = f"{100 * median(body):.1f} %, {100 * max(body):.1f} %"
        rows.append(Row(on, "cement in the body, not touched, change, median and worst", "", worst))
    return rows


def _told(on: str, good: Cases) -> list[Row]:
    """What has come since: named where there is something, silent where there is not."""
    rows = []
    for kind, word in (("piece moved", "migrated"), ("new leak", "new")):
        some = [r for r in good if r["kind"] == kind]
        right = sum(any(n[0] == word and n[1] == r["added"][0][0] for n in r["new"]) for r in some)
        if some:
            rows.append(_row(on, f"{kind}: called {word}, in the right compartment", "all", right, len(some)))
    false = sum(max(0, len(r["new"]) - len(r["added"])) for r in good)
    rows.append(Row(on, "deposits called new or migrated that are not", "0", str(false), false == 0))
    broken = [r for r in good if r["kind"] == "fracture since"]
    if broken:
        seen = sum(bool(r["fractures"]) for r in broken)
        rows.append(_row(on, "neighbour broken since: named", "all", seen, len(broken)))
    false = sum(len(r["fractures"]) for r in good if r["kind"] != "fracture since")
    rows.append(Row(on, "vertebrae called newly broken that are not", "0", str(false), false == 0))
    return rows
