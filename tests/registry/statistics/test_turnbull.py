"""Turnbull's estimate against another program, and against reasoning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thecal.registry.statistics.kaplan_meier import kaplan_meier
from thecal.registry.statistics.turnbull import GAP, turnbull

REFERENCE: dict[str, Any] = json.loads(Path(__file__).with_name("npsurv_reference.json").read_text())
SETS = [name for name in REFERENCE if name != "made_by"]


def _days(values: list[float | None]) -> np.ndarray:
    return np.array([np.inf if value is None else value for value in values], float)


@pytest.mark.parametrize("name", SETS)
def test_the_estimate_between_visits_is_npsurvs(name: str) -> None:
    theirs = REFERENCE[name]
    mine = turnbull(_days(theirs["left"]), _days(theirs["right"]))
    assert mine.log_likelihood == pytest.approx(theirs["log_likelihood"], abs=2e-6)
    assert mine.gap <= GAP
    begin, end, mass = _days(theirs["begin"]), _days(theirs["end"]), np.array(theirs["mass"])
    for day in np.unique(np.concatenate([begin, end[np.isfinite(end)]])):
        least, most = mine.waiting_at(day)
        assert least == pytest.approx(mass[begin >= day].sum(), abs=5e-4)
        assert most == pytest.approx(mass[end > day].sum(), abs=5e-4)


def test_three_patients_by_hand() -> None:
    # (0, 10], (5, 20] and never by 20: (5, 10] holds both that recovered, and the rest lies beyond 20.
    found = turnbull(np.array([0.0, 5.0, 20.0]), np.array([10.0, 20.0, np.inf]))
    assert found.left.tolist() == [5.0, 20.0]
    assert found.right.tolist() == [10.0, np.inf]
    assert found.mass == pytest.approx([2 / 3, 1 / 3])
    assert found.waiting_at(5.0) == pytest.approx((1.0, 1.0))
    assert found.waiting_at(7.0) == pytest.approx((1 / 3, 1.0))
    assert found.median() == (5.0, 10.0)


def test_visits_that_meet_on_a_day_share_no_time() -> None:
    found = turnbull(np.array([2.0, 5.0]), np.array([5.0, 9.0]))
    assert (found.left.tolist(), found.right.tolist()) == ([2.0, 5.0], [5.0, 9.0])
    assert found.mass == pytest.approx([0.5, 0.5])


def test_with_visits_every_day_it_is_kaplan_and_meiers() -> None:
    rng = np.random.default_rng(8)
    times = np.ceil(rng.exponential(30, 60))
    seen = rng.random(60) < 0.7
    found = turnbull(np.where(seen, times - 1, times), np.where(seen, times, np.inf))
    curve = kaplan_meier(times, seen)
    assert [found.waiting_at(day)[1] for day in curve.times] == pytest.approx(curve.waiting, abs=1e-4)


def test_half_that_never_recover_have_no_median() -> None:
    assert turnbull(np.array([0.0, 9.0, 9.0]), np.array([3.0, np.inf, np.inf])).median() is None


def test_no_curve_nearby_is_more_likely() -> None:
    theirs = REFERENCE["own_days"]
    left, right = _days(theirs["left"]), _days(theirs["right"])
    best = turnbull(left, right)
    rng = np.random.default_rng(9)
    inside = (left[:, None] <= best.left) & (best.right <= right[:, None])
    for _ in range(200):
        other = best.mass * rng.uniform(0.9, 1.1, best.mass.size)
        likely = np.log((inside * (other / other.sum())).sum(1)).sum()
        assert likely <= best.log_likelihood + GAP
