"""Intervals and powers against other tools and against counting."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from thecal.registry.proportion import clopper_pearson
from thecal.registry.statistics.intervals import (
    detectable_by_sign,
    detectable_difference,
    share,
    sign_test,
    widest_half,
)
from thecal.registry.statistics.kaplan_meier import at_risk, kaplan_meier
from thecal.registry.statistics.ordinal import kendall_tau, superiority


@pytest.mark.parametrize(("events", "total"), [(0, 12), (1, 93), (6, 11), (31, 69), (104, 176), (12, 12)])
def test_the_exact_interval_is_scipys(events: int, total: int) -> None:
    theirs = stats.binomtest(events, total).proportion_ci(0.95, "exact")
    assert clopper_pearson(events, total) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_under_ten_nothing_is_estimated() -> None:
    assert share("T12", 4, 9).value is None
    assert share("T12", 4, 10).value == 0.4


@pytest.mark.parametrize(("better", "worse"), [(9, 1), (5, 5), (0, 7), (12, 3)])
def test_the_sign_test_is_scipys(better: int, worse: int) -> None:
    assert sign_test(better, worse) == pytest.approx(stats.binomtest(better, better + worse).pvalue)


def test_nobody_changed_proves_nothing() -> None:
    assert sign_test(0, 0) == 1.0


@pytest.mark.parametrize("total", [10, 17, 40])
def test_so_many_getting_better_are_noticed_four_times_in_five(total: int) -> None:
    needed = detectable_by_sign(total)
    assert needed is not None
    counts = np.arange(total + 1)
    noticed = np.array([sign_test(int(k), int(total - k)) <= 0.05 and k > total / 2 for k in counts])
    power = stats.binom.pmf(counts, total, needed)[noticed].sum()
    assert power == pytest.approx(0.8, abs=1e-6)


def test_five_patients_can_never_show_a_change() -> None:
    assert detectable_by_sign(5) is None


def test_a_difference_that_is_said_to_be_noticeable_is_noticed() -> None:
    found = detectable_difference(120, 90, 0.2)
    assert found is not None
    rng = np.random.default_rng(1)
    first, second = rng.binomial(120, 0.2, 20000), rng.binomial(90, 0.2 + found, 20000)
    pooled = (first + second) / 210
    z = (second / 90 - first / 120) / np.sqrt(pooled * (1 - pooled) * (1 / 120 + 1 / 90))
    assert np.mean(np.abs(z) > 1.96) == pytest.approx(0.8, abs=0.03)
    assert detectable_difference(3, 3, 0.2) is None


def test_half_of_a_hundred_is_known_to_ten_points() -> None:
    assert widest_half(100) == pytest.approx(0.1, abs=0.003)


def test_better_with_ties_is_covered_by_its_interval_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(2)
    for up, down in ((0.5, 0.1), (0.8, 0.02), (0.25, 0.25)):
        counts = rng.multinomial(25, [up, down, 1 - up - down], 4000)
        true = 0.5 + (up - down) / 2
        inside = [
            (e.low or 0.0) <= true <= (e.high or 1.0) for e in (superiority(b, w, 25) for b, w, _ in counts)
        ]
        assert np.mean(inside) > 0.93


def test_kendalls_tau_is_scipys_with_ties() -> None:
    rng = np.random.default_rng(3)
    for size in (10, 40, 700):
        x = np.round(rng.exponential(20, size))
        y = rng.integers(0, 4, size).astype(float)
        assert kendall_tau(x, y).value == pytest.approx(stats.kendalltau(x, y).statistic)


def test_kendalls_interval_covers_what_is_true_of_many() -> None:
    rng = np.random.default_rng(4)

    def draw(size: int) -> tuple[np.ndarray, np.ndarray]:
        x = rng.normal(size=size)
        return x, np.digitize(-0.6 * x + rng.normal(size=size), [-1.0, 0.0, 1.0]).astype(float)

    true = kendall_tau(*draw(6000)).value
    found = [kendall_tau(*draw(30)) for _ in range(600)]
    inside = [e.low is not None and e.high is not None and e.low <= true <= e.high for e in found]
    assert np.mean(inside) > 0.91


def test_nothing_is_told_of_all_the_same() -> None:
    assert np.isnan(kendall_tau(np.ones(12), np.arange(12.0)).value)
    assert kendall_tau(np.arange(12.0), np.arange(12.0)).low is None


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined")
def test_kaplan_and_meiers_curve_is_scipys() -> None:
    rng = np.random.default_rng(5)
    times = np.ceil(rng.exponential(60, 50))
    seen = rng.random(50) < 0.6
    mine = kaplan_meier(times, seen)
    data = stats.CensoredData(uncensored=times[seen], right=times[~seen])
    sf = stats.ecdf(data).sf
    assert mine.waiting == pytest.approx(sf.evaluate(mine.times))
    bounds = sf.confidence_interval(0.95, method="log-log")
    known = np.isfinite(mine.low)
    assert known.sum() > 10
    assert mine.low[known] == pytest.approx(bounds.low.evaluate(mine.times)[known])
    assert mine.high[known] == pytest.approx(bounds.high.evaluate(mine.times)[known])


def test_the_curve_of_six_patients_by_hand() -> None:
    # 6, 6, 6+, 7, 10+, 13 days; + is seen no more.
    times = np.array([6.0, 6.0, 6.0, 7.0, 10.0, 13.0])
    curve = kaplan_meier(times, np.array([True, True, False, True, False, True]))
    assert curve.times.tolist() == [6.0, 7.0, 13.0]
    assert curve.at_risk.tolist() == [6.0, 3.0, 1.0]
    assert curve.waiting == pytest.approx([4 / 6, 4 / 6 * 2 / 3, 0.0])
    assert curve.median() == 7.0
    assert at_risk(times, 7.0) == 3
