"""The plan for a revision on the curved sagittal cut: laminae and durotomy behind the canal."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from thecal.anatomy.spine import Spine
from thecal.leakage.revision.plan_value import RevisionPlan
from thecal.report.cuts import SagittalView
from thecal.report.drawing import halo
from thecal.volume import FloatArray

LAMINA_BEHIND_MM = 13.0
LAMINA_COLOUR = "#F0E442"
DUROTOMY_COLOUR = "#FF8FC7"
PLAN_SAID = (
    "Of the plan to discuss: the yellow bars behind the canal are the laminae over the fragments and "
    "their margin, the thick pink line on the back of the sac is the durotomy."
)


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
