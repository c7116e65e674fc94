"""``thecal compare`` on one phantom patient before and after a simulated revision."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from benchmarks.table import Row, Table
from thecal.assessment import assess
from thecal.compare.build import compare
from thecal.errors import SpineNotFound
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.revised import RevisedPair, Revision, revised_pair
from thecal.phantom.scanner import SHARP, SOFT

NAME = "compare"
AIM_VOLUME = 0.05
LEAST_ML = 0.05


@dataclass(frozen=True)
class Job:
    """One pair of scans."""

    seed: int
    screws: bool
    sharp: bool
    thick: bool


def cases(*, quick: bool) -> list[Job]:
    """Pairs with and without screws, with another kernel and slice spacing after."""
    whole = [
        Job(9101, screws=False, sharp=False, thick=False),
        Job(9102, screws=True, sharp=False, thick=False),
        Job(9103, screws=True, sharp=True, thick=False),
        Job(9104, screws=False, sharp=True, thick=True),
        Job(9105, screws=True, sharp=False, thick=True),
        Job(9106, screws=True, sharp=False, thick=False),
    ]
    return whole[:2] if quick else whole


def pair_of(job: Job) -> RevisedPair:
    """Both scans: cement taken out of the canal in part, the lamina of T12 gone, the patient turned."""
    rng = np.random.default_rng(job.seed)
    right = ("right", "left")[int(rng.integers(2))]
    deposits = [
        DepositSpec("intravertebral", "T12", float(rng.uniform(2.0, 3.5)), "midline"),
        DepositSpec("epidural", "T12", float(rng.uniform(0.3, 0.6)), right),  # type: ignore[arg-type]
        DepositSpec("intradural", "T12", float(rng.uniform(0.2, 0.4)), "midline"),
    ]
    return revised_pair(
        job.seed,
        "T11-L1",
        deposits,
        Revision(
            gone=(3,),
            cut_above=((2, float(rng.uniform(0.3, 0.7))),),
            laminae=("T12",),
            screws=("T11", "L1") if job.screws else (),
        ),
        fractures={"T12": "wedge"},
        spacing_after=(2.0, 0.7, 0.7) if job.thick else (1.25, 0.8, 0.8),
        scanner_after=SHARP if job.sharp else SOFT,
        move=turned(rng),
    )


def turned(rng: np.random.Generator) -> np.ndarray:
    """Another position: up to 10 degrees about each axis and 60 mm along each."""
    x, y, z = np.radians(rng.uniform(-10, 10, 3))
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    move = np.eye(4)
    move[:3, :3] = about_x @ about_y @ about_z
    move[:3, 3] = rng.uniform(-60, 60, 3)
    return move


def one_case(job: Job) -> dict[str, Any]:
    """One pair assessed and compared, with the errors against the truth."""
    made = pair_of(job)
    result: dict[str, Any] = {"case": "revised", "seed": job.seed, "screws": job.screws, "sharp": job.sharp}
    result |= {"thick": job.thick, "true_before_ml": made.before_ml, "true_after_ml": made.after_ml}
    try:
        found = compare(assess(made.before), assess(made.after))
    except SpineNotFound as error:
        return result | {"failed": str(error)}
    origins = np.array([v.frame.origin for v in found.before.spine.vertebrae])
    there = origins @ made.move[:3, :3].T + made.move[:3, 3]
    result["laid_mm"] = np.linalg.norm(found.moves.forward(origins) - there, axis=1).round(3).tolist()
    rows = {row.compartment: row for row in found.comparison.compartments}
    canal = [rows[c] for c in ("epidural", "intradural") if c in rows]
    known = all(row.removed_ml is not None for row in canal)
    result["removed_true_ml"] = sum(made.before_ml[1:]) - sum(made.after_ml[1:])
    result["residual_true_ml"] = sum(made.after_ml[1:])
    result["removed_ml"] = sum(row.removed_ml or 0.0 for row in canal) if known else None
    result["residual_ml"] = sum(row.residual_ml or 0.0 for row in canal) if known else None
    body = rows.get("intravertebral")
    result["body_change"] = (
        None if body is None or body.removed_ml is None else body.removed_ml / body.before_ml
    )
    result["new"] = [(d.compartment, d.volume_ml) for d in found.comparison.new_deposits]
    result["fractures"] = sum(bool(v.fractured_since) for v in found.comparison.vertebrae)
    return result


def table(results: list[dict[str, Any]], *, quick: bool) -> Table:
    """The table of all pairs."""
    good = [r for r in results if "failed" not in r]
    told = [r for r in good if r["removed_ml"] is not None]
    removed = [abs(r["removed_ml"] / r["removed_true_ml"] - 1) for r in told]
    left = [
        abs(r["residual_ml"] / r["residual_true_ml"] - 1) for r in told if r["residual_true_ml"] >= LEAST_ML
    ]
    laid = [mm for r in good for mm in r["laid_mm"]]
    body = [abs(r["body_change"]) for r in good if r["body_change"] is not None]
    on = f"{len(results)} pairs of phantoms"
    rows = [
        Row(on, "pairs compared", "all", f"{len(good)} of {len(results)}", len(good) == len(results)),
        Row(on, "canal cement of which what is left is told", "", f"{len(told)} of {len(good)}"),
    ]
    if laid:
        rows.append(
            Row(
                on,
                "vertebra laid over itself, median and worst, mm",
                "",
                f"{median(laid):.2f}, {max(laid):.2f}",
            )
        )
    for name, errors in (("removed", removed), ("left", left)):
        if errors:
            rows.append(
                Row(
                    on,
                    f"volume {name} in the canal, error, median and worst",
                    "5 %",
                    f"{100 * median(errors):.1f} %, {100 * max(errors):.1f} %",
                    median(errors) <= AIM_VOLUME,
                )
            )
    if body:
        rows.append(
            Row(on, "cement in the body, not touched, change, worst", "5 %", f"{100 * max(body):.1f} %")
        )
    new = sum(len(r["new"]) for r in good)
    rows.append(Row(on, "deposits called new or migrated, none is", "0", str(new), new == 0))
    broken = sum(r["fractures"] for r in good)
    rows.append(Row(on, "vertebrae called newly broken, none is", "0", str(broken), broken == 0))
    return Table(
        NAME,
        "Two CTs compared",
        "Phantoms only: one patient before and after a simulated revision, with the same cement but for what "
        "was taken out (the sac's whole, the epidural's upper part), the lamina of T12 gone, in some pairs "
        "screws in T11 and L1, the patient turned by up to 10° and shifted, another spacing, in some pairs "
        "another kernel. The bones themselves are the same in both scans, which no patient's are to the last "
        "voxel.",
        rows,
        results,
        quick,
    )
