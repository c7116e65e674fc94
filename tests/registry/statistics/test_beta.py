"""The incomplete beta function and its inverse, against SciPy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from thecal.registry.statistics.beta import beta_quantile, incomplete_beta

counts = st.integers(1, 200_000)


@given(counts, counts, st.floats(0.0, 1.0))
def test_the_share_below_is_scipys(a: int, b: int, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-6, abs=1e-12)


@given(counts, counts, st.sampled_from([0.025, 0.2, 0.8, 0.975]))
def test_the_quantile_is_scipys(a: int, b: int, share: float) -> None:
    assert beta_quantile(a, b, share) == pytest.approx(special.betaincinv(a, b, share), rel=1e-7)
