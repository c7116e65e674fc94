"""Pedicles by what a screw would find there, on phantoms whose pedicles are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from thecal.anatomy.spine import Part, Spine
from thecal.leakage.revision.pedicle_size import sizes_of
from thecal.phantom.patient import Case, make_patient

VOXEL_MM = 0.7


@pytest.fixture(scope="module")
def patient() -> Case:
    return make_patient(1, "T11-L1", spacing_mm=(1.0, VOXEL_MM, VOXEL_MM), fov_mm=110.0)


def measured(spine: Spine) -> dict[tuple[str | None, str], tuple[float | None, float | None]]:
    ids = [v.id for v in spine.vertebrae if v.complete]
    nothing = np.zeros(spine.labels.shape, bool)
    return {
        (p.level, p.side): (p.width_mm, p.height_mm) for p in sizes_of(spine, spine.vertebrae, ids, nothing)
    }


def test_width_and_height_are_right_to_two_voxels(patient: Case) -> None:
    true = {v.level: v.size for v in patient.model.vertebrae}
    found = measured(patient.spine)
    assert {level for level, _ in found} == {"T11", "T12", "L1"}
    for (level, _), (width, height) in found.items():
        assert level is not None
        assert width == pytest.approx(true[level].pedicle_width, abs=2 * VOXEL_MM)
        assert height == pytest.approx(true[level].pedicle_height, abs=2 * VOXEL_MM)


def test_the_neck_of_a_rib_that_hangs_on_the_pedicle_does_not_widen_it(patient: Case) -> None:
    spine = patient.spine
    t12 = next(v for v in spine.vertebrae if v.level == "T12")
    before = measured(spine)["T12", "left"]
    labels, parts = spine.labels.copy(), spine.parts.copy()
    local = t12.frame.to_local(spine.grid.to_lps(np.argwhere(np.ones(labels.shape, bool))))
    arch = local[((labels == t12.id) & (parts == Part.ARCH)).ravel()]
    pedicle = arch[(np.abs(arch[:, 1] + 5) < 1) & (arch[:, 0] > 4) & (arch[:, 0] < 20)]
    middle = np.median(pedicle[:, 2])
    rib = (
        (local[:, 0] > np.median(pedicle[:, 0]))
        & (local[:, 0] < 26)
        & (np.abs(local[:, 1] + 5) < 5)
        & (np.abs(local[:, 2] - middle) < 2.5)
    ).reshape(labels.shape)
    labels[rib], parts[rib] = t12.id, Part.ARCH
    width, height = measured(replace(spine, labels=labels, parts=parts))["T12", "left"]
    assert width == pytest.approx(before[0], abs=2 * VOXEL_MM)
    assert height == pytest.approx(before[1], abs=2 * VOXEL_MM)
