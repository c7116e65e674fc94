"""``python -m benchmarks.calibration``: draw how the stated probability of cement inside the dura holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.intradural import BINS, NAME, THICK_MM, calibration_error, roc_area
from benchmarks.table import RESULTS

PICTURE: Final = Path(__file__).resolve().parents[1] / "docs" / "images" / "intradural-calibration.png"
INK, BLUE, ORANGE = "#1b1b1b", "#0072B2", "#D55E00"


def main() -> None:
    """Read the measured cases and write the picture of the docs."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    stored = json.loads((RESULTS / f"{NAME}.json").read_text(encoding="utf-8"))
    cases = [c for c in stored["cases"] if c["probability"] is not None and c["spacing_mm"][0] <= THICK_MM]
    chance = np.array([c["probability"] for c in cases])
    inside = np.array([c["inside"] for c in cases])
    which = np.minimum((chance * BINS).astype(int), BINS - 1)
    with mpl.rc_context({"font.size": 10, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(8.0, 3.8), dpi=110, layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle="--")
        for k in np.unique(which):
            own = inside[which == k]
            n, share = len(own), float(own.mean())
            # Wilson's interval, nine of ten.
            z = 1.645
            middle = (share + z * z / (2 * n)) / (1 + z * z / n)
            half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
            x = float(chance[which == k].mean())
            left.plot([x, x], [middle - half, middle + half], color=BLUE, linewidth=1.4)
            left.plot(x, share, "o", color=BLUE, markersize=4)
            left.annotate(str(n), (x, share), textcoords="offset points", xytext=(5, -10), fontsize=8)
        left.set(xlabel="stated probability", ylabel="share truly inside the dura", xlim=(0, 1), ylim=(0, 1))
        left.set_title(f"{len(cases)} cases; calibration error {calibration_error(chance, inside):.3f}")
        for mask, colour, word in ((~inside, ORANGE, "outside or none"), (inside, BLUE, "inside")):
            right.hist(
                chance[mask], np.linspace(0, 1, 21), color=colour, alpha=0.65, label=f"{word} ({mask.sum()})"
            )
        right.set(xlabel="stated probability", ylabel="cases", xlim=(0, 1))
        right.set_title(f"area under the ROC curve {roc_area(chance, inside):.3f}")
        right.legend(frameon=False)
        PICTURE.parent.mkdir(exist_ok=True)
        figure.savefig(PICTURE, metadata={"Software": None})


if __name__ == "__main__":
    main()
