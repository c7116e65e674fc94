"""What a segment is called, and which vertebra is meant."""

from __future__ import annotations

import pytest

from thecal.anatomy.backends.segment_names import CORD_ID, Code3, id_of_name, segment_id
from thecal.errors import InputError
from thecal.terms import EPIDURAL_SPACE, SACRUM, THECAL_SAC

T12 = Code3("SCT", "23215003")


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("T12", 19),
        ("Th12", 19),
        ("vertebrae_T12", 19),
        ("vertebra L1", 20),
        ("L6", 25),
        ("T13", 28),
        ("C1", 1),
        ("Atlas", 1),
        ("Twelfth thoracic vertebra", 19),
        ("12th thoracic vertebra", 19),
        ("Lumbar vertebra 3", 22),
        ("vertebra no. 203", 203),
        ("19", 19),
        ("Sacrum", SACRUM),
        ("vertebrae_S1", SACRUM),
        ("disc below T12", 119),
        ("Disc T12-L1", 119),
        ("IVD_L5_S1", 124),
        ("Thecal sac", THECAL_SAC),
        ("Vertebral canal", EPIDURAL_SPACE),
        ("canal outside the sac", EPIDURAL_SPACE),
        ("spinal_cord", CORD_ID),
    ],
)
def test_a_name_tells_what_a_segment_is(name, label):
    assert id_of_name(name) == label


@pytest.mark.parametrize(
    "name",
    [
        "Cement 1: epidural, T12",
        "rib_left_12",
        "T12 rib left",
        "L5 nerve root",
        "L1 pedicle screw",
        "Metastasis L2",
        "Foramen L1-L2",
        "T12-L1",
        "liver",
        "Segment_1",
        "T19",
    ],
)
def test_what_is_no_vertebra_is_not_taken_for_one(name):
    assert id_of_name(name) is None


def test_a_code_names_a_vertebra_whatever_its_label_says():
    assert segment_id("Segment_3", codes=[Code3("SCT", "272673000"), T12]) == 19


def test_cement_that_is_coded_at_a_vertebra_is_not_that_vertebra():
    physical = Code3("SCT", "260787004")
    assert segment_id("1", category=physical, codes=[T12]) is None
    assert segment_id("Cement in T12", codes=[T12]) is None


def test_the_disc_that_is_coded_by_its_vertebra_stays_a_disc():
    assert segment_id("disc below T12", codes=[T12]) == 119


def test_a_name_and_a_code_of_two_levels_are_refused():
    with pytest.raises(InputError, match="called L1 and coded as T12"):
        segment_id("L1", codes=[T12])
