"""The incomplete beta function and its inverse against SciPy's."""

from __future__ import annotations

import pytest
from scipy import special

from thecal.registry.incomplete_beta import incomplete_beta, incomplete_beta_inverse

CASES = [
    (events, n)
    for n in (1, 2, 9, 40, 176, 3175, 100_000)
    for events in sorted({0, 1, n // 3, n // 2, n - 1})
    if events < n
]


@pytest.mark.parametrize(("events", "n"), CASES)
def test_tails_and_their_quantiles_are_scipys_from_one_patient_to_a_hundred_thousand(
    events: int, n: int
) -> None:
    a, b = events + 1, n - events
    for share in (0.025, 0.2, 0.5, 0.8, 0.975):
        theirs = float(special.betaincinv(a, b, share))
        assert incomplete_beta_inverse(a, b, share) == pytest.approx(theirs, rel=2e-9)
        assert incomplete_beta(a, b, theirs) == pytest.approx(share, abs=1e-9)


def test_nothing_lies_below_0_and_all_below_1() -> None:
    assert incomplete_beta(3, 4, 0.0) == 0.0
    assert incomplete_beta(3, 4, 1.0) == 1.0


def test_of_one_patient_the_share_is_the_tail_itself() -> None:
    assert incomplete_beta_inverse(1, 1, 0.3) == pytest.approx(0.3, rel=1e-14)
