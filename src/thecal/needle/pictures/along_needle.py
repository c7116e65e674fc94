"""Two cuts that hold the whole needle: as near to axial and as near to sagittal as it allows."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.needles import PlannedNeedle, at_depth, depth_marks, level_words, start_mm
from thecal.needle.pictures.canvas import (
    FOOT_IN,
    draw_needle,
    draw_tick,
    trace,
    write_corner,
    write_research_use,
    write_title,
)
from thecal.needle.pictures.colours import NEEDLE_COLOURS
from thecal.needle.pictures.kept_away import KeptAway, outlines_on
from thecal.needle.plan_value import LevelPlan, Trajectory
from thecal.report.cuts import Cut
from thecal.report.drawing import STYLE, Picture, blank, halo, scale_bar, show_ct
from thecal.volume import FloatArray, Volume

WIDTH_IN: Final = 9.8
TITLE_IN: Final = 0.3
GAP_MM: Final = 4.0
STEP_MM: Final = 0.4
ASIDE_MM: Final = 40.0
"""The vertebra with its transverse processes."""
AROUND_MM: Final = 10.0
"""Beyond the needle's start."""
WORDS_MM: Final = 24.0
"""Beside the needle's start, for what is written there."""
LEAST_BACK_MM: Final = 55.0
"""Behind the posterior wall, also where the needle begins sooner: the spinous process."""
BODY_MM: Final = 45.0
"""Before the posterior wall: the deepest bodies and what lies before them."""
TALLEST_MM: Final = 170.0
LEAST_AHEAD: Final = 0.2
"""A way that leads forward by less meets the posterior wall nowhere near."""


def needle_cuts(vertebra: Vertebra, way: Trajectory) -> tuple[Cut, Cut]:
    """The cuts along a planned needle, see ``cuts_along``."""
    return cuts_along(vertebra, start_mm(way), np.asarray(way.tip_mm, float))


def cuts_along(vertebra: Vertebra, start: FloatArray, tip: FloatArray) -> tuple[Cut, Cut]:
    """The axial-oblique and the sagittal-oblique cut through a straight way, LPS mm.

    (0, 0) is where it meets the plane of the posterior wall. The first holds the needle and the vertebra's
    left: her left is on the right of the picture, the front on top. The second holds the needle and the
    vertebra's axis: the front is on the left, the head on top. The needle lies in both at its true length.
    """
    frame = vertebra.frame
    along = (tip - start) / np.linalg.norm(tip - start)
    ahead = max(float(along @ frame.anterior), LEAST_AHEAD)
    origin = tip - along * float((tip - frame.origin) @ frame.anterior) / ahead
    begin = start - origin
    forward = _rest(along, frame.left)
    aside = float(begin @ frame.left)
    back = min(max(LEAST_BACK_MM, -float(begin @ forward) + AROUND_MM), TALLEST_MM - BODY_MM)
    middle = float((frame.origin - origin) @ frame.left)
    low = min(middle - ASIDE_MM, aside - WORDS_MM)
    high = max(middle + ASIDE_MM, aside + WORDS_MM)
    axial = _cut(origin, frame.left, forward, (low, high), (-back, BODY_MM))
    front = _rest(along, frame.cranial)
    rear = min(max(LEAST_BACK_MM, -float(begin @ front) + AROUND_MM), TALLEST_MM - BODY_MM)
    half = (BODY_MM + back) / 2
    sagittal = _cut(origin, -front, frame.cranial, (-BODY_MM, rear), (-half, half))
    return axial, sagittal


def along_needle_picture(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    plan: LevelPlan,
    needle: PlannedNeedle,
    others: tuple[KeptAway, ...] = (),
) -> Picture:
    """Both cuts side by side, the needle at its true width with its depth marks."""
    cuts = needle_cuts(vertebra, needle.way)
    names: list[str] = []
    with mpl.rc_context(STYLE):
        figure, pair = cut_pair(cuts)
        for axes, cut, corners in zip(pair, cuts, (("R", "L"), ("front", "back")), strict=True):
            names += draw_cut(axes, cut, volume, spine, others, corners)
            draw_planned(axes, cut, needle)
        write_research_use(figure)
    caption = (
        f"{level_words(plan)[0].upper()}{level_words(plan)[1:]}, {needle.words}: cuts that hold the whole "
        "needle, drawn at its true width. On the left nearly axial, seen from the feet, her right on the "
        "left; on the right nearly sagittal, the front on the left. Marks are mm along the needle from "
        f"{'the skin' if needle.way.skin_mm is not None else 'the bone: the scan does not reach the skin'}. "
        f"{outline_words(names)} Black: not in the scan."
    )
    return Picture(figure, caption, caption, WIDTH_IN)


def cut_pair(cuts: tuple[Cut, Cut]) -> tuple[mpl.figure.Figure, list[Axes]]:
    """A figure with both cuts at one scale, each with its title."""
    spans = [(c.extent[1] - c.extent[0], c.extent[3] - c.extent[2]) for c in cuts]
    total = spans[0][0] + spans[1][0] + GAP_MM
    tall_in = WIDTH_IN * max(spans[0][1], spans[1][1]) / total
    height_in = tall_in + TITLE_IN + FOOT_IN
    figure = blank(WIDTH_IN, height_in)
    pair, start = [], 0.0
    titles = ("Along the needle, nearly axial", "Along the needle, nearly sagittal")
    for cut, (wide, high), title in zip(cuts, spans, titles, strict=True):
        tall = WIDTH_IN * high / total / height_in
        axes = figure.add_axes((start / total, FOOT_IN / height_in, wide / total, tall))
        left, right, bottom, top = cut.extent
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        axes.set_axis_off()
        write_title(axes, title, left, top)
        pair.append(axes)
        start += wide + GAP_MM
    return figure, pair


def draw_cut(
    axes: Axes,
    cut: Cut,
    volume: Volume,
    spine: Spine,
    others: tuple[KeptAway, ...],
    corners: tuple[str, str],
) -> list[str]:
    """Draw the CT on a cut, outlines of what is kept away from, and the corners' words; the names."""
    show_ct(axes, cut, volume)
    left, right, bottom, top = cut.extent
    axes.set_xlim(left, right)
    axes.set_ylim(bottom, top)
    names = []
    for name, look, lines in outlines_on(cut, spine, others):
        names.append(name)
        for line in lines:
            if name == "bone":
                axes.plot(*line, color=look.colour, linewidth=look.width, alpha=0.55)
            else:
                trace(axes, np.stack(line, axis=1), look.colour, look.dashes, width=look.width)
    for x, word, side in ((left + 3.0, corners[0], "left"), (right - 3.0, corners[1], "right")):
        write_corner(axes, x, top - 3.0, word, ha=side, va="top")
    scale_bar(axes, left + 4.0, bottom + 3.5, 20)
    return names


def draw_planned(axes: Axes, cut: Cut, needle: PlannedNeedle) -> None:
    """The needle with its depth marks on a cut that holds it."""
    way, colour = needle.way, NEEDLE_COLOURS[needle.key]
    start, tip = on_cut(cut, at_depth(way, -HUB_MM)), on_cut(cut, at_depth(way, way.tip_depth_mm))
    draw_needle(axes, start, tip, (way.gauge.outer_mm,) * 2, colour, filled=0.75)
    left, right, bottom, top = cut.extent
    along = tip - start
    upright = abs(along[1]) > abs(along[0])
    for k, mark in enumerate(depth_marks(way)):
        at = on_cut(cut, mark.at_mm)
        if not (left < at[0] < right and bottom < at[1] < top):
            continue
        draw_tick(axes, at, along, TICK_MM, colour)
        text = f"{mark.words} {mark.depth_mm:.0f}"
        # Beside the needle, on the side where its way back is not; else above and below it by turns.
        if upright:
            away = 1.0 if along[0] <= 0 else -1.0
            place, ha, va = (at[0] + away * WORD_MM, at[1]), "left" if away > 0 else "right", "center"
        else:
            above = k % 2 == 1
            place, ha = (at[0], at[1] + (WORD_MM if above else -WORD_MM)), "center"
            va = "bottom" if above else "top"
        axes.text(
            *place,
            text,
            color="#ffffff",
            fontsize=9.0,
            ha=ha,
            va=va,
            path_effects=halo(width=2.8),
            zorder=8.0,
        )


HUB_MM: Final = 30.0
TICK_MM: Final = 3.2
WORD_MM: Final = 4.6


def on_cut(cut: Cut, point: FloatArray) -> FloatArray:
    """Where an LPS point falls on a plane cut, (across, up) mm, looking at right angles to it."""
    rows, columns = len(cut.up) - 1, len(cut.across) - 1
    across = (cut.points[0, columns] - cut.points[0, 0]) / (cut.across[columns] - cut.across[0])
    up = (cut.points[0, 0] - cut.points[rows, 0]) / (cut.up[0] - cut.up[rows])
    offset = np.asarray(point, float) - cut.points[0, 0]
    return np.array([cut.across[0] + offset @ across, cut.up[0] + offset @ up])


def outline_words(names: list[str]) -> str:
    """What the lines on a cut are."""
    said = {
        "canal wall": "solid white: wall of the canal",
        "sac": "dashed white: thecal sac, an estimate",
        "root in the foramen": "dotted orange: foramina with their roots",
        "aorta": "dashed red: aorta or another great vessel",
        "lung": "dashed blue: lung",
        "gas in the body": "dotted blue: gas in the body",
        "cement or metal": "dashed pink: cement or metal that is there already",
    }
    words = [text for name, text in said.items() if name in names]
    if not words:
        return ""
    joined = "; ".join([*words, "thin grey: bone as labelled"])
    return f"{joined[0].upper()}{joined[1:]}."


def _rest(vector: FloatArray, without: FloatArray) -> FloatArray:
    """The unit vector along what is left of a vector without its part along another."""
    flat = vector - (vector @ without) * without
    unit: FloatArray = flat / np.linalg.norm(flat)
    return unit


def _cut(
    origin: FloatArray,
    right: FloatArray,
    top: FloatArray,
    across_mm: tuple[float, float],
    up_mm: tuple[float, float],
) -> Cut:
    across = np.arange(across_mm[0], across_mm[1] + STEP_MM / 2, STEP_MM)
    up = np.arange(up_mm[1], up_mm[0] - STEP_MM / 2, -STEP_MM)
    points = origin + across[None, :, None] * right + up[:, None, None] * top
    return Cut(points, across, up)
