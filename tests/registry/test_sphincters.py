"""What a ward writes of bladder, bowel and anal examination is kept, and read as no more than it says."""

from __future__ import annotations

from contextlib import suppress

import pytest

from thecal.errors import InputError
from thecal.registry.case import Outcome
from thecal.registry.literature.library import library
from thecal.registry.readings import read_finding


@pytest.mark.parametrize(
    ("scale", "written", "word"),
    [
        ("bladder", "Urinary retention", "impaired"),
        ("bladder", "incontinence", "impaired"),
        ("bladder", "overflow", "impaired"),
        ("bladder", "retention with overflow incontinence", "impaired"),
        ("bladder", "retention (catheter)", "impaired"),
        ("bladder", "Complete retention.", "none"),
        ("bladder", "incontinent, no voluntary control", "none"),
        ("bladder", "Normal", "normal"),
        ("bowel", "constipation", "impaired"),
        ("bowel", "faecal incontinence", "impaired"),
        ("bowel", "none", "none"),
        ("bowel", "urinary incontinence and constipation", "impaired"),
        ("anal_contraction", "present", "yes"),
        ("anal_contraction", "weak", "yes"),
        ("anal_contraction", "absent", "no"),
        ("anal_pressure", "not felt", "no"),
        ("anal_pressure", "Y", "yes"),
    ],
)
def test_the_words_of_the_ward_have_a_word_of_the_registry(scale, written: str, word: str) -> None:
    assert read_finding(scale, written) == (None, word)
    assert Outcome(scale=scale, as_written=written, choice=word).as_written == written


@pytest.mark.parametrize("written", ["catheter", "Foley", "suprapubic catheter", "CIC", "catheterised"])
def test_a_catheter_alone_says_nothing_of_the_bladder(written: str) -> None:
    with pytest.raises(InputError, match="does not say what is left of the bladder"):
        read_finding("bladder", written)


@pytest.mark.parametrize(
    ("scale", "written"),
    [
        ("bladder", "no incontinence"),
        ("bladder", "no urinary retention"),
        ("bladder", "normal, retention"),
        ("bladder", "normal (catheter)"),
        ("bladder", "better"),
        ("bladder", "constipation"),
        ("bladder", "?"),
        ("bowel", "urinary retention"),
        ("anal_contraction", "not testable"),
        ("anal_pressure", "3"),
    ],
)
def test_what_is_denied_mixed_or_not_known_is_asked_for(scale, written: str) -> None:
    with pytest.raises(InputError, match=f"^{scale} is one of"):
        read_finding(scale, written)


def test_the_published_cases_are_read_as_they_were_understood_by_hand() -> None:
    read = []
    for case in library().cases:
        for said in case.values:
            if said.field in ("bladder", "bowel") and said.understood is not None:
                with suppress(InputError):
                    assert read_finding(said.field, said.as_printed) == (None, said.understood)
                    read.append(said.as_printed)
    assert {"Urinary retention", "urinary incontinence", "Urinary incontinence and constipation"} <= set(read)
