"""The words of the contract: what each label of the anatomy means."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thecal.terms import (
    DISC_OFFSET,
    EPIDURAL_SPACE,
    LEVELS,
    SACRUM,
    THECAL_SAC,
    is_disc,
    is_vertebra,
)


@given(st.integers(0, 65535))
def test_a_label_is_a_vertebra_or_a_disc_and_never_both(label):
    assert not (is_vertebra(label) and is_disc(label))
    assert is_vertebra(label) == is_disc(label + DISC_OFFSET) or is_vertebra(label + DISC_OFFSET)


def test_each_named_vertebra_has_a_disc_below_it_and_the_sacrum_none():
    named = [number for number in LEVELS if number != SACRUM]
    assert all(is_disc(DISC_OFFSET + number) for number in named)
    assert not is_disc(DISC_OFFSET + SACRUM)


def test_the_disc_below_a_vertebra_without_a_number_is_a_disc():
    assert is_disc(301)
    assert not is_disc(201)


def test_sac_and_epidural_space_are_neither():
    assert not any(is_disc(label) or is_vertebra(label) for label in (0, THECAL_SAC, EPIDURAL_SPACE))
