from __future__ import annotations

import numpy as np
import pytest
from label_spine import LabelSpine, label_spine

from thecal.anatomy.ribs import rib_evidence
from thecal.frames import VertebraFrame


def frames(spine: LabelSpine) -> list[VertebraFrame]:
    return [
        VertebraFrame.from_axes(c + np.array([0, 15.0, 0]), cranial=[0, 0, 1], left=[1, 0, 0])
        for c in spine.centres
    ]


@pytest.mark.parametrize("spacing", [1.0, 2.0, 3.0])
def test_the_last_rib_is_told_from_the_first_lumbar_process(spacing: float) -> None:
    spine = label_spine([21, 20, 19, 18], spacing=spacing, ribs=(19, 18))
    found = rib_evidence(spine.volume.hu, spine.volume.grid, frames(spine), [24.0] * 4)
    probability = [e.probability for e in found]
    assert all(p is not None and p < 0.2 for p in probability[:2])
    assert all(p is not None and p > 0.8 for p in probability[2:])


def test_reach_of_a_transverse_process_is_its_length() -> None:
    spine = label_spine([21, 20])
    found = rib_evidence(spine.volume.hu, spine.volume.grid, frames(spine), [24.0] * 2)
    assert all(e.left_mm == pytest.approx(40, abs=4) for e in found)
    assert all(e.right_mm == pytest.approx(40, abs=4) for e in found)


def test_kidneys_full_of_contrast_beside_the_processes_are_no_ribs() -> None:
    spine = label_spine([21, 20])
    grid, hu = spine.volume.grid, spine.volume.hu.copy()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(grid.to_lps(index), -1, 0)
    hu[((np.abs(x) - 62) / 23) ** 2 + ((y + 2) / 24) ** 2 + ((z - 20) / 50) ** 2 <= 1] = 240
    found = rib_evidence(hu, grid, frames(spine), [24.0] * 2)
    assert all(e.probability is not None and e.probability < 0.2 for e in found)


def test_a_scan_too_narrow_to_show_ribs_does_not_tell() -> None:
    spine = label_spine([19], ribs=(19,))
    grid = spine.volume.grid
    x = grid.to_lps([[0, 0, i] for i in range(grid.shape[2])])[:, 0]
    keep = np.flatnonzero(np.abs(x) < 42)
    box = (slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(int(keep[0]), int(keep[-1]) + 1))
    found = rib_evidence(spine.volume.hu[box], grid.crop(box), frames(spine), [24.0])
    assert found[0].probability is None


def test_ribs_of_one_side_still_count() -> None:
    spine = label_spine([20, 19], ribs=(19,))
    hu = spine.volume.hu.copy()
    x = spine.volume.grid.to_lps([[0, 0, i] for i in range(hu.shape[2])])[:, 0]
    hu[:, :, x < -41] = 50
    found = rib_evidence(hu, spine.volume.grid, frames(spine), [24.0] * 2)
    assert found[1].probability is not None
    assert 0.5 < found[1].probability < 0.9


def test_short_twelfth_ribs_are_known_by_the_shorter_processes_below_them() -> None:
    spine = label_spine([21, 20, 19, 18], ribs=(19, 18))
    grid, hu = spine.volume.grid, spine.volume.hu.copy()
    index = np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), axis=-1)
    x, _, z = np.moveaxis(grid.to_lps(index), -1, 0)
    hu[(np.abs(x) > 54) & (z < spine.centres[2][2] + 13)] = 50
    found = rib_evidence(hu, grid, frames(spine), [24.0] * 4)
    assert all(e.probability is not None and e.probability < 0.2 for e in found[:2])
    assert found[2].probability is not None
    assert found[2].probability > 0.8
