"""A pedicle's cortices: of the size that was drawn, and the inner one only where the scan shows it."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import trimesh

from thecal.needle.outputs.meshes import pedicle_mesh, scene_glb, stl_bytes
from thecal.needle.outputs.pedicle_surfaces import pedicle_surfaces

OUTER_MM, INNER_MM = 5.0, 3.0


@pytest.fixture(scope="module")
def tube(case):
    """The left pedicle drawn as a tube of cortex, 10 mm wide, with marrow of 6 mm; and its corridor."""
    found = case.plan.sides[0].corridor
    middle = np.asarray(found.isthmus_mm)
    away = {}
    for name, grid in (("labels", case.spine.grid), ("hu", case.volume.grid)):
        index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
        off = grid.to_lps(index) - middle
        along = off @ found.axis
        across = np.linalg.norm(off - along[..., None] * found.axis, axis=-1)
        away[name] = np.where(np.abs(along) < 7.0, across, np.inf)
    labels, hu = case.spine.labels.copy(), case.volume.hu.copy()
    labels[(away["labels"] < 14.0) & (labels == case.vertebra.id)] = 0
    labels[away["labels"] <= OUTER_MM] = case.vertebra.id
    hu[away["hu"] < 14.0] = 40
    hu[away["hu"] <= OUTER_MM] = 900
    hu[away["hu"] <= INNER_MM] = 150
    theta = np.linspace(0.0, 2.0 * np.pi, 48)
    frame = case.vertebra.frame
    ring = OUTER_MM * (np.cos(theta)[:, None] * frame.left + np.sin(theta)[:, None] * frame.cranial)
    corridor = replace(found, outline=middle + ring, inner_width_mm=2.0 * INNER_MM)
    return replace(case.volume, hu=hu), replace(case.spine, labels=labels), corridor


def radii(mesh, corridor):
    off = mesh[0] - np.asarray(corridor.isthmus_mm)
    return np.linalg.norm(off - (off @ corridor.axis)[:, None] * corridor.axis, axis=1)


def test_both_cortices_are_as_wide_as_they_are(case, tube):
    volume, spine, corridor = tube
    found = pedicle_surfaces(volume, spine, case.vertebra, corridor)
    voxel = float(spine.grid.spacing_mm.max())
    assert np.median(radii(found.outer, corridor)) == pytest.approx(OUTER_MM, abs=voxel / 2)
    assert found.inner is not None
    assert np.median(radii(found.inner, corridor)) == pytest.approx(INNER_MM, abs=voxel / 2)


def test_a_scan_that_does_not_show_the_marrow_gives_no_inner_surface(case, tube):
    volume, spine, corridor = tube
    blurred = pedicle_surfaces(volume, spine, case.vertebra, replace(corridor, inner_width_mm=None))
    assert blurred.inner is None
    hu = np.where(volume.hu == 150, 900, volume.hu).astype(volume.hu.dtype)
    dense = pedicle_surfaces(replace(volume, hu=hu), spine, case.vertebra, corridor)
    assert dense.inner is None


def test_other_programs_read_both_shells_and_their_names(case, tube):
    volume, spine, corridor = tube
    found = pedicle_surfaces(volume, spine, case.vertebra, corridor)
    back = trimesh.load(io.BytesIO(stl_bytes(pedicle_mesh(found))), file_type="stl")
    assert back.body_count == 2
    scene = trimesh.load(
        io.BytesIO(scene_glb(spine, case.vertebra, case.plan, {"left": found})), file_type="glb"
    )
    assert {"left pedicle, outer cortex", "left pedicle, inner cortex"} <= set(scene.geometry)
