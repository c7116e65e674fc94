"""The pedicles at their smallest section, with the needle in each: how much room there is."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.needles import PlannedNeedle, level_words, needles_of
from thecal.needle.pictures.canvas import (
    FOOT_IN,
    draw_ring,
    trace,
    write_corner,
    write_research_use,
    write_title,
)
from thecal.needle.pictures.colours import MEDIAL_LINE, NEEDLE_COLOURS
from thecal.needle.pictures.kept_away import outlines_on
from thecal.needle.plan_value import Corridor, LevelPlan
from thecal.report.cuts import Cut
from thecal.report.drawing import STYLE, Picture, blank, scale_bar, show_ct
from thecal.volume import FloatArray, Volume

WIDTH_IN: Final = 9.8
TITLE_IN: Final = 0.3
HALF_MM: Final = (21.0, 15.0)
"""Half width and half height of each section."""
STEP_MM: Final = 0.2
GAP_MM: Final = 1.5
LEAST_TOWARDS: Final = 0.3
"""A needle that runs more across the section than this is not drawn in it."""


def pedicle_picture(volume: Volume, spine: Spine, vertebra: Vertebra, plan: LevelPlan) -> Picture | None:
    """A section for each pedicle that was measured; None where none was.

    At right angles to the pedicle at its isthmus, seen from behind: her left on the left.
    """
    corridors = [a.corridor for a in plan.sides if a.corridor is not None]
    if not corridors:
        return None
    total = len(corridors) * 2 * HALF_MM[0] + (len(corridors) - 1) * GAP_MM
    width_in = WIDTH_IN if len(corridors) > 1 else WIDTH_IN / 2
    tall_in = width_in * 2 * HALF_MM[1] / total
    height_in = tall_in + TITLE_IN + FOOT_IN
    with mpl.rc_context(STYLE):
        figure = blank(width_in, height_in)
        for k, corridor in enumerate(corridors):
            start = k * (2 * HALF_MM[0] + GAP_MM) / total
            axes = figure.add_axes((start, FOOT_IN / height_in, 2 * HALF_MM[0] / total, tall_in / height_in))
            cut = isthmus_cut(vertebra, corridor)
            _draw(axes, cut, volume, spine, corridor, needles_of(plan))
            left, right, bottom, top = cut.extent
            axes.set_xlim(left, right)
            axes.set_ylim(bottom, top)
            axes.set_axis_off()
            title = (
                f"{corridor.side} pedicle: {corridor.width_mm:.1f} mm wide, {corridor.height_mm:.1f} mm high"
            )
            write_title(axes, title[0].upper() + title[1:], left, top)
            for x, word, side in ((left + 1.2, "L", "left"), (right - 1.2, "R", "right")):
                write_corner(axes, x, top - 1.2, word, ha=side, va="top")
            scale_bar(axes, left + 1.5, bottom + 1.5, 5)
        write_research_use(figure)
    caption = (
        f"{level_words(plan)[0].upper()}{level_words(plan)[1:]}: each pedicle cut at right angles to itself "
        "where it is smallest, seen from behind, her left on the left. Yellow: its outline as found. Rings: "
        "the needles where they pass this section, at their true width. Solid white: wall of the canal; "
        "dashed white: thecal sac, an estimate."
    )
    return Picture(figure, caption, caption, width_in)


def isthmus_cut(vertebra: Vertebra, corridor: Corridor) -> Cut:
    """The plane normal to a pedicle's axis at its isthmus; right in the picture is her right, up her head."""
    up = vertebra.frame.cranial - (vertebra.frame.cranial @ corridor.axis) * corridor.axis
    up = up / np.linalg.norm(up)
    right = np.cross(corridor.axis, up)
    across = np.arange(-HALF_MM[0], HALF_MM[0] + STEP_MM / 2, STEP_MM)
    heights = np.arange(HALF_MM[1], -HALF_MM[1] - STEP_MM / 2, -STEP_MM)
    middle = np.asarray(corridor.isthmus_mm, float)
    points = middle + across[None, :, None] * right + heights[:, None, None] * up
    return Cut(points, across, heights)


def passes_at(cut: Cut, needle: PlannedNeedle) -> FloatArray | None:
    """Where a needle's axis meets the plane of a cut, (across, up) mm; None where it runs beside it."""
    origin = cut.points[0, 0]
    across = cut.points[0, 1] - origin
    down = cut.points[1, 0] - origin
    normal = np.cross(across, down)
    normal = normal / np.linalg.norm(normal)
    entry, tip = np.asarray(needle.way.entry_mm, float), np.asarray(needle.way.tip_mm, float)
    along = (tip - entry) / np.linalg.norm(tip - entry)
    towards = float(along @ normal)
    if abs(towards) < LEAST_TOWARDS:
        return None
    offset = entry + along * float((origin - entry) @ normal) / towards - origin
    x = cut.across[0] + float(offset @ across) / float(np.linalg.norm(across))
    y = cut.up[0] - float(offset @ down) / float(np.linalg.norm(down))
    return np.array([x, y])


def _draw(
    axes: Axes,
    cut: Cut,
    volume: Volume,
    spine: Spine,
    corridor: Corridor,
    needles: tuple[PlannedNeedle, ...],
) -> None:
    show_ct(axes, cut, volume)
    for name, look, lines in outlines_on(cut, spine):
        if name in ("canal wall", "sac"):
            for line in lines:
                trace(axes, np.stack(line, axis=1), look.colour, look.dashes, width=look.width)
    outline = np.array([_on(cut, point) for point in corridor.outline])
    trace(axes, np.concatenate([outline, outline[:1]]), MEDIAL_LINE, width=1.2)
    for needle in needles:
        if needle.way.side == corridor.side:
            at = passes_at(cut, needle)
            if at is not None:
                draw_ring(axes, at, needle.way.gauge.outer_mm / 2, NEEDLE_COLOURS[needle.key])


def _on(cut: Cut, point: FloatArray) -> FloatArray:
    offset = np.asarray(point, float) - cut.points[0, 0]
    across = (cut.points[0, 1] - cut.points[0, 0]) / (cut.across[1] - cut.across[0])
    up = (cut.points[0, 0] - cut.points[1, 0]) / (cut.up[0] - cut.up[1])
    return np.array([cut.across[0] + offset @ across, cut.up[0] + offset @ up])
