"""How well an assessment tells the cement that is known to be there."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import cc3d
import numpy as np
import numpy.typing as npt
from scipy import ndimage

from benchmarks.table import Row
from thecal.assessment import Assessment
from thecal.phantom.insert import CementTruth
from thecal.terms import COMPARTMENTS
from thecal.volume import BoolArray, Volume

SMALLEST_ML: Final = 0.020
MEASURED_ML: Final = 0.1
FOUND_SHARE: Final = 0.5
OWN_SHARE: Final = 0.25


@dataclass
class TrueOne:
    """What became of one true deposit."""

    compartment: str
    form: str
    level: str
    volume_ml: float
    share_right: float
    called: str
    counted: bool
    why_not: str = ""
    volume_error: float | None = None


def cement_scores(
    volume: Volume, truth: CementTruth, result: Assessment, doubtful: dict[int, str] | None = None
) -> dict[str, Any]:
    """Compare an assessment with the cement that was put in.

    Parameters
    ----------
    volume : Volume
        The scan with cement.
    truth : CementTruth
    result : Assessment
    doubtful : {deposit id: reason}, optional
        True deposits that are not to be counted.

    Returns
    -------
    dict
        Plain values: ``deposits`` (one entry a true deposit), ``false`` (reported ones), occlusion.
    """
    true = truth.whole(volume.hu.shape).astype(np.int32)
    found = np.zeros(volume.hu.shape, np.int32)
    names: dict[int, str] = {}
    if result.spine is not None and result.leakage is not None:
        found[result.spine.box] = result.leakage.deposit_labels
        names = {d.id: d.compartment for d in result.leakage.deposits}
    called = np.zeros(max(names, default=0) + 1, np.int32)
    for number, name in names.items():
        called[number] = COMPARTMENTS.index(name) + 1  # type: ignore[arg-type]
    kind_found = called[found]
    deposits = []
    for deposit in truth.deposits:
        mine = true == deposit.id
        size = int(mine.sum())
        code = COMPARTMENTS.index(deposit.compartment) + 1
        votes = np.bincount(kind_found[mine], minlength=len(COMPARTMENTS) + 1)
        why = (doubtful or {}).get(deposit.id, "")
        if size and _touches_edge(mine):
            why = "cut by the edge of the scan"
        if deposit.volume_ml < SMALLEST_ML:
            why = "below 20 mm3"
        deposits.append(
            TrueOne(
                deposit.compartment,
                deposit.form,
                deposit.level,
                round(deposit.volume_ml, 4),
                round(float(votes[code] / max(size, 1)), 3),
                "nothing" if not votes.any() or votes.argmax() == 0 else COMPARTMENTS[votes.argmax() - 1],
                not why,
                why,
            )
        )
    _volume_errors(truth, true, found, names, result, deposits)
    return {
        "deposits": [asdict(d) for d in deposits],
        "reported": len(names),
        "false": _false_ones(truth, true, found, names, result),
        "occlusion_true": round(truth.occlusion, 4),
        "occlusion_found": None
        if result.leakage is None or result.leakage.worst is None
        else round(result.leakage.worst.fraction, 4),
        "spine_found": result.spine is not None,
    }


def _touches_edge(mask: BoolArray) -> bool:
    return any(bool(mask.take(end, axis).any()) for axis in range(3) for end in (0, -1))


def _false_ones(
    truth: CementTruth,
    true: npt.NDArray[np.int32],
    found: npt.NDArray[np.int32],
    names: dict[int, str],
    result: Assessment,
) -> list[dict[str, Any]]:
    false = []
    near = {}
    for name in set(names.values()):
        own = np.isin(true, [d.id for d in truth.deposits if d.compartment == name])
        near[name] = ndimage.binary_dilation(own, np.ones((3, 3, 3), bool))
    volumes = {} if result.leakage is None else {d.id: d.volume_ml for d in result.leakage.deposits}
    for number, name in names.items():
        mine = found == number
        if mine.any() and float(near[name][mine].mean()) < OWN_SHARE:
            on = np.bincount(true[mine], minlength=len(truth.deposits) + 1)
            # The rim of a deposit is outside its true voxels: any of them tell whose cement it is.
            real = truth.deposits[on[1:].argmax()].compartment if on[1:].any() else "none"
            false.append({"called": name, "ml": round(volumes[number], 4), "truly": real})
    return false


def _volume_errors(
    truth: CementTruth,
    true: npt.NDArray[np.int32],
    found: npt.NDArray[np.int32],
    names: dict[int, str],
    result: Assessment,
    deposits: list[TrueOne],
) -> None:
    """Relative error of the volume of each group of overlapping deposits of one compartment."""
    if result.leakage is None:
        return
    measured = {d.id: d.volume_ml for d in result.leakage.deposits}
    for name in set(names.values()):
        ours = [d.id for d in truth.deposits if d.compartment == name]
        theirs = [n for n, other in names.items() if other == name]
        own, reported = np.isin(true, ours), np.isin(found, theirs)
        groups = cc3d.connected_components(own | reported, connectivity=26)
        true_ml: dict[int, float] = {}
        found_ml: dict[int, float] = {}
        home: dict[int, int] = {}
        # Deposits in loose parts join the groups that they touch.
        parent = list(range(int(groups.max()) + 1))

        def root(i: int, parent: list[int] = parent) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        for labels, numbers in ((true, ours), (found, theirs)):
            for number in numbers:
                touched = np.unique(groups[labels == number])
                for other in touched[1:]:
                    parent[root(int(other))] = root(int(touched[0]))
        for number in ours:
            mine = groups[true == number]
            if len(mine):
                home[number] = root(int(mine[0]))
                true_ml[home[number]] = true_ml.get(home[number], 0.0) + truth.deposits[number - 1].volume_ml
        for number in theirs:
            mine = groups[found == number]
            if len(mine):
                at = root(int(mine[0]))
                found_ml[at] = found_ml.get(at, 0.0) + measured[number]
        for number in ours:
            group = home.get(number)
            if group is not None and deposits[number - 1].share_right >= FOUND_SHARE:
                error = (found_ml.get(group, 0.0) - true_ml[group]) / true_ml[group]
                deposits[number - 1].volume_error = round(error, 4)


def dice(a: BoolArray, b: BoolArray) -> float:
    """Overlap of two masks."""
    total = int(a.sum()) + int(b.sum())
    return 2.0 * int((a & b).sum()) / total if total else 1.0


def cement_rows(on: str, cases: list[dict[str, Any]]) -> list[Row]:
    """The lines that inserted cement and phantoms share."""
    ones = [d for case in cases for d in case["deposits"] if d["counted"]]
    left_out = sum(not d["counted"] for case in cases for d in case["deposits"])
    right = [d["share_right"] >= FOUND_SHARE for d in ones]
    rows = [
        Row(
            on,
            "deposits ≥ 20 mm³ found with the right compartment",
            "≥ 0.90",
            f"{np.mean(right):.3f} ({sum(right)} of {len(right)}; {left_out} left out)",
            bool(np.mean(right) >= 0.90),
        )
    ]
    for name in COMPARTMENTS:
        own = [d["share_right"] >= FOUND_SHARE for d in ones if d["compartment"] == name]
        if own:
            wrong = [d["called"] for d in ones if d["compartment"] == name and d["share_right"] < FOUND_SHARE]
            called = ", ".join(f"{wrong.count(w)} {w}" for w in sorted(set(wrong)))
            rows.append(
                Row(
                    on,
                    f"… {name}",
                    "≥ 0.80",
                    f"{np.mean(own):.3f} ({sum(own)} of {len(own)})" + (f"; else: {called}" if wrong else ""),
                    bool(np.mean(own) >= 0.80),
                )
            )
    false = [f for case in cases for f in case["false"]]
    misnamed = sum(f["truly"] != "none" for f in false)
    rows.append(
        Row(
            on,
            "false deposits a case",
            "< 0.2",
            f"{len(false) / len(cases):.2f} ({misnamed} of {len(false)} are cement of another compartment)",
            len(false) / len(cases) < 0.2,
        )
    )
    errors = [
        abs(d["volume_error"])
        for d in ones
        if d["volume_error"] is not None and d["volume_ml"] >= MEASURED_ML
    ]
    rows.append(
        spread_row(on, "volume error, deposits ≥ 0.1 mL, median", "≤ 10 %", errors, 0.10, percent=True)
    )
    occluded = [
        abs((c["occlusion_found"] or 0.0) - c["occlusion_true"])
        for c in cases
        if c["occlusion_true"] > 0 or c["occlusion_found"]
    ]
    rows.append(
        spread_row(
            on,
            "worst occlusion, absolute error, median (cases with cement in the canal)",
            "≤ 0.05",
            occluded,
            0.05,
        )
    )
    return rows


def spread_row(
    on: str, measure: str, aim: str, values: list[float], limit: float, *, percent: bool = False
) -> Row:
    """A line with the median and the 90th percentile of errors, judged by the median."""
    if not values:
        return Row(on, measure, aim, "no case", None)
    middle, high = float(np.median(values)), float(np.percentile(values, 90))
    text = (
        f"{100 * middle:.1f} % (90th percentile {100 * high:.0f} %, n = {len(values)})"
        if percent
        else f"{middle:.3f} (90th percentile {high:.3f}, n = {len(values)})"
    )
    return Row(on, measure, aim, text, middle <= limit)
