"""The headline: what leaked where, how much of the canal, and never an all-clear."""

from __future__ import annotations

from dataclasses import replace

import pytest

from thecal.quality import QualityNote
from thecal.report.build import build_report
from thecal.report.headline import headline, volume_words

FORBIDDEN = ("no leak", "no cement leak", "normal", "clear of", "safe", "excluded", "ruled out")


def said(patient, **leakage_changes) -> str:
    leakage = replace(patient.leakage, **leakage_changes)
    report = build_report(patient.volume, patient.spine, patient.cement, leakage)
    return " ".join(sentence.text for sentence in headline(report))


def test_the_first_sentence_names_level_place_and_volume(leaking):
    first = said(leaking).split(". ")[0]
    assert first.startswith("Cement outside the bone at T12: 1.3 mL in the canal")
    assert "0.24 mL of it within the outline of the thecal sac" in first
    assert "0.49 mL beside the vertebra" in first


def test_the_worst_narrowing_is_given_with_its_level_and_what_is_left(leaking):
    assert "28 % of the canal at T12 (72 of 254 mm²; 9.3 mm left front to back)" in said(leaking)


def test_cement_inside_the_dura_that_was_not_judged_is_said_not_to_be_assessed(leaking, untouched):
    for patient in (leaking, untouched):
        assert "Not assessable: whether any cement lies inside the dura." in said(patient)


def test_silence_states_the_detection_limit(untouched):
    words = said(untouched)
    assert (
        "No cement detected in or near the vertebrae above 12 mm³, for cement of 1700 HU and brighter."
        in words
    )
    assert "No cement detected in the canal above 12 mm³" in words


def test_a_scan_that_could_show_no_deposit_surely_states_no_limit(untouched):
    blind = replace(untouched.cement, detection_limit_mm3=float("inf"))
    report = build_report(untouched.volume, untouched.spine, blind, untouched.leakage)
    assert report.intradural.detection_limit_mm3 is None
    assert "detection_limit_unknown" in [note.code for note in report.quality]
    assert "(detection limit unknown)" in headline(report)[0].text


@pytest.mark.parametrize("which", ["leaking", "untouched"])
def test_no_wording_clears_the_patient(which, request):
    words = said(request.getfixturevalue(which)).lower()
    assert not [phrase for phrase in FORBIDDEN if phrase in words]


def test_cement_that_stayed_in_the_bone_is_not_called_a_leak(leaking):
    words = said(leaking, deposits=leaking.leakage.deposits[:1], canal_cement_ml=0.0, worst=None)
    assert "No cement detected outside but near the vertebrae above 12 mm³" in words
    assert "Cement outside the bone" not in words


def test_leaks_at_several_levels_each_name_theirs(leaking):
    *first, last = leaking.leakage.deposits
    words = said(leaking, deposits=(*first, replace(last, level="L1")))
    assert "in the canal at T12" in words
    assert "beside the vertebra at L1" in words


def test_a_leak_without_a_level_is_tied_to_its_vertebras_number(leaking):
    unnamed = tuple(
        replace(d, level=None, levels_spanned=(), vertebra_id=number, vertebra_ids=(number,))
        for d, number in zip(leaking.leakage.deposits, (203, 203, 203, 204), strict=True)
    )
    worst = replace(leaking.leakage.worst, level=None, vertebra_id=203)
    words = said(leaking, deposits=unnamed, worst=worst)
    assert "in the canal at vertebra no. 203" in words
    assert "beside the vertebra at vertebra no. 204" in words
    assert "28 % of the canal at vertebra no. 203" in words


def test_a_leak_beyond_the_vertebrae_is_at_an_unknown_level(leaking):
    far = replace(leaking.leakage.deposits[3], level=None, vertebra_id=None, vertebra_ids=())
    assert "at an unknown level" in said(leaking, deposits=(far,))


def test_beside_a_pedicle_screw_the_headline_claims_nothing(untouched):
    metal = (untouched.spine.labels == 19) & (untouched.spine.parts == 2)
    cement = replace(untouched.cement, metal=metal)
    profile = tuple(
        replace(p, cement_area_mm2=None) if p.level == "T12" else p for p in untouched.leakage.profile
    )
    leakage = replace(untouched.leakage, profile=profile, canal_cement_ml=None)
    report = build_report(untouched.volume, untouched.spine, cement, leakage)
    words = " ".join(sentence.text for sentence in headline(report))
    assert "No cement detected in or near the vertebrae, away from metal, above 12 mm³" in words
    assert "No cement detected in the canal where it could be assessed, above 12 mm³" in words
    assert "Not assessable near metal at" in words
    assert "T12" in words
    assert "canal_not_assessable" not in [note.code for note in report.quality]


def test_gaps_between_slices_are_told_in_the_headline(untouched):
    note = QualityNote("gaps_between_slices", "warning", "The slices are 1.0 mm thick but 6.0 mm apart.")
    assert note.message in said(untouched, quality=(note,))


def test_the_report_says_once_that_the_lungs_were_not_searched(untouched, leaking):
    for patient in (untouched, leaking):
        report = build_report(patient.volume, patient.spine, patient.cement, patient.leakage)
        (note,) = (n for n in report.quality if n.code == "searched_near_spine_only")
        assert "lungs" in note.message


def test_a_canal_that_was_not_found_is_not_assessable(leaking):
    words = said(leaking, canal_cement_ml=None, worst=None, profile=())
    assert "Cement in the canal could not be assessed." in words


def test_without_a_spine_nothing_is_said_about_cement(leaking):
    report = build_report(leaking.volume, None, None, None, not_found="No vertebra was found.")
    first, second = headline(report)
    assert first.text.startswith("Not assessable")
    assert second.text == "No vertebra was found."


@pytest.mark.parametrize(
    ("millilitres", "words"), [(2.345, "2.3 mL"), (0.245, "0.24 mL"), (0.0834, "83 mm³"), (0.004, "4 mm³")]
)
def test_volumes_are_read_in_the_unit_that_suits_them(millilitres, words):
    assert volume_words(millilitres) == words
