"""Whatever a case may hold comes out of the registry as it went in, with and without a key."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from registry_cases import founding

from thecal.errors import InputError
from thecal.registry.case import (
    Case,
    Deficit,
    Event,
    Fracture,
    Imaging,
    Leak,
    Outcome,
    Patient,
    Procedure,
    Revision,
    Sign,
)
from thecal.registry.date_shift import shifted
from thecal.registry.store import Store
from thecal.terms import COMPARTMENTS, SIGNS, VERSE_IDS

NUMBERS = count()
text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
).filter(lambda words: words == words.strip() and words)
days = st.dates(date(1950, 1, 1), date(2090, 1, 1))
levels = st.sampled_from(list(VERSE_IDS))
signs = st.builds(
    Sign, name=st.sampled_from(SIGNS), state=st.sampled_from(["present", "absent", "not_assessable"])
)


def some(strategy: st.SearchStrategy, most: int = 3) -> st.SearchStrategy:
    return st.lists(strategy, max_size=most).map(tuple)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


def amount(least: float, most: float) -> st.SearchStrategy:
    # SQLite keeps -0.0 as 0, which is the same number.
    return maybe(st.floats(least, most).map(lambda number: number + 0.0))


cases = st.builds(
    Case,
    patient=st.builds(
        Patient,
        pseudonym=st.builds(lambda words: f"{words}#{next(NUMBERS)}", text),
        age_years=amount(0, 120),
        sex=maybe(st.sampled_from("FMO")),
        bone_t_score=amount(-10, 10),
        bone_hu=amount(-200, 1000),
    ),
    fractures=some(st.builds(Fracture, level=levels, age_days=amount(0, 1e6))),
    procedures=some(
        st.builds(
            Procedure,
            kind=st.sampled_from(["VP", "KP", "conservative"]),
            level=levels,
            on=maybe(days),
            cement_brand=maybe(text),
            volume_ml=amount(0, 100),
            notes=maybe(text),
        )
    ),
    imaging=some(st.builds(Imaging, modality=st.sampled_from(["CT", "MR"]), on=maybe(days), study_uid=text)),
    leaks=some(
        st.builds(
            Leak,
            compartment=st.sampled_from(COMPARTMENTS),
            level=maybe(levels),
            occlusion=amount(0, 1),
            signs=some(signs),
        )
    ),
    deficit=maybe(st.builds(Deficit, present=st.sampled_from(["yes", "no", "unknown"]), description=text)),
    revisions=some(
        st.builds(Revision, on=maybe(days), laminectomy_levels=some(levels), fixation_levels=some(levels))
    ),
    outcomes=some(
        st.builds(Outcome, scale=st.just("mrc"), as_written=text, value=amount(0, 5), on=maybe(days))
    ),
    events=some(st.builds(Event, kind=st.just("refracture"), level=maybe(levels), on=maybe(days))),
)
often = settings(max_examples=25, suppress_health_check=list(HealthCheck))


@often
@given(case=cases)
def test_a_case_comes_out_as_it_went_in(store: Store, case: Case) -> None:
    _goes_in_and_out(store, case)


@often
@given(case=cases)
def test_a_case_comes_out_of_a_registry_with_a_key_as_it_went_in(keyed: Store, case: Case) -> None:
    _goes_in_and_out(keyed, case)


@given(case=cases, by=st.integers(-365, 365), again=st.integers(-365, 365))
@settings(max_examples=30)
def test_shifts_add_up_and_go_back(case: Case, by: int, again: int) -> None:
    assert shifted(shifted(case, by), -by) == case
    assert shifted(shifted(case, by), again) == shifted(case, by + again)
    moved = shifted(case, by)
    assert [each.on and each.on - timedelta(by) for each in moved.procedures] == [
        each.on for each in case.procedures
    ]


@pytest.mark.parametrize("words", ["a\0b", "\\\0"])
def test_what_is_no_text_is_refused_on_both_databases(store: Store, words: str) -> None:
    case = founding().model_copy(update={"deficit": Deficit(present="yes", description=words)})
    with pytest.raises(InputError, match="NUL"):
        store.add(case, who="ada")
    store.add(
        founding().model_copy(update={"deficit": Deficit(present="yes", description="\\u0000")}), who="ada"
    )


def _goes_in_and_out(store: Store, case: Case) -> None:
    name = case.patient.pseudonym
    store.add(case, who="ada")
    assert store.case(name) == case
    later = case.model_copy(update={"events": case.events[:1]})
    store.replace(later, who="bob")
    assert store.case(name) == later
