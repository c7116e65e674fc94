"""The plan for a revision on the curved sagittal cut: laminae, durotomy, and the levels to fix."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.revision.plan_value import Fragment, RevisionPlan
from thecal.report.cuts import SagittalView
from thecal.report.drawing import halo
from thecal.volume import FloatArray

LAMINA_BEHIND_MM = 13.0
# None of these is the colour of a compartment.
LAMINA_COLOUR: Final = "#A8E05F"
DUROTOMY_COLOUR: Final = "#8A4FFF"
FIXATION_COLOUR: Final = "#35E0E6"
PLAN_SAID: Final = (
    "Of the plan to discuss: the light green bars behind the canal are the laminae over the fragments and "
    "their margin, the thick violet line on the back of the sac is the durotomy"
)
FIXATION_SAID: Final = (
    ", and turquoise names are the levels to fix, with the width of their left and right pedicle in mm (a "
    "dash: not measured)"
)


def plan_words(plan: RevisionPlan) -> str:
    """What the marks on the sagittal cut are."""
    return PLAN_SAID + (FIXATION_SAID if plan.pedicles else "") + "."


def opened_stretches(plan: RevisionPlan) -> list[tuple[float, float]]:
    """What is uncovered along the canal: the fragments with their margin, joined where they meet, mm."""
    stretches: list[tuple[float, float]] = []
    for low, high in sorted(_with_margin(f, plan.margin_mm) for f in plan.fragments):
        if stretches and low <= stretches[-1][1]:
            stretches[-1] = (stretches[-1][0], max(high, stretches[-1][1]))
        else:
            stretches.append((low, high))
    return stretches


def draw_plan(axes: Axes, spine: Spine, view: SagittalView, plan: RevisionPlan) -> None:
    """Bars for the laminae, and a thick line on the back of the sac for the durotomy.

    Parameters
    ----------
    axes : Axes
        In the view's mm.
    spine : Spine
    view : SagittalView
    plan : RevisionPlan
    """
    bottom, top = axes.get_ylim()
    for lamina in plan.laminae:
        line = _behind(spine, view, lamina.from_mm, lamina.to_mm, spine.canal.wall_mm, LAMINA_BEHIND_MM)
        _stroke(axes, line, LAMINA_COLOUR, 3.2, bottom, top)
    if plan.durotomy is not None:
        line = _behind(spine, view, plan.durotomy.from_mm, plan.durotomy.to_mm, spine.canal.sac_mm, 0.0)
        _stroke(axes, line, DUROTOMY_COLOUR, 3.6, bottom, top)


def pedicle_widths(plan: RevisionPlan, number: int) -> str | None:
    """The widths of a vertebra's pedicles, such as "L 8.1, R –"; None where it is not to be fixed."""
    widths = {p.side: p.width_mm for p in plan.pedicles if p.vertebra_id == number}
    if not widths:
        return None
    known = {side: "–" if width is None else f"{width:.1f}" for side, width in widths.items()}
    return f"L {known.get('left', '–')}, R {known.get('right', '–')}"


def _with_margin(fragment: Fragment, margin_mm: float) -> tuple[float, float]:
    return fragment.from_mm - margin_mm, fragment.to_mm + margin_mm


def _stroke(axes: Axes, line: FloatArray, colour: str, width: float, bottom: float, top: float) -> None:
    inside = (line[:, 1] > bottom) & (line[:, 1] < top)
    axes.plot(
        line[inside, 0],
        line[inside, 1],
        color=colour,
        linewidth=width,
        solid_capstyle="butt",
        path_effects=halo(width=width + 1.6),
    )


def _behind(
    spine: Spine, view: SagittalView, from_mm: float, to_mm: float, radii: FloatArray, further_mm: float
) -> FloatArray:
    """A line behind a surface of the canal, from one arc length to another, (n, 2) in the picture."""
    canal = spine.canal
    rows = np.arange(int(canal.frame.index(from_mm)), int(canal.frame.index(to_mm)) + 1)
    column = int(np.argmax(np.abs(canal.theta)))
    reach = radii[rows, column] + further_mm
    return view.place(canal.frame.points[rows] + reach[:, None] * canal.frame.posterior[rows])
