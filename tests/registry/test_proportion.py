"""The exact interval of one proportion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from thecal.errors import InputError
from thecal.registry.proportion import clopper_pearson


@given(st.integers(1, 4000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_each_end_leaves_a_fortieth_of_the_binomial_beyond_it(counts: tuple[int, int]) -> None:
    events, n = counts
    low, high = clopper_pearson(events, n)
    assert 0.0 <= low <= events / n <= high <= 1.0
    if events > 0:
        assert binom.sf(events - 1, n, low) == pytest.approx(0.025, rel=1e-6)
    if events < n:
        assert binom.cdf(events, n, high) == pytest.approx(0.025, rel=1e-6)


def test_no_leak_in_a_hundred_may_still_be_one_in_twenty_eight() -> None:
    low, high = clopper_pearson(0, 100)
    assert low == 0.0
    assert high == pytest.approx(1.0 - 0.025 ** (1 / 100))


@pytest.mark.parametrize(("events", "n"), [(5, 4), (-1, 4), (0, 0)])
def test_what_is_no_proportion_is_refused(events: int, n: int) -> None:
    with pytest.raises(InputError, match="is no proportion"):
        clopper_pearson(events, n)
