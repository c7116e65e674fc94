"""A needle as it was put beside the needle as planned, on two cuts of the plan's CT."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.needles import PlannedNeedle, direction, needles_of, start_mm
from thecal.needle.pictures.along_needle import (
    WIDTH_IN,
    cut_pair,
    cuts_along,
    draw_cut,
    on_cut,
    outline_words,
)
from thecal.needle.pictures.canvas import draw_needle, write_research_use
from thecal.needle.pictures.colours import EXECUTED, NEEDLE_COLOURS
from thecal.needle.pictures.kept_away import KeptAway
from thecal.needle.plan_value import ExecutedNeedle, LevelPlan
from thecal.report.cuts import Cut
from thecal.report.drawing import STYLE, Picture, halo
from thecal.terms import vertebra_name
from thecal.volume import FloatArray, Volume

HUB_MM: Final = 35.0
WORD_MM: Final = 5.0


def planned_for(needle: ExecutedNeedle, plan: LevelPlan | None) -> PlannedNeedle | None:
    """The planned needle that one was held against; None where there is none."""
    if plan is None or needle.against is None:
        return None
    key = "one" if needle.against == "single" else needle.against
    return next((planned for planned in needles_of(plan) if planned.key == key), None)


def audit_picture(
    volume: Volume,
    spine: Spine,
    vertebra: Vertebra,
    plan: LevelPlan | None,
    needle: ExecutedNeedle,
    others: tuple[KeptAway, ...] = (),
) -> Picture:
    """Both needles on the cuts that hold the planned one; on its own where nothing was planned.

    What does not lie in the plane is shown as seen at right angles to it.
    """
    planned = planned_for(needle, plan)
    entry, tip = np.asarray(needle.entry_mm, float), np.asarray(needle.tip_mm, float)
    along = (tip - entry) / np.linalg.norm(tip - entry)
    if planned is None:
        cuts = cuts_along(vertebra, entry, tip)
    else:
        cuts = cuts_along(vertebra, start_mm(planned.way), np.asarray(planned.way.tip_mm, float))
    names: list[str] = []
    with mpl.rc_context(STYLE):
        figure, pair = cut_pair(cuts)
        for axes, cut, corners in zip(pair, cuts, (("R", "L"), ("front", "back")), strict=True):
            names += draw_cut(axes, cut, volume, spine, others, corners)
            if planned is not None:
                way = planned.way
                back = start_mm(way) - HUB_MM * direction(way)
                ends = on_cut(cut, back), on_cut(cut, np.asarray(way.tip_mm, float))
                draw_needle(axes, *ends, (way.gauge.outer_mm,) * 2, NEEDLE_COLOURS[planned.key], filled=0.75)
            ends = on_cut(cut, entry - HUB_MM * along), on_cut(cut, tip)
            draw_needle(axes, *ends, (needle.outer_mm,) * 2, EXECUTED, filled=0.0, zorder=6.0)
            _name_tips(axes, cut, needle, planned)
        write_research_use(figure)
    name = vertebra_name(needle.level, needle.vertebra_id)
    which = (
        f"Filled: the needle as planned ({planned.words}). Open: as it was put"
        if planned is not None
        else "Open: the needle as it was put; nothing was planned here"
    )
    caption = (
        f"{name[0].upper()}{name[1:]}, {needle.side}. {which}, laid over the CT that was planned on by the "
        "bone itself and seen at right angles to each cut; the cuts hold the "
        f"{'planned' if planned is not None else 'executed'} needle. {outline_words(names)}"
    )
    return Picture(figure, caption, caption, WIDTH_IN)


def _name_tips(axes: Axes, cut: Cut, needle: ExecutedNeedle, planned: PlannedNeedle | None) -> None:
    """Words beside both tips, each on its own side."""
    tip = on_cut(cut, np.asarray(needle.tip_mm, float))
    other = tip if planned is None else on_cut(cut, np.asarray(planned.way.tip_mm, float))
    right = 1.0 if tip[0] >= other[0] else -1.0
    _word(axes, tip, right, "as put", EXECUTED)
    if planned is not None:
        _word(axes, other, -right, "planned", NEEDLE_COLOURS[planned.key])


def _word(axes: Axes, at: FloatArray, side: float, text: str, colour: str) -> None:
    axes.text(
        float(at[0]) + side * WORD_MM,
        float(at[1]) + WORD_MM / 2,
        text,
        color="#ffffff",
        fontsize=10.0,
        fontweight="bold",
        ha="left" if side > 0 else "right",
        va="bottom",
        path_effects=[*halo(colour, 5.0)[:1], *halo(width=2.5)],
        zorder=9.0,
    )
