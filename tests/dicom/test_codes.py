"""The coded concepts: known ones as the dictionaries have them, our own within what DICOM can hold."""

from __future__ import annotations

from typing import get_args

import pytest
from pydicom.sr._concepts_dict import concepts

from thecal.dicom import codes
from thecal.dicom.codes import Code
from thecal.terms import COMPARTMENTS, SIGNS, USUAL_ORDER, Route, Yeom


def every_code() -> list[Code]:
    found: list[Code] = []
    for value in vars(codes).values():
        if isinstance(value, Code):
            found.append(value)
        elif isinstance(value, dict):
            found += [code for code in value.values() if isinstance(code, Code)]
    return found


def test_public_codes_mean_what_the_dictionaries_say():
    for code in every_code():
        # UCUM's own words need no dictionary.
        if code.scheme in (codes.PRIVATE_SCHEME, "UCUM"):
            continue
        meanings = [
            entry[code.value][0].lower() for entry in concepts[code.scheme].values() if code.value in entry
        ]
        assert code.meaning.lower() in meanings, code


def test_private_codes_fit_and_each_means_one_thing():
    own = [code for code in every_code() if code.scheme == codes.PRIVATE_SCHEME]
    assert all(len(code.value) <= 16 and len(code.meaning) <= 64 for code in every_code())
    assert len({code.value for code in own}) == len(set(own))


@pytest.mark.parametrize("level", USUAL_ORDER)
def test_every_usual_level_has_its_own_code(level):
    assert codes.vertebra_code(level).meaning == f"{level} vertebra"


@pytest.mark.parametrize("level", ["L6", "T13", None])
def test_a_level_without_a_code_is_a_vertebra(level):
    assert codes.vertebra_code(level) == codes.VERTEBRA


def test_every_word_of_the_report_has_a_code():
    assert set(codes.PLACES) == set(codes.COMPARTMENTS) == set(COMPARTMENTS)
    assert set(codes.ROUTES) == set(get_args(Route))
    assert set(codes.YEOM_TYPES) == set(get_args(Yeom))
    assert set(codes.SIGN_NAMES) == set(SIGNS)
