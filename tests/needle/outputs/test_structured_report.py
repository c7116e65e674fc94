"""The plan as a structured report, before judges that share no code with its writer."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from archived import archived
from plans import plain_plan
from test_outside_judges import ask, complaints
from toy_patient import cement_of

from thecal.dicom import codes
from thecal.dicom.originals import originals_of
from thecal.needle.outputs.folder import write_plan
from thecal.needle.outputs.needles import depth_marks, needles_of
from thecal.needle.outputs.structured_report import make_plan_report
from thecal.terms import RESEARCH_USE

FRAME = "1.2.3.4"


@pytest.fixture(scope="module")
def stored(case, tmp_path_factory):
    """The same patient as the DICOM images of an archive, as read back."""
    cement, leakage = cement_of(case.spine)
    toy = SimpleNamespace(volume=case.volume, spine=case.spine, cement=cement, leakage=leakage)
    return archived(toy, tmp_path_factory.mktemp("ct") / "ct")


@pytest.fixture(scope="module")
def report(case, stored, blocked):
    return make_plan_report([case.plan, blocked], originals_of(stored.volume.source), version="0")


@pytest.fixture(scope="module")
def saved(report, tmp_path_factory):
    path = tmp_path_factory.mktemp("sr") / "plan.dcm"
    report.save_as(path, enforce_file_format=True)
    return path


def items(content, value_type):
    for item in content.get("ContentSequence", []):
        if item.ValueType == value_type:
            yield item
        yield from items(item, value_type)


def test_dciodvfy_finds_no_error_and_nothing_to_warn_of(saved):
    assert complaints(saved) == []


def test_dcsrdump_prints_the_tree_of_a_measurement_report(saved):
    said = ask("dcsrdump", saved)
    assert '(126000,DCM,"Imaging Measurement Report")' in said
    assert '(111465,DCM,"Needle Gauge")' in said
    assert '(111467,DCM,"Needle Length")' in said
    assert RESEARCH_USE in said


def test_every_point_lies_in_the_frame_of_reference_of_the_ct_where_the_plan_has_it(case, report):
    points = list(items(report, "SCOORD3D"))
    assert {str(p.ReferencedFrameOfReferenceUID) for p in points} == {FRAME}
    tips = [p for p in points if p.ConceptNameCodeSequence[0].CodeValue == codes.TIP_POINT.value]
    wanted = [n.way.tip_mm for n in needles_of(case.plan)]
    np.testing.assert_allclose([p.GraphicData for p in tips[: len(wanted)]], wanted, atol=1e-3)
    named = {p.ConceptNameCodeSequence[0].CodeMeaning for p in points}
    assert len(named) == 1 + len(depth_marks(case.plan.single))


def test_gauge_length_grade_and_approach_are_those_of_the_plan(case, report):
    numbers = {}
    for item in items(report, "NUM"):
        value = item.MeasuredValueSequence[0].NumericValue
        numbers.setdefault(item.ConceptNameCodeSequence[0].CodeValue, []).append(float(value))
    ways = [n.way for n in needles_of(case.plan)]
    assert numbers[codes.NEEDLE_GAUGE.value][:3] == [11.0] * 3
    assert numbers[codes.NEEDLE_LENGTH.value][:3] == pytest.approx([w.tip_depth_mm for w in ways], abs=1e-3)
    assert numbers[codes.LEAST_CLEARANCE.value][:3] == pytest.approx([w.least_mm for w in ways], abs=1e-3)
    chosen = {item.ConceptCodeSequence[0].CodeValue for item in items(report, "CODE")}
    assert {codes.BREACH_GRADES["A"].value, codes.APPROACHES["transpedicular"].value} <= chosen


def test_a_side_without_a_path_is_said_and_no_needle_is_reported_as_seen(report):
    chosen = [item.ConceptCodeSequence[0].CodeValue for item in items(report, "CODE")]
    assert codes.SAFE_PATHS[False].value in chosen
    assert "79068005" not in chosen
    texts = [str(item.TextValue) for item in items(report, "TEXT")]
    assert any("right: no safe path: the pedicle is 3.1 mm wide" in text for text in texts)


def test_the_report_is_the_same_for_the_same_plan(case, stored, blocked, saved, tmp_path):
    again = make_plan_report([case.plan, blocked], originals_of(stored.volume.source), version="0")
    again.save_as(tmp_path / "again.dcm", enforce_file_format=True)
    assert (tmp_path / "again.dcm").read_bytes() == saved.read_bytes()


def test_it_is_written_where_the_input_was_dicom_and_nowhere_else(
    case, stored, folder, tmp_path, monkeypatch
):
    from thecal.needle.outputs import folder as outputs
    from thecal.needle.outputs.page import LevelPictures

    monkeypatch.setattr(outputs, "level_pictures", lambda *_: LevelPictures((), (), None))
    volume = replace(case.volume, source=stored.volume.source)
    plan = plain_plan(case.volume, case.spine, case.vertebra)
    assert "plan.dcm" in write_plan(tmp_path / "dicom", volume, case.spine, [plan])
    assert (tmp_path / "dicom" / "plan.dcm").exists()
    assert not (folder / "plan.dcm").exists()


def test_without_skin_a_depth_before_the_bone_is_left_out_and_it_says_from_where_depths_count(case, stored):
    way = replace(case.plan.single, skin_mm=None, skin_depth_mm=None, wall_depth_mm=-2.0)
    plan = replace(case.plan, single=way, sides=())
    report = make_plan_report([plan], originals_of(stored.volume.source), version="0")
    names = [item.ConceptNameCodeSequence[0].CodeValue for item in items(report, "NUM")]
    assert codes.DEPTH_TO_WALL.value not in names
    assert any("depths count from the bone" in str(item.TextValue) for item in items(report, "TEXT"))
