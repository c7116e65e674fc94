"""The forest plot: each study with its exact interval, the pooled rate, and where a further study may lie."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thecal.registry.pooling.pool import Pooled
from thecal.report.drawing import Picture
from thecal.report.palette import FAINT, INK
from thecal.terms import RESEARCH_USE

WIDTH_IN: Final = 9.0
ROW_IN: Final = 0.34
HEAD_IN: Final = 1.75
POOLED: Final = "#0072B2"
LARGEST_BOX: Final = 130.0
"""Area of the largest study's box, points squared; the others' by their n."""
LABELS_SHARE: Final = 0.36
FIGURES_SHARE: Final = 0.19


def forest_picture(pooled: Pooled) -> Picture:
    """Draw a pooled question.

    Parameters
    ----------
    pooled : Pooled

    Returns
    -------
    Picture
        Boxes by the studies' size, lines their exact 95 % intervals; the diamond is the pooled rate with its
        interval, the line under it the 95 % prediction interval.
    """
    rows = len(pooled.studies) + (0 if pooled.fit is None else 2)
    height = HEAD_IN + ROW_IN * rows
    figure = Figure(figsize=(WIDTH_IN, height))
    plot = figure.add_axes(
        (LABELS_SHARE, 0.86 / height, 1.0 - LABELS_SHARE - FIGURES_SHARE, ROW_IN * (rows + 0.4) / height)
    )
    plot.set_ylim(rows - 0.3, -0.7)
    plot.set_xlim(0.0, _right_end(pooled))
    largest = max(study.n for study in pooled.studies)
    for place, study in enumerate(pooled.studies):
        low, high = study.interval
        plot.plot([100 * low, 100 * high], [place, place], color=INK, linewidth=1.1, clip_on=False)
        area = max(12.0, LARGEST_BOX * study.n / largest)
        plot.scatter([100 * study.share], [place], s=area, marker="s", color=INK, zorder=3, clip_on=False)
        _row(plot, place, study.row.name, f"{study.events}/{study.n}", study.share, study.interval)
    if pooled.fit is not None:
        place = len(pooled.studies)
        rate, (low, high) = pooled.fit.rate, pooled.fit.interval
        x = [100 * v for v in (low, rate, high, rate)]
        plot.fill(x, [place, place - 0.27, place, place + 0.27], color=POOLED, zorder=3, clip_on=False)
        plot.axvline(100 * rate, color=POOLED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
        _row(plot, place, "Pooled", "", rate, (low, high), weight="bold")
        if pooled.fit.prediction is not None:
            low, high = pooled.fit.prediction
            plot.plot([100 * low, 100 * high], [place + 1] * 2, color=POOLED, linewidth=3.2, alpha=0.5)
            _row(plot, place + 1, "A further study, 95 %", "", None, (low, high))
    plot.set_yticks([])
    plot.set_xlabel("percent")
    for side in ("left", "right", "top"):
        plot.spines[side].set_visible(False)
    figure.text(0.012, 1.0 - 0.30 / height, pooled.question.words, fontsize=12, fontweight="bold", color=INK)
    figure.text(0.012, 0.12 / height, RESEARCH_USE, fontsize=8, color=INK, fontweight="bold")
    return Picture(figure, _caption(pooled), _alt(pooled), WIDTH_IN)


def _right_end(pooled: Pooled) -> float:
    ends = [study.interval[1] for study in pooled.studies]
    if pooled.fit is not None and pooled.fit.prediction is not None:
        ends.append(pooled.fit.prediction[1])
    top = 100 * max(ends)
    return next((end for end in (2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 80.0) if end >= 1.05 * top), 100.0)


def _row(
    plot: Axes,
    place: int,
    name: str,
    counts: str,
    share: float | None,
    interval: tuple[float, float],
    weight: str = "normal",
) -> None:
    low, high = interval
    at = plot.get_yaxis_transform()
    width = 1.0 - LABELS_SHARE - FIGURES_SHARE
    left = (0.012 - LABELS_SHARE) / width
    plot.text(left, place, name, transform=at, va="center", color=INK, fontweight=weight)
    plot.text(-0.03, place, counts, transform=at, va="center", ha="right", color=FAINT)
    digits = 1 if high >= 0.01 else 2
    middle = "" if share is None else f"{100 * share:.{digits}f}"
    words = f"{middle} ({100 * low:.{digits}f} to {100 * high:.{digits}f})".strip()
    plot.text(1.03, place, words, transform=at, va="center", color=INK, fontweight=weight)


def _caption(pooled: Pooled) -> str:
    words = "Boxes by the size of the study; lines are exact 95 % intervals (Clopper and Pearson)."
    if pooled.fit is None:
        return f"{words} Not pooled: {pooled.why_not}."
    return (
        f"{words} Diamond: pooled by the binomial-normal model, with its 95 % interval by the profile "
        "likelihood; the broad line below is where the rate of a further study may lie."
    )


def _alt(pooled: Pooled) -> str:
    each = "; ".join(f"{s.row.name} {s.events} of {s.n}" for s in pooled.studies)
    if pooled.fit is None:
        return f"Forest plot. {each}."
    low, high = pooled.fit.interval
    return (
        f"Forest plot. {each}. Pooled {100 * pooled.fit.rate:.1f} %, {100 * low:.1f} to {100 * high:.1f} %."
    )
