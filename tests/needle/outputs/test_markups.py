"""The Slicer file: fields of the published schema 1.0.3, and points where the CT has them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from thecal.needle.outputs.markups import SCHEMA, markups_text
from thecal.needle.outputs.needles import depth_marks, needles_of, start_mm
from thecal.terms import RESEARCH_USE

TYPES = {"Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI"}
DISPLAY = {"visibility", "opacity", "color", "selectedColor", "activeColor", "propertiesLabelVisibility",
           "pointLabelsVisibility", "textScale", "glyphType", "glyphScale", "glyphSize", "useGlyphScale",
           "sliceProjection", "lineThickness"}  # fmt: skip
GLYPHS = {"Vertex2D", "Dash2D", "Cross2D", "ThickCross2D", "Triangle2D", "Square2D", "Circle2D", "Diamond2D",
          "Arrow2D", "ThickArrow2D", "HookedArrow2D", "StarBurst2D", "Sphere3D", "Diamond3D"}  # fmt: skip


@pytest.fixture(scope="module")
def said(case):
    return json.loads(markups_text(case.plan))


def test_every_field_has_the_type_that_slicer_reads(said):
    assert said["@schema"] == SCHEMA
    for markup in said["markups"]:
        assert markup["type"] in TYPES
        assert markup["coordinateSystem"] == "LPS"
        assert markup["coordinateUnits"] == "mm"
        assert isinstance(markup["name"], str)
        assert markup["locked"] is True
        assert markup["fixedNumberOfControlPoints"] is True
        assert markup["lastUsedControlPointNumber"] == len(markup["controlPoints"])
        for point in markup["controlPoints"]:
            assert isinstance(point["id"], str)
            assert len(point["position"]) == 3
            assert all(isinstance(x, float) for x in point["position"])
            assert len(point["orientation"]) == 9
            assert point["positionStatus"] == "defined"
        look = markup["display"]
        assert set(look) <= DISPLAY
        assert look["glyphType"] in GLYPHS
        assert len(look["color"]) == 3
        assert all(0.0 <= x <= 1.0 for x in look["color"])


def test_each_needle_is_a_line_from_skin_or_bone_to_its_tip(case, said):
    lines = [m for m in said["markups"] if m["type"] == "Line"]
    assert len(lines) == len(needles_of(case.plan)) == 3
    for line, needle in zip(lines, needles_of(case.plan), strict=True):
        ends = [p["position"] for p in line["controlPoints"]]
        np.testing.assert_allclose(ends, [start_mm(needle.way), needle.way.tip_mm], atol=1e-3)
        look = line["display"]
        assert look["useGlyphScale"] is False
        assert look["glyphSize"] * look["lineThickness"] == needle.way.gauge.outer_mm
        assert "T12" in line["name"]


def test_the_depth_marks_are_points_with_their_depth_in_the_name(case, said):
    lists = [m for m in said["markups"] if m["type"] == "Fiducial"]
    for points, needle in zip(lists, needles_of(case.plan), strict=True):
        marks = depth_marks(needle.way)
        labels = [p["label"] for p in points["controlPoints"]]
        assert labels == [f"{m.words} {m.depth_mm:.0f} mm" for m in marks]
        assert all(RESEARCH_USE in p["description"] for p in points["controlPoints"])


def test_where_no_path_is_safe_there_is_nothing_to_open(hopeless):
    assert markups_text(hopeless) is None
