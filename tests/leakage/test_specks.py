"""Bright specks are no deposits, but are never kept silent; what is more than a speck is a deposit."""

import re
from dataclasses import replace

import pytest
from box_spine import box, in_canal, toy

from thecal.leakage import find_leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")

SPECK = box(-1, 0.5, 7, 8.5, 30, 32)


def found_with_limit(case, limit_mm3):
    return find_leakage(case.volume, case.spine, replace(case.cement, detection_limit_mm3=limit_mm3))


def test_a_speck_in_the_canal_is_a_warning_with_its_place():
    case = toy(in_canal(SPECK))
    found = found_with_limit(case, 100.0)
    assert found.deposits == ()
    (note,) = (n for n in found.quality if n.code == "specks_left_out")
    assert note.severity == "warning"
    assert "in the canal" in note.message
    assert "at T12" in note.message
    told = float(re.search(r"z = (\S+) mm", note.message)[1])
    assert told == pytest.approx(case.to_lps([0.0, 8.0, 31.0])[2], abs=0.7)


def test_a_speck_where_no_level_is_known_names_the_vertebras_number():
    found = found_with_limit(toy(in_canal(SPECK), ids=(201, 202, 203)), 100.0)
    (note,) = (n for n in found.quality if n.code == "specks_left_out")
    assert "vertebra no. 202" in note.message


def test_a_speck_outside_the_canal_is_named_for_information():
    found = found_with_limit(toy(box(-29, -27, -20, -18, 30, 32)), 100.0)
    (note,) = (n for n in found.quality if n.code == "specks_left_out")
    assert (note.severity, "in the canal" in note.message) == ("info", False)
    assert "z = " in note.message


def test_a_deposit_that_was_seen_is_told_though_others_of_its_size_may_be_missed():
    found = found_with_limit(toy(in_canal(box(-2, 2, 6, 10, 30, 34))), 100.0)
    (deposit,) = found.deposits
    assert deposit.compartment == "intradural"
    assert deposit.volume_ml == pytest.approx(0.064, rel=0.05)
    assert not any(n.code == "specks_left_out" for n in found.quality)


def test_cement_that_reaches_from_a_body_into_the_canal_is_told_there_whatever_the_limit():
    found = found_with_limit(toy(box(-6, 6, -14, 5, 27, 37)), 800.0)
    assert [d.compartment for d in found.deposits] == ["intravertebral", "epidural"]
