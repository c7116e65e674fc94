"""Needle and vertebra as surfaces: STL for planning programs, GLB with names and colours for any viewer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.outputs.needles import PlannedNeedle, level_words, needles_of, start_mm
from thecal.needle.outputs.pedicle_surfaces import PedicleSurfaces
from thecal.needle.pictures.colours import NEEDLE_COLOURS, rgb
from thecal.needle.plan_value import LevelPlan
from thecal.report.mesh_traces import Mesh, strip
from thecal.terms import Side, vertebra_name
from thecal.volume import FloatArray, Grid, box_of

STL_HEADER: Final = b"thecal research use only SPACE=LPS"
"""3D Slicer reads the coordinate system from here; a binary STL must not begin with "solid"."""
EVERY_MM: Final = 0.9
"""Spacing of the grid that a surface is drawn on."""
CANAL_REACH_MM: Final = 32.0
"""How much of the canal is shown above and below the vertebra."""
SIDES_OF_NEEDLE: Final = 32
BONE: Final = "#d8cdb4"
SAC: Final = "#6d8fb3"
CORTEX: Final = "#8c7b57"
MARROW: Final = "#c9744f"
TO_GLTF: Final = 0.001 * np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""LPS mm to glTF's metres: x to her left, y to the head, z to the front."""


def vertebra_mesh(spine: Spine, label: int) -> Mesh | None:
    """The surface of one vertebra, (vertices LPS mm, faces); None where the map has none of it.

    The distance from the surface is interpolated rather than the voxels, so that thick slices leave no steps.
    """
    mask = spine.labels == label
    box = box_of(mask, 2)
    if box is None:
        return None
    spacing = spine.grid.spacing_mm
    inside = np.pad(mask[box], 1)
    distance = ndimage.distance_transform_edt(inside, sampling=spacing)
    distance -= ndimage.distance_transform_edt(~inside, sampling=spacing)
    factor = spacing / EVERY_MM
    fine = ndimage.zoom(distance.astype(np.float32), factor, order=1, grid_mode=False)
    from skimage.measure import marching_cubes

    fine = ndimage.gaussian_filter(fine, np.maximum(0.5 * factor, 0.6))
    if not fine.min() < 0.0 < fine.max():
        return None
    vertices, faces, _, _ = marching_cubes(fine, 0.0, gradient_direction="descent")
    shrunk = (np.array(inside.shape) - 1) / (np.array(fine.shape) - 1)
    grid: Grid = spine.grid.crop(box)
    return grid.to_lps(vertices * shrunk - 1), faces.astype(np.int64)


def needle_mesh(needle: PlannedNeedle) -> Mesh:
    """The needle from its start to its tip as a cylinder of its outer diameter, LPS mm."""
    import trimesh

    ends = np.stack([start_mm(needle.way), np.asarray(needle.way.tip_mm, float)])
    made = trimesh.creation.cylinder(
        radius=needle.way.gauge.outer_mm / 2, segment=ends, sections=SIDES_OF_NEEDLE
    )
    return np.asarray(made.vertices, float), np.asarray(made.faces, np.int64)


def sac_mesh(spine: Spine, vertebra: Vertebra) -> Mesh:
    """The thecal sac beside the vertebra, open at both ends, LPS mm."""
    canal = spine.canal
    at = float(canal.frame.locate(vertebra.frame.origin[None])[0][0])
    rows = np.flatnonzero(np.abs(canal.frame.s_mm - at) < CANAL_REACH_MM)
    outward = canal.frame.outward(canal.theta)[rows]
    points: FloatArray = canal.frame.points[rows, None] + canal.sac_mm[rows][..., None] * outward
    return strip(points, closed=True)


def pedicle_mesh(surfaces: PedicleSurfaces) -> Mesh:
    """Outer and, where it is seen, inner surface of a pedicle as one mesh of two shells, LPS mm."""
    if surfaces.inner is None:
        return surfaces.outer
    (outer, outside), (inner, inside) = surfaces.outer, surfaces.inner
    return np.concatenate([outer, inner]), np.concatenate([outside, inside + len(outer)])


def stl_bytes(mesh: Mesh) -> bytes:
    """A surface as binary STL, LPS mm."""
    import trimesh

    made = trimesh.Trimesh(*mesh, process=False).export(file_type="stl")
    return STL_HEADER.ljust(80, b" ") + bytes(made)[80:]


def scene_glb(
    spine: Spine, vertebra: Vertebra, plan: LevelPlan, pedicles: Mapping[Side, PedicleSurfaces] | None = None
) -> bytes:
    """The vertebra with its neighbours, pedicles, the sac and the needles, named and coloured, as GLB.

    Vertices are LPS mm; the scene's root turns them into glTF's metres with the head up and the front ahead.
    """
    import trimesh

    scene = trimesh.Scene()
    order = [v.id for v in spine.vertebrae]
    rank = order.index(vertebra.id)
    turn = np.eye(4)
    turn[:3, :3] = TO_GLTF

    def add(mesh: Mesh | None, name: str, colour: str, opacity: float) -> None:
        if mesh is None:
            return
        body = trimesh.Trimesh(*mesh, process=False)
        body.visual = trimesh.visual.TextureVisuals(material=_material(name, colour, opacity))
        scene.add_geometry(body, node_name=name, geom_name=name, transform=turn)

    for near in spine.vertebrae[max(rank - 1, 0) : rank + 2]:
        name = vertebra_name(near.level, near.id)
        add(vertebra_mesh(spine, near.id), name, BONE, 0.75 if near.id == vertebra.id else 0.35)
    add(sac_mesh(spine, vertebra), "thecal sac", SAC, 0.6)
    for side, surfaces in (pedicles or {}).items():
        add(surfaces.outer, f"{side} pedicle, outer cortex", CORTEX, 0.6)
        add(surfaces.inner, f"{side} pedicle, inner cortex", MARROW, 1.0)
    for needle in needles_of(plan):
        name = f"{level_words(plan)} {needle.words}"
        add(needle_mesh(needle), name, NEEDLE_COLOURS[needle.key], 1.0)
    return bytes(scene.export(file_type="glb"))


def _material(name: str, colour: str, opacity: float) -> Any:
    import trimesh

    return trimesh.visual.material.PBRMaterial(
        name=name,
        baseColorFactor=[*rgb(colour), opacity],
        alphaMode="OPAQUE" if opacity == 1.0 else "BLEND",
        metallicFactor=0.0,
        roughnessFactor=0.7,
        doubleSided=True,
    )
