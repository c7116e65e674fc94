"""The seven signs together: one probability, its interval, and what moves it."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.errors import InputError
from thecal.leakage.findings import IntraduralSign
from thecal.leakage.intradural.probability import (
    SPAN,
    evidence,
    judge,
    not_assessable,
    nothing_seen,
    stored_model,
)
from thecal.terms import SIGNS, SignName

PRIORS = st.floats(0.001, 0.999)


def sign_of(name: SignName, strength: float | None) -> IntraduralSign:
    """A sign that speaks so strongly for the dura; None leaves it unread."""
    if strength is None:
        return IntraduralSign(name, "not_assessable", None, None, None, "", "")
    least, most = SPAN[name]
    return IntraduralSign(name, "present", least + strength * (most - least), None, None, "", "")


def signs_of(strengths: list[float | None]) -> tuple[IntraduralSign, ...]:
    return tuple(sign_of(name, x) for name, x in zip(SIGNS, strengths, strict=True))


STRENGTHS = st.lists(st.none() | st.floats(0, 1), min_size=7, max_size=7)


@given(STRENGTHS, st.integers(0, 6), st.floats(0, 1), st.floats(0, 1), PRIORS)
def test_a_stronger_sign_never_makes_cement_inside_the_dura_less_probable(
    others: list[float | None], which: int, a: float, b: float, prior: float
) -> None:
    found = []
    for strength in sorted((a, b)):
        strengths = [*others]
        strengths[which] = strength
        found.append(judge(signs_of(strengths), prior).probability)
    assert found[0] is not None
    assert found[1] is not None
    assert found[1] >= found[0] - 1e-12


@given(STRENGTHS, PRIORS, PRIORS)
def test_the_prior_moves_the_odds_as_bayes_says(
    strengths: list[float | None], one: float, other: float
) -> None:
    a, b = judge(signs_of(strengths), one), judge(signs_of(strengths), other)
    assert a.likelihood_ratio == b.likelihood_ratio
    assert a.probability is not None
    assert b.probability is not None

    def odds(p: float) -> float:
        return log(p / (1 - p))

    if 1e-9 < a.probability < 1 - 1e-9 and 1e-9 < b.probability < 1 - 1e-9:
        assert odds(a.probability) - odds(b.probability) == pytest.approx(odds(one) - odds(other), abs=1e-5)


@given(STRENGTHS)
def test_the_interval_holds_the_probability(strengths: list[float | None]) -> None:
    found = judge(signs_of(strengths))
    assert found.interval is not None
    assert found.probability is not None
    assert found.interval[0] <= found.probability <= found.interval[1]


def test_without_any_sign_the_probability_is_the_prior() -> None:
    assert judge(signs_of([None] * 7), 0.02).probability == pytest.approx(0.02)


def test_a_sign_that_was_not_read_adds_nothing() -> None:
    read = signs_of([0.5] * 7)
    model = stored_model()
    for i, name in enumerate(SIGNS):
        if model.spread[i] == 0:
            continue
        unread = tuple(sign_of(name, None) if s.name == name else s for s in read)
        assert dict(judge(unread).weights)[name] == 0.0
        # Against the same odds with the sign's own part taken away.
        with_it, without = judge(read), judge(unread)
        assert with_it.likelihood_ratio is not None
        assert without.likelihood_ratio is not None
        part = dict(with_it.weights)[name]
        assert log(with_it.likelihood_ratio) - log(without.likelihood_ratio) == pytest.approx(part, abs=1e-3)


def width(strengths: list[float | None]) -> float:
    """Of the interval in log odds."""
    found = judge(signs_of(strengths))
    assert found.interval is not None
    low, high = (log(p / (1 - p)) for p in found.interval)
    return high - low


@given(st.lists(st.floats(0, 1), min_size=7, max_size=7), st.sets(st.integers(0, 6), min_size=1))
def test_reading_a_sign_never_widens_the_interval(strengths: list[float], unread: set[int]) -> None:
    some: list[float | None] = [None if i in unread else x for i, x in enumerate(strengths)]
    assert width(some) >= width([*strengths]) - 1e-6


def test_a_state_without_a_number_is_no_evidence() -> None:
    assert evidence(IntraduralSign("layering", "present", None, None, None, "", "")) is None
    assert evidence(IntraduralSign("layering", "not_assessable", 12.0, "mm", 3.0, "", "")) is None


def test_values_beyond_the_span_count_no_more_than_its_end() -> None:
    far = IntraduralSign("layering", "present", 90.0, "mm", 3.0, "", "")
    assert evidence(far) == 1.0


def test_all_signs_strong_is_probable_and_all_weak_is_not_detected() -> None:
    assert judge(signs_of([1.0] * 7)).finding == "probable"
    assert judge(signs_of([0.0] * 7)).finding == "not_detected"


def test_the_same_signs_with_a_low_prior_are_less_probable() -> None:
    signs = signs_of([None, 1.0, 1.0, 0.5, None, 0.0, 1.0])
    rare, even = judge(signs, 0.001), judge(signs)
    assert rare.probability is not None
    assert even.probability is not None
    assert rare.probability < even.probability
    assert even.finding == "probable"
    assert rare.finding != "probable"


def test_a_canal_without_cement_makes_it_improbable_and_no_more() -> None:
    found = nothing_seen()
    assert found.finding == "not_detected"
    assert found.probability is not None
    assert 0 < found.probability < 0.1


def test_what_is_not_assessable_has_no_probability_and_a_reason() -> None:
    found = not_assessable("Slices of 5 mm are too thick.")
    assert (found.finding, found.probability, found.interval) == ("not_assessable", None, None)
    assert found.why == "Slices of 5 mm are too thick."


@pytest.mark.parametrize("prior", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_a_prior_that_is_no_probability_is_refused(prior: float) -> None:
    with pytest.raises(InputError, match="no probability between 0 and 1"):
        judge(signs_of([0.5] * 7), prior)


def test_no_weight_of_the_stored_model_is_negative() -> None:
    model = stored_model()
    assert (model.for_ >= 0).all()
    assert (model.against >= 0).all()
    assert model.covariance.shape == (14, 14)
