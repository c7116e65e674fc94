"""The same two cuts before and after, side by side: normal to the canal, and along it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from thecal.compare.build import Compared
from thecal.report.axial import place_at, place_to_show
from thecal.report.cuts import Cut, axial_cut, sagittal_cut, sagittal_view
from thecal.report.drawing import (
    STYLE,
    Label,
    Picture,
    blank,
    deposits_on,
    draw_line,
    halo,
    label_column,
    outline_deposits,
    scale_bar,
    show_ct,
)
from thecal.report.headline import volume_words
from thecal.report.palette import CANAL_WALL
from thecal.report.sagittal import canal_rim, heights_to_show, name_vertebrae

REACH_MM: Final = (36.0, 42.0, 40.0)
COLUMN_MM: Final = 46.0
LONG_COLUMN_MM: Final = 66.0
"""Room for words beside each scan, in mm of the axial and of the smaller-scaled sagittal picture."""
GAP_MM: Final = 3.0
WIDTH_IN: Final = 9.8
SIDES: Final = ("before", "after")
SAID: Final = (
    "Before on the left, after on the right, at the same place of the same bone. White: the canal's wall as "
    "it was before. Black: not in the scan."
)


def axial_before_and_after(found: Compared) -> Picture:
    """The cut normal to the canal that says most of the earlier scan, and the same place on the later."""
    spine, leakage = found.before.spine, found.before.leakage
    at_mm, why = place_to_show(spine, leakage)
    cut = axial_cut(spine.canal, at_mm, REACH_MM)
    i = int(spine.canal.frame.index(at_mm))
    theta = np.append(spine.canal.theta, spine.canal.theta[0])
    wall = np.append(spine.canal.wall_mm[i], spine.canal.wall_mm[i, 0])
    with mpl.rc_context(STYLE):
        figure, pair = _pair(found, cut, COLUMN_MM, gap_mm=5.0)
        left, _, bottom, _ = cut.extent
        for axes in pair:
            draw_line(axes, wall * np.sin(theta), wall * np.cos(theta), CANAL_WALL, width=0.9)
            scale_bar(axes, left + 4.0, bottom + 3.5, 20)
    where = place_at(leakage, at_mm)
    caption = f"Cut normal to the canal{where}, {why} on the earlier CT, seen from the feet. {SAID}"
    return Picture(figure, caption, caption, WIDTH_IN)


def sagittal_before_and_after(found: Compared) -> Picture:
    """The cut along the canal on the earlier scan, and the same surface of the same bones on the later."""
    spine = found.before.spine
    view = sagittal_view(spine.canal)
    low, high, _ = heights_to_show(view, found.before.leakage)
    cut = sagittal_cut(view, low, high, step_mm=0.5)
    left, _, bottom, top = cut.extent
    with mpl.rc_context(STYLE):
        figure, pair = _pair(found, cut, LONG_COLUMN_MM, gap_mm=(top - bottom) / 24)
        for axes in pair:
            for angle in (0.0, np.pi):
                rim = view.place(canal_rim(spine, spine.canal.wall_mm, angle))
                inside = (rim[:, 1] > bottom) & (rim[:, 1] < top)
                draw_line(axes, rim[inside, 0], rim[inside, 1], CANAL_WALL, width=0.9)
            name_vertebrae(axes, spine, view, cut)
            scale_bar(axes, left + 4.0, bottom + 4.0, 50)
    caption = f"Sagittal cut that follows the canal from side to side, the front on the left. {SAID}"
    return Picture(figure, caption, caption, WIDTH_IN)


def _pair(found: Compared, cut: Cut, column_mm: float, *, gap_mm: float) -> tuple[Figure, list[Axes]]:
    """Both scans on one cut of the earlier, with their deposits outlined and named outward."""
    # Between two vertebrae that lie another way to each other the picture bends, and does not tear.
    moved = found.moves.blended(cut.points.reshape(-1, 3)).reshape(cut.points.shape)
    planes = (cut, Cut(moved, cut.across, cut.up))
    left, right, bottom, top = cut.extent
    width, height = right - left, top - bottom
    total = 2 * column_mm + 2 * width + GAP_MM
    figure = blank(WIDTH_IN, WIDTH_IN * height / total)
    pair = []
    for k, (case, plane, word) in enumerate(zip((found.before, found.after), planes, SIDES, strict=True)):
        start = k * (column_mm + width + GAP_MM) / total
        axes = figure.add_axes((start, 0.0, (column_mm + width) / total, 1.0))
        axes.set_xlim(left - (0 if k else column_mm), right + (column_mm if k else 0))
        axes.set_ylim(bottom, top)
        show_ct(axes, plane, case.volume)
        axes.set_xlim(left - (0 if k else column_mm), right + (column_mm if k else 0))
        axes.set_ylim(bottom, top)
        seen = deposits_on(plane, case.leakage, case.spine.grid)
        labels = outline_deposits(axes, plane, seen)
        if k:
            labels = [
                _named_by_before(found, label, item.deposit.id, item.deposit.volume_ml)
                for label, item in zip(labels, seen, strict=True)
            ]
        label_column(axes, labels, cut.extent, gap_mm=gap_mm, on_left=k == 0)
        axes.text(
            left + 4.0,
            top - 0.04 * height,
            word,
            color="#ffffff",
            ha="left",
            va="top",
            fontsize=12,
            fontweight="bold",
            path_effects=halo(),
        )
        pair.append(axes)
    return figure, pair


def _named_by_before(found: Compared, label: Label, after_id: int, volume_ml: float) -> Label:
    """A deposit of the later scan in words of the earlier: what it is left of, or that it is new."""
    comparison = found.comparison
    size = volume_words(volume_ml)
    for new in comparison.new_deposits:
        if new.after_id == after_id:
            came = "new" if new.from_id is None else f"perhaps {new.from_id}, moved"
            return replace(label, text=f"{came}: {size}")
    of = [str(d.id) for d in comparison.deposits if after_id in d.after_ids]
    return replace(label, text=f"left of {' and '.join(of)}: {size}" if of else f"beside metal: {size}")
