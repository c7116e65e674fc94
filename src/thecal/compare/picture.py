"""The same cut before and after, side by side."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np

from thecal.compare.build import Compared
from thecal.report.axial import place_to_show
from thecal.report.cuts import Cut, axial_cut
from thecal.report.drawing import (
    STYLE,
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
from thecal.report.palette import CANAL_WALL

REACH_MM = (36.0, 42.0, 40.0)
COLUMN_MM = 46.0
GAP_MM = 3.0
WIDTH_IN = 9.8


def before_and_after(found: Compared) -> Picture:
    """The cut normal to the canal that says most of the earlier scan, and the same place on the later."""
    before, after = found.before, found.after
    at_mm, why = place_to_show(before.spine, before.leakage)
    cut = axial_cut(before.spine.canal, at_mm, REACH_MM)
    moved = found.moves.forward(cut.points.reshape(-1, 3)).reshape(cut.points.shape)
    there = Cut(moved, cut.across, cut.up)
    width, height = float(np.ptp(cut.across)), float(np.ptp(cut.up))
    total = 2 * COLUMN_MM + 2 * width + GAP_MM
    i = int(before.spine.canal.frame.index(at_mm))
    theta = np.append(before.spine.canal.theta, before.spine.canal.theta[0])
    wall = np.append(before.spine.canal.wall_mm[i], before.spine.canal.wall_mm[i, 0])
    with mpl.rc_context(STYLE):
        figure = blank(WIDTH_IN, WIDTH_IN * height / total)
        for side, case, plane, word in ((0, before, cut, "before"), (1, after, there, "after")):
            start = 0.0 if side == 0 else (COLUMN_MM + width + GAP_MM) / total
            axes = figure.add_axes((start, 0.0, (COLUMN_MM + width) / total, 1.0))
            show_ct(axes, plane, case.volume)
            labels = outline_deposits(axes, plane, deposits_on(plane, case.leakage, case.spine.grid))
            draw_line(axes, wall * np.sin(theta), wall * np.cos(theta), CANAL_WALL, width=0.9)
            left, right, bottom, top = plane.extent
            label_column(axes, labels, plane.extent, gap_mm=5.0, on_left=side == 0)
            axes.text(
                (left + right) / 2,
                top - 5,
                word,
                color="#ffffff",
                ha="center",
                fontsize=11,
                path_effects=halo(),
            )
            scale_bar(axes, left + 4.0, bottom + 3.5, 20)
            axes.set_xlim(left - (COLUMN_MM if side == 0 else 0), right + (COLUMN_MM if side else 0))
            axes.set_ylim(bottom, top)
    caption = (
        f"The same cut normal to the canal, {why} on the earlier CT: before on the left, after on the right. "
        "Seen from the feet. White: the canal's wall as it was before. Numbers are each scan's own."
    )
    return Picture(figure, caption, caption, WIDTH_IN)
