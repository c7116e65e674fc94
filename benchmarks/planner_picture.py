"""``python -m benchmarks.planner_picture``: planned angles by level beside published ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from benchmarks.planner import NAME, PLANNED
from benchmarks.table import RESULTS
from thecal.leakage.tracks.grading import TRANSVERSE_DEGREES
from thecal.terms import RESEARCH_USE

PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "images" / "planned_angles.png"
KAUR_T12: Final = (-9.8, 2.4)
"""Pedicle angle of T12 on CT, mean and SD (Kaur 2016, figures' abstract)."""
BESIDE_DEG: Final = (24.3, 40.8)
"""Published means of ways beside the pedicle, T1 to T12 (100 patients on CT)."""


def main() -> None:
    """Draw the picture from ``results/planner.json``."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    cases = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))["cases"]
    figure, axes = plt.subplots(figsize=(8.0, 4.6), dpi=120)
    places = {level: k for k, level in enumerate(PLANNED)}
    for real, colour, words in ((False, "#0072B2", "phantoms"), (True, "#D55E00", "real CT")):
        for approach, mark in (("transpedicular", "o"), ("extrapedicular", "^")):
            ways = [w for w in _ways(cases, real=real) if w[1]["approach"] == approach]
            if not ways:
                continue
            shift = 0.14 if real else -0.14
            axes.plot(
                [places[level] + shift for level, _ in ways],
                [way["transverse"] for _, way in ways],
                mark,
                color=colour,
                alpha=0.45,
                markersize=4,
                label=f"planned, {words}, {approach} (n = {len(ways)})",
            )
    axes.plot(
        range(len(PLANNED)),
        [TRANSVERSE_DEGREES[level] for level in PLANNED],
        "k-",
        label="pedicle axis, Zindrick 1987 (from memory)",
    )
    axes.errorbar(
        [places["T12"]],
        [KAUR_T12[0]],
        yerr=[KAUR_T12[1]],
        fmt="ks",
        markersize=4,
        label="T12 on CT, Kaur 2016",
    )
    axes.axhspan(*BESIDE_DEG, xmax=7 / len(PLANNED), color="0.9", label="ways beside the pedicle, T1-T12")
    axes.axhline(0.0, color="0.6", linewidth=0.6)
    axes.set_xticks(range(len(PLANNED)), PLANNED)
    axes.set_ylabel("transverse angle, degrees towards the midline")
    axes.set_title(f"One of two 11 G needles, by level. {RESEARCH_USE}", fontsize=7)
    axes.legend(fontsize=6, loc="upper left")
    figure.tight_layout()
    figure.savefig(PICTURE, metadata={"Software": None})


def _ways(cases: list[dict[str, Any]], *, real: bool) -> list[tuple[str, dict[str, Any]]]:
    return [
        (level["level"], side["way"])
        for case in cases
        if ("seed" not in case) == real
        for level in case["levels"]
        if level["level"] in PLANNED
        for side in level["sides"]
        if side["way"]
    ]


if __name__ == "__main__":
    main()
