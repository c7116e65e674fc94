"""Cement's shadow grows as fast as cement is injected; what grows or shrinks faster is soft tissue."""

from __future__ import annotations

import pytest

from thecal.fluoro.front.shadow_growth import ShadowGrowth


def _seen(areas: list[float], step_s: float = 0.2) -> list[str]:
    growth = ShadowGrowth()
    return [growth.see(step_s * k, area) for k, area in enumerate(areas)]


def test_a_shadow_that_grows_by_40_mm2_a_second_is_cement() -> None:
    assert not any(_seen([8.0 * k for k in range(60)]))


def test_a_shadow_that_comes_all_at_once_is_soft_tissue() -> None:
    assert "faster than cement flows" in _seen([10.0, 12.0, 190.0])[-1]


def test_a_shadow_that_goes_away_is_soft_tissue() -> None:
    assert "faster than cement flows" in _seen([60.0, 100.0, 140.0, *[195.0] * 6, 0.0])[-1]


def test_more_than_can_have_been_injected_is_soft_tissue() -> None:
    areas = [0.0, *[50.0 * k for k in range(1, 9)]]
    assert "More is dark" in _seen(areas)[-1]


def test_its_growth_is_that_of_the_last_second() -> None:
    growth = ShadowGrowth()
    assert growth.see(0.0, 0.0) == ""
    assert growth.mm2_s is None
    for k in range(1, 21):
        growth.see(0.1 * k, 3.0 * k)
    assert growth.mm2_s == pytest.approx(30.0, rel=0.01)
