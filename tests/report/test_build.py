"""The report says what was found, no more, and nothing is left out in silence."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import jsonschema
import numpy as np
import pytest

from thecal.leakage.findings import IntraduralSign, VertebraMeasure
from thecal.quality import QualityNote
from thecal.report.build import build_report
from thecal.report.html import confidence_words
from thecal.report.schema import Observations, Report, json_schema
from thecal.terms import SIGNS

CONTRACT_KEYS = [
    "schema",
    "software",
    "input",
    "vertebrae",
    "deposits",
    "canal",
    "intradural",
    "tracks",
    "observations",
    "revision",
    "quality",
    "timings_s",
]


def report_of(patient, **options) -> Report:
    return build_report(patient.volume, patient.spine, patient.cement, patient.leakage, **options)


def test_the_report_holds_the_keys_of_the_contract_in_its_order(leaking):
    assert list(json.loads(report_of(leaking).to_json())) == CONTRACT_KEYS


def test_the_report_satisfies_the_schema_that_the_command_prints(leaking):
    jsonschema.validate(json.loads(report_of(leaking, timings={"read": 1.0}).to_json()), json_schema())


def test_the_schema_refuses_a_missing_and_an_unknown_key(leaking):
    written = json.loads(report_of(leaking).to_json())
    del written["canal"]["cement_ml"]
    with pytest.raises(jsonschema.ValidationError, match="cement_ml"):
        jsonschema.validate(written, json_schema())
    written = json.loads(report_of(leaking).to_json()) | {"remark": "none"}
    with pytest.raises(jsonschema.ValidationError, match="remark"):
        jsonschema.validate(written, json_schema())


def test_every_deposit_and_vertebra_is_reported(leaking):
    report = report_of(leaking)
    assert [d.id for d in report.deposits] == [d.id for d in leaking.leakage.deposits]
    assert [v.level for v in report.vertebrae] == ["L2", "L1", "T12", "T11", "T10"]
    t12 = report.vertebrae[2]
    assert (t12.heights_mm.anterior, t12.heights_mm.posterior) == (15.0, 25.0)
    assert t12.cement_ml == pytest.approx(leaking.leakage.deposits[0].volume_ml, abs=1e-5)


def test_what_the_page_shows_of_a_vertebra_is_in_the_report_too(leaking):
    report = report_of(leaking)
    t12 = next(v for v in report.vertebrae if v.level == "T12")
    l1 = next(v for v in report.vertebrae if v.level == "L1")
    assert (t12.height_loss_fraction, t12.wedge_degrees, t12.cement_left_fraction) == (0.4, 18.0, 0.55)
    assert t12.cement_reaches.posterior_third is True
    assert t12.cement_reaches.upper_endplate is False
    assert (l1.cement_left_fraction, l1.cement_reaches.posterior_third) == (None, None)
    assert report.input.noise_hu == 15.0
    assert report.input.psf_sigma_mm == (0.7, 0.7, 1.0)


def test_how_sure_the_anatomy_is_of_itself_is_in_the_report(leaking):
    confidence = np.linspace(0.2, 1.0, len(leaking.spine.canal.frame.s_mm))
    canal = replace(leaking.spine.canal, confidence=confidence)
    unsure = tuple(replace(v, confidence=0.31) if v.level == "T11" else v for v in leaking.spine.vertebrae)
    spine = replace(leaking.spine, canal=canal, vertebrae=unsure)
    report = build_report(leaking.volume, spine, leaking.cement, leaking.leakage)
    assert {v.level: v.confidence for v in report.vertebrae}["T11"] == 0.31
    assert report.canal.confidence == pytest.approx(0.6, abs=0.01)
    assert report.canal.profile[0].confidence == pytest.approx(0.2)
    words = confidence_words(report)
    assert "T11 0.31" in words
    assert "least 0.20 at L2" in words


def test_the_centre_of_a_body_lies_in_front_of_its_posterior_wall(leaking):
    for row, vertebra in zip(report_of(leaking).vertebrae, leaking.spine.vertebrae, strict=True):
        left, anterior, cranial = vertebra.frame.to_local(row.centre_mm)
        assert anterior == pytest.approx(15, abs=2)
        assert (left, cranial) == (pytest.approx(0, abs=1), pytest.approx(0, abs=1))


def test_all_seven_signs_are_there_and_not_assessable(leaking):
    intradural = report_of(leaking).intradural
    assert intradural.finding == "not_assessable"
    assert intradural.probability is None
    assert [sign.name for sign in intradural.signs] == list(SIGNS)
    assert {sign.state for sign in intradural.signs} == {"not_assessable"}
    assert intradural.detection_limit_mm3 == 12.0


def signs_of(patient, *found, **options):
    leakage = replace(patient.leakage, signs=found)
    report = build_report(patient.volume, patient.spine, patient.cement, leakage, **options)
    return {sign.name: sign for sign in report.intradural.signs}


def test_a_sign_that_was_read_stands_in_the_report_with_its_number(leaking):
    read = IntraduralSign("layering", "present", 12.0, "mm", 3.0, "Three sheets.", "Liao 2025")
    signs = signs_of(leaking, read)
    layering = signs["layering"]
    assert (layering.state, layering.value, layering.unit, layering.threshold) == ("present", 12.0, "mm", 3.0)
    assert layering.explanation == "Three sheets."
    assert signs["root_outlines"].state == "not_assessable"


@pytest.mark.parametrize(
    ("saw", "words"),
    [("none", "no cement was found"), ("seen", "cement was seen"), ("unknown", "not stated")],
)
def test_what_ct_shows_and_what_the_surgeon_saw_are_told_apart(leaking, saw, words):
    read = IntraduralSign("no_extradural_cement", "absent", 0.7, "share", 0.1, "On CT 70 % lie outside.", "x")
    observed = Observations(extradural_cement_at_surgery=saw)
    sign = signs_of(leaking, read, observations=observed)["no_extradural_cement"]
    assert sign.state == "absent"
    assert sign.explanation.startswith("On CT 70 % lie outside. ")
    assert words in sign.explanation


def test_the_detection_limit_says_for_which_cement_it_holds(leaking, untouched):
    assert report_of(untouched).intradural.detection_limit_hu == 1700.0
    for patient, severity in ((untouched, "warning"), (leaking, "info")):
        (note,) = (n for n in report_of(patient).quality if n.code == "detection_limit_holds_for")
        assert note.severity == severity
        assert "of 1700 HU and brighter" in note.message


def test_every_reservation_is_a_sentence(leaking):
    told = QualityNote("x", "info", "vertebra no. 203 is cut.")
    one = (replace(leaking.leakage.deposits[1], breach_mm=None, yeom=None, id=2),)
    leakage = replace(leaking.leakage, deposits=one, quality=(told,))
    messages = [
        n.message for n in build_report(leaking.volume, leaking.spine, leaking.cement, leakage).quality
    ]
    assert all(m[0].isupper() and m.endswith(".") for m in messages)
    assert any(m.endswith("was not found for deposit 2.") for m in messages)


def test_critical_notes_come_first_and_each_note_once(leaking):
    note = QualityNote("metal", "critical", "Metal crosses the canal.")
    leakage = replace(leaking.leakage, quality=(*leaking.leakage.quality, note, note))
    quality = build_report(leaking.volume, leaking.spine, leaking.cement, leakage).quality
    order = ["critical", "warning", "info"]
    assert [order.index(n.severity) for n in quality] == sorted(order.index(n.severity) for n in quality)
    assert [n.code for n in quality].count("metal") == 1
    assert quality[0].code == "metal"


@pytest.mark.parametrize(
    "measure", [f.name for f in fields(VertebraMeasure) if f.name in ("trabecular_hu", "height_middle_mm")]
)
def test_a_measure_that_is_missing_is_null_and_named_in_quality(leaking, measure):
    words = {"trabecular_hu": "trabecular HU", "height_middle_mm": "middle height"}
    first, *rest = leaking.leakage.vertebrae
    leakage = replace(leaking.leakage, vertebrae=(replace(first, **{measure: None}), *rest))
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    told = [n.message for n in report.quality if n.code == "measure_missing"]
    assert any("L2" in message and words[measure] in message for message in told)


def test_each_missing_measure_has_its_own_reason(leaking):
    l2, *rest = leaking.leakage.vertebrae
    hidden = replace(l2, cement_ml=None, fill_fraction=None, height_loss_fraction=None)
    leakage = replace(leaking.leakage, vertebrae=(hidden, *rest))
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    told = {n.message for n in report.quality if n.code == "measure_missing"}
    assert told == {
        "Not measured at L2, as metal in or at it hides cement: cement volume and fill.",
        "Not measured at L2, as no sound vertebra near it was measured whole: height loss.",
    }


def test_a_vertebra_without_measures_is_null_not_zero(leaking):
    leakage = replace(leaking.leakage, vertebrae=leaking.leakage.vertebrae[:-1])
    t10 = build_report(leaking.volume, leaking.spine, leaking.cement, leakage).vertebrae[-1]
    assert (t10.cement_ml, t10.fill_fraction, t10.heights_mm.anterior) == (None, None, None)


def test_without_a_spine_the_report_is_valid_and_says_so_as_critical(leaking):
    report = build_report(leaking.volume, None, None, None, not_found="No canal was found from end to end.")
    jsonschema.validate(json.loads(report.to_json()), json_schema())
    assert report.quality[0].severity == "critical"
    assert report.quality[0].message == "No canal was found from end to end."
    assert (report.deposits, report.vertebrae, report.canal.cement_ml) == ([], [], None)


def test_vertebrae_without_a_number_are_said_to_be_so(leaking):
    unnamed = tuple(replace(v, level=None, level_source="unknown") for v in leaking.spine.vertebrae)
    report = build_report(
        leaking.volume, replace(leaking.spine, vertebrae=unnamed), leaking.cement, leaking.leakage
    )
    assert "levels_unknown" in [n.code for n in report.quality]


def test_each_deposit_and_the_worst_narrowing_name_their_vertebra_in_the_label_map(leaking):
    unnamed = tuple(replace(d, level=None, levels_spanned=()) for d in leaking.leakage.deposits)
    worst = replace(leaking.leakage.worst, level=None)
    leakage = replace(leaking.leakage, deposits=unnamed, worst=worst)
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    ids = {v.id for v in report.vertebrae}
    t12 = next(v.id for v in report.vertebrae if v.level == "T12")
    assert [d.vertebra_id for d in report.deposits] == [t12] * 4
    assert all(set(d.vertebra_ids) <= ids and d.vertebra_ids for d in report.deposits)
    assert report.canal.max_occlusion.vertebra_id == t12
    assert {s.vertebra_id for s in report.canal.profile} <= ids


@pytest.mark.parametrize(("planes", "severity"), [((70, 80), "warning"), ((0, 6), "info")])
def test_a_stretch_of_canal_not_measured_is_named_and_only_within_the_scan_a_warning(
    leaking, planes, severity
):
    profile = list(leaking.leakage.profile)
    for i in range(*planes):
        profile[i] = replace(profile[i], canal_area_mm2=None, cement_area_mm2=None)
    leakage = replace(leaking.leakage, profile=tuple(profile))
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    (note,) = (n for n in report.quality if n.code == "canal_partly_not_assessable")
    assert note.severity == severity
    z = leaking.spine.canal.frame.at([profile[planes[0]].at_mm])[0, 2]
    assert profile[planes[0]].level in note.message
    assert f"from z = {z:.0f} to " in note.message


def test_a_canal_that_could_not_be_measured_is_critical(leaking):
    leakage = replace(leaking.leakage, canal_cement_ml=None, worst=None, profile=())
    report = build_report(leaking.volume, leaking.spine, leaking.cement, leakage)
    assert ("canal_not_assessable", "critical") in [(n.code, n.severity) for n in report.quality]


def test_the_patients_name_is_not_in_the_report(leaking):
    assert leaking.volume.source.patient_name == "Doe^Jane"
    assert "Doe" not in report_of(leaking).to_json()
