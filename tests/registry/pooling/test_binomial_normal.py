"""Pooling agrees with another program, with a published example, and with integrals by brute force."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import binom, norm

from thecal.errors import InputError
from thecal.registry.literature.library import library
from thecal.registry.pooling.binomial_normal import CONFIDENCE_CHI2, fit, log_likelihoods
from thecal.registry.proportion import clopper_pearson

# Made by metafor_reference.R beside it, which names its command.
REFERENCE = json.loads((Path(__file__).parent / "metafor_reference.json").read_text(encoding="utf-8"))
SETS = [name for name in REFERENCE if name != "made_by"]
COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize("name", SETS)
def test_pooled_rates_are_those_of_metafor(name: str) -> None:
    theirs = REFERENCE[name]
    ours = fit(theirs["events"], theirs["n"])
    assert ours.mu == pytest.approx(theirs["mu"], abs=2e-6)
    assert ours.se == pytest.approx(theirs["se"], abs=2e-6)
    assert ours.tau2 == pytest.approx(theirs["tau2"], abs=2e-6)
    assert ours.heterogeneity.i2 == pytest.approx(theirs["i2"], abs=2e-6)
    assert ours.heterogeneity.saturated_lr == pytest.approx(theirs["lr"], abs=1e-6)
    assert ours.heterogeneity.saturated_p == pytest.approx(theirs["lr_p"], rel=1e-6)
    for events, n, low, high in zip(
        theirs["events"], theirs["n"], theirs["exact_low"], theirs["exact_high"], strict=True
    ):
        assert clopper_pearson(events, n) == pytest.approx((low, high), abs=1e-9)


@pytest.mark.parametrize("name", SETS[:5])
def test_metafor_pooled_the_rows_that_are_stored(name: str) -> None:
    stored = {row.id: row.counts for row in library().incidence}
    counts = list(zip(REFERENCE[name]["events"], REFERENCE[name]["n"], strict=True))
    assert [stored[row] for row in REFERENCE[name]["ids"]] == counts


@pytest.mark.parametrize(
    ("name", "mu", "se", "tau2", "rate", "low", "high"),
    [
        ("stijnen2010_control", -3.50, 0.26, 0.81, 0.029, 0.018, 0.048),
        ("stijnen2010_treated", -4.81, 0.36, 0.83, 0.008, 0.004, 0.016),
    ],
)
def test_the_example_of_the_models_paper_comes_out_as_published(
    name: str, mu: float, se: float, tau2: float, rate: float, low: float, high: float
) -> None:
    # Stijnen 2010, Stat Med 29:3046, Table II, as quoted in metafor's own tests.
    found = fit(REFERENCE[name]["events"], REFERENCE[name]["n"])
    assert (round(found.mu, 2), round(found.se, 2), round(found.tau2, 2)) == (mu, se, tau2)
    assert (round(found.rate, 3), *(round(end, 3) for end in found.wald)) == (rate, low, high)


def brute_force(events: int, n: int, mu: float, tau: float) -> float:
    def under(z: float) -> float:
        return float(binom.pmf(events, n, 1 / (1 + np.exp(-mu - tau * z))) * norm.pdf(z))

    return float(
        np.log(quad(under, -14, 14, epsabs=0.0, epsrel=1e-11, limit=800, points=[-4, -1, 0, 1, 4])[0])
    )


@given(COUNTS, st.floats(-3.0, 3.0), st.floats(0.0, 1.5))
@settings(max_examples=15)
def test_the_integral_is_right(counts: tuple[int, int], mu: float, tau: float) -> None:
    events, n = counts
    value, _, _ = log_likelihoods(np.array([float(events)]), np.array([float(n)]), mu, tau)
    assert value[0] == pytest.approx(brute_force(events, n, mu, tau), abs=2e-6)


@given(COUNTS, st.floats(-3.0, 3.0), st.floats(0.05, 1.5))
@settings(max_examples=40)
def test_the_derivatives_are_those_of_the_integral(counts: tuple[int, int], mu: float, tau: float) -> None:
    events, n = (np.array([float(c)]) for c in counts)
    _, by_mu, by_tau = log_likelihoods(events, n, mu, tau)
    step = 1e-5

    def at(mu: float, tau: float) -> float:
        return float(log_likelihoods(events, n, mu, tau)[0][0])

    assert by_mu[0] == pytest.approx((at(mu + step, tau) - at(mu - step, tau)) / (2 * step), abs=1e-4)
    assert by_tau[0] == pytest.approx((at(mu, tau + step) - at(mu, tau - step)) / (2 * step), abs=1e-4)


def test_studies_that_agree_are_pooled_as_one() -> None:
    found = fit([10, 20, 30], [100, 200, 300])
    assert found.tau2 == 0.0
    assert found.rate == pytest.approx(0.1, abs=1e-9)
    assert found.se == pytest.approx(1 / np.sqrt(600 * 0.1 * 0.9), rel=1e-4)
    assert found.heterogeneity.tau_p == 1.0


def test_not_to_leak_is_the_mirror_of_leaking() -> None:
    one = fit([5, 40, 70], [50, 80, 90])
    other = fit([45, 40, 20], [50, 80, 90])
    assert other.rate == pytest.approx(1 - one.rate, abs=1e-6)
    assert other.tau2 == pytest.approx(one.tau2, abs=1e-5)
    assert other.interval == pytest.approx(tuple(1 - end for end in reversed(one.interval)), abs=1e-5)


def test_the_order_of_the_studies_does_not_matter() -> None:
    assert fit([5, 40, 70], [50, 80, 90]).rate == pytest.approx(fit([70, 5, 40], [90, 50, 80]).rate, abs=1e-7)


def test_at_the_ends_of_the_interval_the_likelihood_has_fallen_by_what_it_should() -> None:
    events, n = np.array([64.0, 94.0, 106.0, 64.0]), np.array([80.0, 139.0, 139.0, 113.0])
    found = fit([64, 94, 106, 64], [80, 139, 139, 113])
    for end in found.interval:
        logit = float(np.log(end / (1 - end)))
        best = max(float(log_likelihoods(events, n, logit, tau)[0].sum()) for tau in np.linspace(0, 1.5, 301))
        assert 2 * (found.log_likelihood - best) == pytest.approx(CONFIDENCE_CHI2, abs=1e-3)


def test_a_further_study_may_lie_farther_off_than_the_pooled_rate() -> None:
    found = fit([64, 94, 106, 64], [80, 139, 139, 113])
    assert found.prediction[0] < found.interval[0] < found.rate < found.interval[1] < found.prediction[1]
    assert fit([5, 40], [50, 80]).prediction is None


@pytest.mark.parametrize(
    ("events", "n", "said"),
    [
        ([3], [10], "single study"),
        ([0, 0], [10, 20], "no pooled rate is the likeliest"),
        ([10, 20], [10, 20], "no pooled rate is the likeliest"),
        ([5, 4], [10, 3], "none to all"),
    ],
)
def test_what_cannot_be_pooled_is_told(events: list[int], n: list[int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        fit(events, n)
