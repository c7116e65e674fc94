from __future__ import annotations

import numpy as np
import pytest
from label_spine import label_spine

from thecal.anatomy.sacrum import find_sacrum, sacrum_below, sacrum_mask
from thecal.frames import CanalFrame, VertebraFrame


def straight_canal(low: float, high: float) -> CanalFrame:
    return CanalFrame.through(np.stack([np.array([0.0, 0.0, z]) for z in np.linspace(low, high, 30)]))


@pytest.mark.parametrize("spacing", [1.5, 3.0])
def test_the_top_of_the_sacrum_is_found_below_l5(spacing: float) -> None:
    spine = label_spine([24, 23, 22], spacing=spacing, sacrum=True)
    canal = straight_canal(-50, 95)
    sacrum = find_sacrum(spine.volume.hu, spine.volume.grid, canal)
    assert sacrum is not None
    assert sacrum.frame.origin[2] == pytest.approx(-8, abs=4)
    frames = [
        VertebraFrame.from_axes(c + np.array([0, 15.0, 0]), [0, 0, 1], [1, 0, 0]) for c in spine.centres
    ]
    below = sacrum_below(sacrum, canal, frames)
    assert below[0] >= 0.8
    assert below[1:] == [0.0, 0.0]


def test_the_sacrum_is_found_below_a_canal_that_ends_at_l5() -> None:
    spine = label_spine([24, 23], sacrum=True)
    sacrum = find_sacrum(spine.volume.hu, spine.volume.grid, straight_canal(10, 60))
    assert sacrum is not None
    assert sacrum.top_s_mm < 0


def test_a_lumbar_or_thoracic_spine_has_no_sacrum() -> None:
    spine = label_spine([21, 20, 19, 18], ribs=(19, 18))
    canal = straight_canal(-10, 125)
    assert find_sacrum(spine.volume.hu, spine.volume.grid, canal) is None
    assert sacrum_below(None, canal, []) == []


def test_a_sacral_segment_found_as_a_vertebra_is_not_l5() -> None:
    spine = label_spine([24, 23], sacrum=True)
    canal = straight_canal(-60, 60)
    sacrum = find_sacrum(spine.volume.hu, spine.volume.grid, canal)
    frames = [VertebraFrame.from_axes([0, -8, z], [0, 0, 1], [1, 0, 0]) for z in (-22.0, 12.0, 44.0)]
    below = sacrum_below(sacrum, canal, frames)
    assert below[0] == 0.0
    assert below[1] >= 0.8


def test_the_sacrums_mask_stops_at_the_joints_and_at_its_top() -> None:
    spine = label_spine([24, 23], sacrum=True)
    grid = spine.volume.grid
    sacrum = find_sacrum(spine.volume.hu, grid, straight_canal(-60, 60))
    assert sacrum is not None
    mask = sacrum_mask(spine.volume.hu, grid, sacrum)
    truth = spine.labels == 26
    assert 2 * (mask & truth).sum() / (mask.sum() + truth.sum()) > 0.85
    assert not (mask & (spine.labels == 24)).any()
