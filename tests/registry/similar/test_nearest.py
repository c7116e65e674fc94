"""Which cases are near: by what is known of both, with reasons, and nothing where nothing is near."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.registry.case import Case, Deficit, Fracture, Leak, Outcome, Patient, Procedure, Revision
from thecal.registry.similar.entries import Account, Entry, own_entries, published_entries
from thecal.registry.similar.nearest import NEAR, WEIGHTS, nearest
from thecal.registry.similar.traits import Traits, traits_of_case, vertebrae_apart
from thecal.terms import SIGNS, USUAL_ORDER

HERS = Traits(levels=("T12",), intradural=True, epidural=True)
MAYBE = st.sampled_from([None, True, False])
ANY_TRAITS = st.builds(
    Traits,
    levels=st.lists(st.sampled_from(USUAL_ORDER), min_size=1, max_size=3, unique=True).map(tuple),
    intradural=MAYBE,
    epidural=MAYBE,
    signs=st.dictionaries(st.sampled_from(SIGNS), st.booleans()).map(MappingProxyType),
    deficit=MAYBE,
    weakest=st.one_of(st.none(), st.floats(0.0, 5.0)),
    sphincter=MAYBE,
)


def entry(traits: Traits, name: str = "one") -> Entry:
    return Entry(name, True, traits, lambda: Account("person", "nothing", "not known"))


def distance(here: Traits, there: Traits) -> float | None:
    found = nearest(here, [entry(there)], at_most=1)
    return found.near[0].distance if found.near else None


def test_the_founding_case_is_nearest_to_a_leak_like_hers() -> None:
    signs = MappingProxyType({"layering": True, "medial_puncture": True, "root_outlines": False})
    found = nearest(replace(HERS, signs=signs), published_entries())
    first = found.near[0]
    assert first.entry.name == "Liao 2025"
    assert first.distance == 0.0
    assert "the same level, T12" in first.because
    assert "signs in both: layering and medial puncture" in first.because
    assert set(first.unknown) == {"deficit", "strength", "sphincters"}
    assert "12 published cases are near" in found.sentence


def test_much_in_common_outweighs_one_thing_apart_and_beats_little_in_common() -> None:
    signs = MappingProxyType({"layering": True, "medial_puncture": True, "sac_conforming_shape": True})
    hers = replace(HERS, signs=signs)
    little = entry(Traits(levels=("T12",), intradural=True), "little")
    much = entry(replace(hers, signs=signs | {"layering": False}), "much")
    same = entry(hers, "same")
    assert [one.entry.name for one in nearest(hers, [little, much, same]).near] == ["same", "much", "little"]


@pytest.mark.parametrize(
    ("traits", "said"),
    [
        (Traits(levels=("T5",), intradural=True), "None of 12 published cases is near; the least far is"),
        (replace(HERS, intradural=False), "cement inside the dura there, not here"),
        (Traits(intradural=True), "No case is compared: the level of the cement is not known."),
        (Traits(levels=("T12",)), "No case is compared: besides the level nothing is known of both."),
    ],
)
def test_that_nothing_is_near_is_one_sentence(traits: Traits, said: str) -> None:
    found = nearest(traits, published_entries())
    assert found.near == ()
    assert said in found.sentence
    assert found.sentence.endswith(".")
    assert "\n" not in found.sentence


def test_without_cases_there_is_nothing_to_compare_with() -> None:
    assert nearest(HERS, []).sentence == "There is no case to compare with."


@given(ANY_TRAITS)
def test_a_case_is_as_near_to_itself_as_can_be(traits: Traits) -> None:
    found = nearest(traits, [entry(traits)])
    if found.near:
        assert found.near[0].distance == 0.0
        assert found.near[0].apart == ()


@given(ANY_TRAITS, ANY_TRAITS)
def test_near_is_mutual_and_its_distance_is_the_weighted_mean_that_is_shown(
    one: Traits, other: Traits
) -> None:
    assert distance(one, other) == pytest.approx(distance(other, one))
    for near in nearest(one, [entry(other)]).near:
        assert 0.0 <= near.distance <= NEAR
        weights = [WEIGHTS[part.trait] for part in near.compared]
        mean = sum(w * part.distance for w, part in zip(weights, near.compared, strict=True)) / sum(weights)
        assert near.distance == pytest.approx(mean)
        assert {part.trait for part in near.compared} | set(near.unknown) == set(WEIGHTS)


@given(ANY_TRAITS, ANY_TRAITS)
def test_what_is_not_known_counts_neither_for_nor_against(one: Traits, other: Traits) -> None:
    known = replace(one, deficit=None, weakest=None, sphincter=None)
    assert distance(known, other) == distance(
        known, replace(other, deficit=None, weakest=None, sphincter=None)
    )


def test_every_vertebra_farther_is_less_near_until_it_is_not_near() -> None:
    assert distance(HERS, HERS) == 0.0
    assert 0.0 < distance(HERS, replace(HERS, levels=("L1",))) < NEAR
    assert distance(HERS, replace(HERS, levels=("L3",))) is None
    assert distance(HERS, replace(HERS, levels=("L3", "T11"))) == distance(
        HERS, replace(HERS, levels=("T11",))
    )


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("T12", "L1", 1),
        ("T12", "T13", 1),
        ("T13", "L1", 1),
        ("L5", "sacrum", 1),
        ("L6", "L4", 2),
        ("T10", "L2", 4),
    ],
)
def test_vertebrae_are_counted_as_in_most_people(one: str, other: str, apart: int) -> None:
    assert vertebrae_apart(one, other) == vertebrae_apart(other, one) == apart


OWN = Case(
    patient=Patient(pseudonym="case-7", age_years=81, sex="F"),
    fractures=(Fracture(level="T12", cause="osteoporotic"),),
    procedures=(Procedure(kind="VP", level="T12"),),
    leaks=(Leak(compartment="epidural", level="T12", intradural="probable"),),
    deficit=Deficit(present="yes"),
    revisions=(Revision(durotomy="yes", laminectomy_levels=("T12",)),),
    outcomes=(
        Outcome(scale="mrc", as_written="1", value=1.0, side="left", muscle="quadriceps", days=0),
        Outcome(scale="bladder", as_written="retention", choice="impaired", days=0),
        Outcome(scale="mrc", as_written="4-", value=3.67, side="left", muscle="quadriceps", days=90),
    ),
)


def test_an_own_case_is_found_with_what_was_done_and_what_became_of_her() -> None:
    (hers,) = own_entries([OWN])
    assert hers.traits == Traits(
        levels=("T12",), intradural=True, epidural=True, deficit=True, weakest=1.0, sphincter=True
    )
    found = nearest(HERS, [*published_entries(), hers], at_most=20)
    mine = next(one for one in found.near if one.entry.own)
    assert mine.entry.account.done == "laminectomy T12, durotomy"
    assert "strength quadriceps left 4- (day 90)" in mine.entry.account.became
    assert "strength quadriceps left 1" not in mine.entry.account.became
    assert "13 published and own cases" in found.sentence


def test_a_case_that_was_withdrawn_is_not_compared() -> None:
    assert own_entries([OWN.model_copy(update={"withdrawn": True})]) == ()


def test_strength_from_before_the_cement_is_not_her_deficit() -> None:
    before = Outcome(scale="mrc", as_written="5", value=5.0, side="left", muscle="quadriceps", days=-3)
    case = OWN.model_copy(update={"outcomes": (before, *OWN.outcomes)})
    assert traits_of_case(case).weakest == 1.0


def test_that_no_cement_inside_the_dura_was_shown_is_kept_apart_from_not_known() -> None:
    leak = Leak(compartment="epidural", intradural="not_detected")
    assert traits_of_case(OWN.model_copy(update={"leaks": (leak,)})).intradural is False
    unknown = Leak(compartment="epidural", intradural="not_assessable")
    assert traits_of_case(OWN.model_copy(update={"leaks": (unknown,)})).intradural is None


def test_findings_without_a_time_are_those_of_the_beginning() -> None:
    outcomes = (
        Outcome(scale="mrc", as_written="0", value=0.0, side="left", muscle="quadriceps"),
        Outcome(scale="mrc", as_written="4", value=4.0, side="left", muscle="quadriceps", days=32.0),
    )
    assert traits_of_case(Case(patient=Patient(pseudonym="A1"), outcomes=outcomes)).weakest == 0.0
