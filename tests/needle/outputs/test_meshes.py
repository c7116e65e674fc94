"""Surfaces: of the right size, in the right place, and as other programs read them."""

from __future__ import annotations

import io

import numpy as np
import pytest
import trimesh
from hypothesis import given
from hypothesis import strategies as st

from thecal.needle.outputs.meshes import needle_mesh, scene_glb, stl_bytes, vertebra_mesh
from thecal.needle.outputs.needles import needles_of, start_mm


def test_the_vertebra_is_as_large_as_its_label_and_faces_outward(case):
    mesh = trimesh.Trimesh(*vertebra_mesh(case.spine, case.vertebra.id))
    label_mm3 = float((case.spine.labels == case.vertebra.id).sum()) * case.spine.grid.voxel_mm3
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(label_mm3, rel=0.04)


def test_the_vertebra_lies_where_its_label_lies(case):
    vertices, _ = vertebra_mesh(case.spine, case.vertebra.id)
    points = case.spine.grid.to_lps(np.argwhere(case.spine.labels == case.vertebra.id))
    np.testing.assert_allclose(vertices.min(0), points.min(0), atol=1.0)
    np.testing.assert_allclose(vertices.max(0), points.max(0), atol=1.0)


def test_the_needle_is_a_rod_of_its_own_width_from_start_to_tip(case):
    for needle in needles_of(case.plan):
        mesh = trimesh.Trimesh(*needle_mesh(needle))
        length = np.linalg.norm(np.asarray(needle.way.tip_mm) - start_mm(needle.way))
        assert mesh.volume == pytest.approx(np.pi * (needle.way.gauge.outer_mm / 2) ** 2 * length, rel=0.02)
        middle = (np.asarray(needle.way.tip_mm) + start_mm(needle.way)) / 2
        np.testing.assert_allclose(mesh.center_mass, middle, atol=1e-3)


def test_an_stl_says_that_it_is_lps_and_is_read_back(case):
    mesh = vertebra_mesh(case.spine, case.vertebra.id)
    content = stl_bytes(mesh)
    assert b"SPACE=LPS" in content[:80]
    assert not content.startswith(b"solid")
    back = trimesh.load(io.BytesIO(content), file_type="stl")
    np.testing.assert_allclose(back.bounds, [mesh[0].min(0), mesh[0].max(0)], atol=1e-3)


@pytest.fixture(scope="module")
def scene(case):
    content = scene_glb(case.spine, case.vertebra, case.plan)
    return trimesh.load(io.BytesIO(content), file_type="glb")


def test_the_scene_names_and_colours_what_it_shows(scene):
    assert set(scene.geometry) == {
        "T12",
        "T11",
        "L1",
        "thecal sac",
        "T12 one needle, from the left",
        "T12 left of two needles",
        "T12 right of two needles",
    }
    colours = {
        tuple(scene.geometry[name].visual.material.baseColorFactor)
        for name in scene.geometry
        if "needle" in name
    }
    assert len(colours) == 3


def test_the_scene_stands_upright_with_its_front_to_the_viewer(case, scene):
    name = "T12 one needle, from the left"
    turned, _ = scene.graph[name]
    tip = np.asarray(case.plan.single.tip_mm)
    x, y, z = (turned @ [*tip, 1.0])[:3]
    # Her left is the picture's right, her head is up, her front is ahead; metres.
    np.testing.assert_allclose((x, y, z), 0.001 * np.array([tip[0], tip[2], -tip[1]]), atol=1e-9)


@given(tip=st.tuples(*[st.floats(-80.0, 80.0)] * 3))
def test_a_needle_of_any_direction_keeps_its_width(case, tip):
    from dataclasses import replace

    first = needles_of(case.plan)[0]
    start = start_mm(first.way)
    way = replace(first.way, tip_mm=tuple((start + np.asarray(tip) + [0.0, 0.0, 100.0]).tolist()))
    vertices, _ = needle_mesh(first._replace(way=way))
    along = np.asarray(way.tip_mm) - start
    along /= np.linalg.norm(along)
    offset = vertices - start
    aside = np.linalg.norm(offset - (offset @ along)[:, None] * along, axis=1)
    assert aside.max() == pytest.approx(way.gauge.outer_mm / 2, abs=1e-6)
