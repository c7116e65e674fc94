"""How much room a needle has along its way, and to what."""

from __future__ import annotations

from itertools import groupby
from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.needle.outputs.needles import PlannedNeedle, depth_marks
from thecal.needle.pictures.canvas import FOOT_IN, write_research_use
from thecal.needle.pictures.colours import NEEDLE_COLOURS
from thecal.report.drawing import STYLE, Picture, blank, halo
from thecal.report.palette import FAINT, INK

WIDTH_IN: Final = 9.8
HEIGHT_IN: Final = 3.1
SHOWN_MM: Final = 20.0
"""Above this much room the plot does not tell more from less."""
NARROW_SHARE: Final = 0.07
"""A stretch shorter than this share of the plot's width has its name above it turned upright."""


def clearance_picture(needle: PlannedNeedle, margin_mm: float) -> Picture:
    """The free distance from the needle's surface along the way, with the nearest structure named."""
    way = needle.way
    depth, free = way.clearance.depth_mm, way.clearance.free_mm
    top = float(min(SHOWN_MM, max(6.0, 1.15 * float(np.nanmax(free))))) if len(free) else SHOWN_MM
    low = min(-1.0, float(np.nanmin(free)) - 0.5) if len(free) else -1.0
    with mpl.rc_context(STYLE):
        figure = blank(WIDTH_IN, HEIGHT_IN)
        axes = figure.add_axes((0.07, (FOOT_IN + 0.45) / HEIGHT_IN, 0.91, 1 - (FOOT_IN + 1.0) / HEIGHT_IN))
        axes.set_facecolor("none")
        axes.axhspan(low, 0.0, color="#8f3b00", alpha=0.16, linewidth=0)
        axes.axhspan(0.0, margin_mm, color="#E69F00", alpha=0.16, linewidth=0)
        axes.axhline(0.0, color="#8f3b00", linewidth=1.0)
        axes.axhline(margin_mm, color="#c77700", linewidth=0.8, linestyle=(0, (4, 3)))
        colour = NEEDLE_COLOURS[needle.key]
        axes.plot(depth, np.minimum(free, top), color=colour, linewidth=2.2, solid_capstyle="round")
        _name_nearest(axes, needle, top)
        for mark in depth_marks(way):
            axes.axvline(mark.depth_mm, color=INK, linewidth=0.8, alpha=0.5)
            axes.text(
                mark.depth_mm,
                top + 0.02 * (top - low),
                f"{mark.words}\n{mark.depth_mm:.0f}",
                ha="center",
                va="bottom",
                fontsize=9.0,
                color=INK,
                linespacing=1.05,
            )
        if len(free):
            k = int(np.nanargmin(free))
            axes.plot([depth[k]], [free[k]], "o", ms=6, mfc="#ffffff", mec=colour, mew=1.8, zorder=5)
            right = depth[k] < depth[0] + 0.6 * (depth[-1] - depth[0])
            axes.annotate(
                f"least {free[k]:.1f} mm, to the {way.clearance.nearest[k]}",
                (float(depth[k]), float(free[k])),
                (9 if right else -9, -3),
                textcoords="offset points",
                ha="left" if right else "right",
                va="top",
                fontsize=9.5,
                fontweight="bold",
                color=INK,
                path_effects=halo("#ffffff", 3.0),
                zorder=6,
            )
        axes.set_xlim(float(depth[0]) - 1.5, float(depth[-1]) + 1.5) if len(depth) else None
        axes.set_ylim(low, top)
        from_where = "skin" if way.skin_mm is not None else "bone"
        axes.set_xlabel(f"mm along the needle from the {from_where}", color=INK)
        axes.set_ylabel("free, mm", color=INK)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        write_research_use(figure)
    caption = (
        f"{needle.words[0].upper()}{needle.words[1:]}: free distance from the needle's surface to the "
        "nearest structure that it must not touch. Dashed line and the band under it: the margin of "
        f"{margin_mm:.1f} mm; below the zero line the needle would be inside. Distances beyond {top:.0f} mm "
        "are drawn there."
    )
    return Picture(figure, caption, caption, WIDTH_IN)


def _name_nearest(axes: Axes, needle: PlannedNeedle, top: float) -> None:
    """A bar along the plot's upper edge that names what is nearest on each stretch."""
    depth, nearest = needle.way.clearance.depth_mm, needle.way.clearance.nearest
    if not len(depth):
        return
    span = float(depth[-1] - depth[0]) or 1.0
    for shade, (name, group) in enumerate(groupby(range(len(nearest)), key=lambda k: nearest[k])):
        stretch = list(group)
        begin = float(depth[stretch[0]])
        end = float(depth[min(stretch[-1] + 1, len(depth) - 1)])
        axes.axvspan(
            begin, end, ymin=0.9, ymax=1.0, color=FAINT, alpha=0.2 if shade % 2 else 0.1, linewidth=0
        )
        narrow = (end - begin) / span < NARROW_SHARE * max(1.0, len(name) / 9.0)
        axes.annotate(
            name,
            ((begin + end) / 2, top * (0.9 if narrow else 1.0)),
            (0, -3),
            textcoords="offset points",
            ha="center",
            va="top",
            rotation=90 if narrow else 0,
            fontsize=8.5,
            color=FAINT,
        )
