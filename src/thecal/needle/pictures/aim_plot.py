"""How a plan's outcome changes when the hand errs: the share of each grade."""

from __future__ import annotations

from typing import Final

import matplotlib as mpl
from matplotlib.figure import Figure

from thecal.needle.outputs.needles import NeedleKey, PlannedNeedle
from thecal.needle.pictures.canvas import FOOT_IN, write_research_use
from thecal.needle.pictures.colours import GRADE_COLOURS
from thecal.needle.plan_value import AimShare
from thecal.report.drawing import STYLE, Picture, blank
from thecal.report.palette import INK
from thecal.terms import Grade

WIDTH_IN: Final = 9.8
ROW_IN: Final = 0.44
HEAD_IN: Final = 0.5
LABELLED_SHARE: Final = 0.035
"""A narrower part of a bar is not written on."""
ON_DARK: Final[frozenset[Grade]] = frozenset({"A", "D", "E"})
HATCHES: Final[dict[Grade, str]] = {"A": "", "B": "", "C": "//", "D": "\\\\", "E": "xx"}
"""So that the grades are told apart in grey as well."""


NAMES: Final[dict[NeedleKey, str]] = {"one": "one needle", "left": "left of two", "right": "right of two"}


def aim_picture(needles: tuple[PlannedNeedle, ...]) -> Picture | None:
    """A bar for each aiming error and needle; None where no plan was tried with errors."""
    rows = [(needle, aim) for needle in needles for aim in needle.way.aim]
    if not rows:
        return None
    height_in = HEAD_IN + FOOT_IN + ROW_IN * len(rows)
    with mpl.rc_context(STYLE):
        figure = blank(WIDTH_IN, height_in)
        axes = figure.add_axes((0.33, FOOT_IN / height_in, 0.47, ROW_IN * len(rows) / height_in))
        for k, (needle, aim) in enumerate(rows):
            y = -float(k)
            start = 0.0
            for grade, colour in GRADE_COLOURS.items():
                share = aim.grades.get(grade, 0.0)
                if share <= 0.0:
                    continue
                axes.barh(
                    y, share, left=start, height=0.66, color=colour, hatch=HATCHES[grade], edgecolor="#ffffff"
                )
                if share >= LABELLED_SHARE:
                    axes.text(
                        start + share / 2,
                        y,
                        grade,
                        ha="center",
                        va="center",
                        fontsize=9.5,
                        fontweight="bold",
                        color="#ffffff" if grade in ON_DARK else INK,
                    )
                start += share
            who = f"{NAMES[needle.key]}: " if len(needles) > 1 else ""
            axes.text(-0.015, y, f"{who}{error_words(aim)}", ha="right", va="center", fontsize=9.5, color=INK)
            axes.text(
                1.015, y, f"{safe_words(aim)} safe", ha="left", va="center", fontsize=10.5, fontweight="bold"
            )
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(-len(rows) + 0.5, 0.5)
        axes.set_axis_off()
        _legend(figure, height_in)
        write_research_use(figure)
    trials = rows[0][1].trials
    caption = (
        f"Grades (Gertzbein-Robbins) among {trials} tries of each plan with the stated errors of entry and "
        "direction, one standard deviation. Safe: the tip stays in the bone, and neither canal nor root nor "
        "lung, gas or great vessel is touched, as far as they are known. It says what an error of the hand "
        "would do to this plan if the anatomy is as it was found; not how often hands err."
    )
    return Picture(figure, caption, caption, WIDTH_IN)


def error_words(aim: AimShare) -> str:
    """An aiming error in words."""
    return f"entry ± {aim.entry_sd_mm:g} mm, direction ± {aim.angle_sd_deg:g}°"


def safe_words(aim: AimShare) -> str:
    """The share of safe outcomes, never rounded up to all."""
    percent = 100.0 * aim.safe
    if percent >= 99.5 and aim.safe < 1.0:
        return "over 99 %"
    return f"{percent:.0f} %" if aim.safe < 1.0 else f"{aim.trials} of {aim.trials}"


def _legend(figure: Figure, height_in: float) -> None:
    meanings: dict[Grade, str] = {
        "A": "no breach",
        "B": "under 2 mm",
        "C": "under 4 mm",
        "D": "under 6 mm",
        "E": "6 mm and more",
    }
    x = 0.33
    for grade, meaning in meanings.items():
        figure.patches.append(
            mpl.patches.Rectangle(
                (x, 1 - 0.26 / height_in),
                0.014,
                0.13 / height_in,
                facecolor=GRADE_COLOURS[grade],
                edgecolor="#ffffff",
                hatch=HATCHES[grade],
                transform=figure.transFigure,
                figure=figure,
            )
        )
        figure.text(
            x + 0.018, 1 - 0.195 / height_in, f"{grade} {meaning}", fontsize=8.5, va="center", color=INK
        )
        x += 0.035 + 0.0073 * (len(meaning) + 2)
