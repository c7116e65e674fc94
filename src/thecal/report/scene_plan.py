"""The plan for a revision in the 3-D view: what is uncovered, the durotomy, the pedicles to fix."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from thecal.anatomy.spine import Canal, Spine
from thecal.leakage.revision.plan_value import PedicleSize, RevisionPlan
from thecal.report.mesh_traces import mesh3d, packed, strip
from thecal.report.revision_marks import (
    DUROTOMY_COLOUR,
    FIXATION_COLOUR,
    LAMINA_COLOUR,
    opened_stretches,
)
from thecal.terms import vertebra_name
from thecal.volume import FloatArray

# Of the canal's back, to either side of the midline.
OPENED_RAD: Final = np.radians(60.0)
BEFORE_LAMINA_MM: Final = 2.0
BEHIND_SAC_MM: Final = 0.6
TO_DISCUSS: Final = "to discuss"


def plan_traces(spine: Spine, plan: RevisionPlan) -> list[dict[str, Any]]:
    """Plotly traces of a plan, LPS mm; each group can be hidden by its name in the legend."""
    return [*_laminae(spine.canal, plan), *_durotomy(spine.canal, plan), *_pedicles(plan)]


def _laminae(canal: Canal, plan: RevisionPlan) -> list[dict[str, Any]]:
    """The back of the canal where a lamina lies over a fragment or its margin."""
    columns = np.flatnonzero(np.abs(canal.theta) >= np.pi - OPENED_RAD)
    # From one side over the back to the other: the angles run from -pi to pi.
    columns = columns[np.argsort(np.mod(canal.theta[columns], 2 * np.pi))]
    traces: list[dict[str, Any]] = []
    for lamina in plan.laminae:
        for low, high in opened_stretches(plan):
            begin, end = max(low, lamina.from_mm), min(high, lamina.to_mm)
            rows = np.arange(int(canal.frame.index(begin)), int(canal.frame.index(end)) + 1)
            if begin >= end or len(rows) < 2:
                continue
            outward = canal.frame.outward(canal.theta[columns])[rows]
            reach = canal.wall_mm[np.ix_(rows, columns)] + BEFORE_LAMINA_MM
            points = canal.frame.points[rows, None] + reach[..., None] * outward
            name = vertebra_name(lamina.level, lamina.vertebra_id)
            hover = f"<b>{TO_DISCUSS}: lamina of {name}</b><br>{100 * lamina.share:.0f} % of its height"
            shown = None if traces else f"{TO_DISCUSS}: laminae"
            mesh = strip(points, closed=False)
            traces.append(mesh3d(mesh, LAMINA_COLOUR, 0.45, hover, group="laminae", shown=shown))
    return traces


def _durotomy(canal: Canal, plan: RevisionPlan) -> list[dict[str, Any]]:
    cut = plan.durotomy
    if cut is None:
        return []
    rows = np.arange(int(canal.frame.index(cut.from_mm)), int(canal.frame.index(cut.to_mm)) + 1)
    column = int(np.argmax(np.abs(canal.theta)))
    reach = canal.sac_mm[rows, column] + BEHIND_SAC_MM
    points = canal.frame.points[rows] + reach[:, None] * canal.frame.posterior[rows]
    words = f"<b>{TO_DISCUSS}: durotomy</b><br>{cut.length_mm:.0f} mm long"
    if cut.from_place and cut.to_place:
        words += f"<br>from behind {cut.to_place}<br>down to behind {cut.from_place}"
    return [
        {
            **_points(points, words, "durotomy", f"{TO_DISCUSS}: durotomy"),
            "mode": "lines",
            "line": {"color": DUROTOMY_COLOUR, "width": 9},
        }
    ]


def _pedicles(plan: RevisionPlan) -> list[dict[str, Any]]:
    traces: list[dict[str, Any]] = []
    for pedicle in plan.pedicles:
        if pedicle.at_mm is None:
            continue
        shown = None if traces else f"{TO_DISCUSS}: pedicles to fix, mm"
        known = pedicle.width_mm is not None
        name = vertebra_name(pedicle.level, pedicle.vertebra_id)
        hover = f"<b>{TO_DISCUSS}: {pedicle.side} pedicle of {name}</b><br>{_size(pedicle)}"
        traces.append(
            {
                **_points(np.array([pedicle.at_mm]), hover, "pedicles", shown),
                "mode": "markers+text",
                "text": [f"{name} {_size(pedicle)}"],
                "textfont": {"color": "#0b6e73", "size": 12},
                "textposition": "middle left" if pedicle.side == "left" else "middle right",
                "marker": {
                    "symbol": "circle" if known else "circle-open",
                    "size": 9,
                    "color": FIXATION_COLOUR,
                },
            }
        )
    return traces


def _size(pedicle: PedicleSize) -> str:
    if pedicle.width_mm is None or pedicle.height_mm is None:
        return "not measured"
    return f"{pedicle.width_mm:.1f} × {pedicle.height_mm:.1f} mm"


def _points(points: FloatArray, hover: str, group: str, shown: str | None) -> dict[str, Any]:
    return {
        "type": "scatter3d",
        **{k: packed(points[:, n], np.float32) for n, k in enumerate("xyz")},
        "hoverinfo": "text",
        "hovertext": hover,
        "legendgroup": group,
        "name": shown or hover,
        "showlegend": shown is not None,
    }
