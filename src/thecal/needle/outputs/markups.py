"""Planned needles as 3D Slicer markups: ``.mrk.json``, schema 1.0.3 of the Slicer project."""

from __future__ import annotations

import json
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from thecal.needle.outputs.needles import PlannedNeedle, depth_marks, level_words, needles_of, start_mm
from thecal.needle.pictures.colours import NEEDLE_COLOURS, rgb
from thecal.needle.plan_value import LevelPlan
from thecal.terms import RESEARCH_USE

SCHEMA: Final = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
DIGITS: Final = 3
"""Of a position: micrometres."""


def markups_text(plan: LevelPlan) -> str | None:
    """A line for each needle, and points for its skin, bone, posterior wall and tip; None without a needle.

    Positions are LPS mm, so that Slicer puts them where the CT lies.
    """
    needles = needles_of(plan)
    if not needles:
        return None
    made = [markup for needle in needles for markup in _of_needle(plan, needle)]
    return json.dumps({"@schema": SCHEMA, "markups": made}, indent=1) + "\n"


def _of_needle(plan: LevelPlan, needle: PlannedNeedle) -> list[dict[str, Any]]:
    name = f"{level_words(plan)} {needle.words}"
    way = needle.way
    ends = [
        _point(1, "skin" if way.skin_mm is not None else "bone", "", start_mm(way)),
        _point(2, "tip", "", way.tip_mm),
    ]
    marks = [
        _point(
            k, f"{mark.words} {mark.depth_mm:.0f} mm", f"{mark.depth_mm:.1f} mm along the needle", mark.at_mm
        )
        for k, mark in enumerate(depth_marks(way), start=1)
    ]
    colour = rgb(NEEDLE_COLOURS[needle.key])
    # A line's thickness is a share of the glyphs' size, which is then in mm.
    line_look = _display(colour, glyph=1.0) | {
        "useGlyphScale": False,
        "glyphSize": way.gauge.outer_mm,
        "lineThickness": 1.0,
        "propertiesLabelVisibility": True,
        "pointLabelsVisibility": False,
    }
    return [
        _markup("Line", name, ends, line_look),
        _markup("Fiducial", f"{name}: depth marks", marks, _display(colour, glyph=2.0)),
    ]


def _markup(kind: str, name: str, points: list[dict[str, Any]], display: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        # A plan is looked at, not dragged by accident.
        "locked": True,
        "fixedNumberOfControlPoints": True,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        "controlPoints": points,
        "measurements": [],
        "display": display,
    }


def _point(number: int, label: str, description: str, at: npt.ArrayLike) -> dict[str, Any]:
    return {
        "id": str(number),
        "label": label,
        "description": f"{description}. {RESEARCH_USE}".removeprefix(". "),
        "associatedNodeID": "",
        "position": [round(float(x), DIGITS) for x in np.asarray(at, float)],
        "orientation": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "selected": True,
        "locked": True,
        "visibility": True,
        "positionStatus": "defined",
    }


def _display(colour: tuple[float, float, float], *, glyph: float) -> dict[str, Any]:
    return {
        "visibility": True,
        "opacity": 1.0,
        "color": list(colour),
        "selectedColor": list(colour),
        "propertiesLabelVisibility": False,
        "pointLabelsVisibility": True,
        "textScale": 2.5,
        "glyphType": "Sphere3D",
        "glyphScale": glyph,
        "sliceProjection": True,
    }
