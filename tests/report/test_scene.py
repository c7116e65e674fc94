"""The 3-D view: every deposit is there, in the patient's millimetres, with its volume."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
import trimesh

from thecal.report.scene import scene_json


@pytest.fixture(scope="module")
def traces(leaking):
    return [
        t for t in json.loads(scene_json(leaking.spine, leaking.leakage))["data"] if t["type"] == "mesh3d"
    ]


def test_the_legend_names_vertebrae_and_canal_in_a_colour_that_is_seen(leaking):
    shown = [t for t in json.loads(scene_json(leaking.spine, leaking.leakage))["data"] if t["showlegend"]]
    assert [t["name"] for t in shown[:2]] == ["vertebrae", "canal wall"]
    assert all(t.get("opacity", 1.0) == 1.0 for t in shown)


def unpacked(packed):
    return np.frombuffer(base64.b64decode(packed["bdata"]), np.dtype(packed["dtype"]).newbyteorder("<"))


def mesh(trace):
    vertices = np.stack([unpacked(trace[k]) for k in "xyz"], 1)
    faces = np.stack([unpacked(trace[k]) for k in "ijk"], 1).astype(int)
    return trimesh.Trimesh(vertices, faces, process=True)


def test_each_vertebra_the_canal_and_each_deposit_have_a_surface(traces, leaking):
    groups = [trace["legendgroup"] for trace in traces]
    assert groups.count("bone") == len(leaking.spine.vertebrae)
    assert groups.count("canal") == 1
    assert sorted(groups[-4:]) == ["epidural", "intradural", "intravertebral", "paravertebral"]


def test_a_deposits_surface_holds_its_volume_at_its_place(traces, leaking):
    for deposit in leaking.leakage.deposits:
        trace = next(t for t in traces if t["legendgroup"] == deposit.compartment)
        solid = mesh(trace)
        assert abs(solid.volume) / 1000 == pytest.approx(deposit.volume_ml, rel=0.2)
        middle = solid.bounds.mean(0)
        half = np.array(deposit.extent_mm) / 2
        assert np.all(np.abs(middle - deposit.centroid_mm) < half)


def test_hovering_a_deposit_shows_its_compartment_and_volume(traces):
    hovers = [t["hovertext"] for t in traces]
    assert any("epidural" in h and "1.080 ± 0.032 mL" in h and "T12" in h for h in hovers)
