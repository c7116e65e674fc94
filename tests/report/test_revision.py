"""The plan for a revision in ``report.json`` and on the page."""

from __future__ import annotations

import base64
import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from matplotlib.patches import Ellipse

from thecal.leakage.findings import Leakage
from thecal.leakage.revision.plan import plan_revision
from thecal.leakage.revision.plan_value import PedicleSize
from thecal.report.build import build_report
from thecal.report.dorsal import UNMEASURED_MM
from thecal.report.drawing import Picture
from thecal.report.html import draw_pictures, render_html
from thecal.report.scene import scene_json
from thecal.report.schema import json_schema


@pytest.fixture(scope="module")
def planned(leaking) -> Leakage:
    plan = plan_revision(leaking.spine, leaking.cement, leaking.leakage)
    assert not isinstance(plan, str)
    return replace(leaking.leakage, revision=plan)


def test_the_plan_stands_in_the_report_and_satisfies_the_schema(leaking, planned):
    report = build_report(leaking.volume, leaking.spine, leaking.cement, planned)
    jsonschema.validate(json.loads(report.to_json()), json_schema())
    assert report.revision is not None
    in_canal = {d.id for d in report.deposits if d.compartment in ("intradural", "epidural", "foraminal")}
    assert set(report.revision.fragments) == in_canal
    assert [f.id for f in report.revision.fragment_measures] == report.revision.fragments
    assert len(report.revision.laminectomy_levels) == len(report.revision.laminae)


def test_the_page_says_that_the_plan_is_one_to_discuss_and_draws_it(leaking, planned):
    report = build_report(leaking.volume, leaking.spine, leaking.cement, planned)
    page = render_html(report, leaking.volume, leaking.spine, planned)
    assert "A revision to discuss" in page
    assert "This is a plan to discuss" in page
    assert "the light green bars behind the canal" in page


@pytest.fixture(scope="module")
def fixed(leaking, planned) -> Leakage:
    """The same plan where T12 was broken: both its pedicles, one of them not measured."""
    plan = planned.revision
    assert plan is not None
    frame = next(v.frame for v in leaking.spine.vertebrae if v.level == "T12")
    left, right = (tuple(frame.to_lps([x, -5.0, 5.0]).tolist()) for x in (13.0, -13.0))
    pedicles = (
        PedicleSize("T12", 19, "left", 7.2, 15.1, left),
        PedicleSize("T12", 19, "right", None, None, right),
    )
    return replace(planned, revision=replace(plan, pedicles=pedicles, fixation_asked=True, fixation=("T12",)))


def test_the_plan_is_drawn_from_the_side_from_behind_and_in_three_dimensions(leaking, fixed):
    pictures = draw_pictures(leaking.volume, leaking.spine, fixed)
    words = {name: " ".join(written(pictures[name])) for name in ("sagittal", "dorsal")}
    assert "L 7.2, R –" in words["sagittal"]
    for said in ("pedicle T12, 7.2 × 15.1 mm", "pedicle T12, not measured", "lamina T12", "durotomy", "deep"):
        assert said in words["dorsal"]
    traces = json.loads(scene_json(leaking.spine, fixed))["data"]
    shown = [t["name"] for t in traces if t["showlegend"]]
    assert shown[-3:] == [
        "to discuss: laminae",
        "to discuss: durotomy",
        "to discuss: pedicles to fix, mm",
    ]
    assert {"T12 7.2 × 15.1 mm", "T12 not measured"} <= {t["text"][0] for t in traces if "textfont" in t}


def test_from_behind_the_patients_left_is_on_the_left(leaking, fixed):
    picture = draw_pictures(leaking.volume, leaking.spine, fixed)["dorsal"]
    axes = picture.figure.axes[0]
    measured, other = (
        next(float(p.center[0]) for p in axes.patches if isinstance(p, Ellipse) and p.width == width)
        for width in (7.2, UNMEASURED_MM)
    )
    assert measured < other
    assert "the patient's left on the left" in picture.caption


def test_the_plan_in_space_lies_behind_the_cement_that_it_uncovers(leaking, planned):
    traces = json.loads(scene_json(leaking.spine, planned))["data"]
    back = {
        group: np.concatenate(
            [unpacked(t["y"]) for t in traces if t["legendgroup"] == group and "bdata" in t["y"]]
        )
        for group in ("laminae", "durotomy", "intradural")
    }
    assert back["durotomy"].mean() > back["intradural"].mean()
    assert back["laminae"].max() > back["durotomy"].max()


def test_a_durotomy_is_placed_by_the_vertebrae_it_lies_behind(leaking, planned):
    report = build_report(leaking.volume, leaking.spine, leaking.cement, planned)
    assert report.revision is not None
    assert report.revision.durotomy is not None
    cut = report.revision.durotomy
    page = render_html(report, leaking.volume, leaking.spine, planned)
    assert f"from behind {cut.to_place} down to behind {cut.from_place}" in page


def written(picture: Picture) -> list[str]:
    return [text.get_text() for axes in picture.figure.axes for text in axes.texts]


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["bdata"]), np.dtype(packed["dtype"]).newbyteorder("<"))


def test_without_a_plan_the_page_has_no_such_section(untouched):
    report = build_report(untouched.volume, untouched.spine, untouched.cement, untouched.leakage)
    assert report.revision is None
    page = render_html(report, untouched.volume, untouched.spine, untouched.leakage)
    assert "A revision to discuss" not in page
