"""The interactive 3-D view: translucent vertebrae, the canal, the deposits by compartment."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import marching_cubes

from thecal.anatomy.spine import Canal, Spine
from thecal.leakage.findings import Deposit, Leakage
from thecal.report.headline import BY_DANGER, place_words
from thecal.report.mesh_traces import Mesh, mesh3d, strip
from thecal.report.palette import LOOKS
from thecal.report.scene_plan import plan_traces
from thecal.terms import SACRUM, is_vertebra, vertebra_name
from thecal.volume import FloatArray, Grid

# Coarse enough that a whole spine stays within a few MB, fine enough that a pedicle keeps its shape.
BONE_STEP_MM = 2.0
BONE_COLOUR = "#8f8062"
CANAL_COLOUR = "#44617f"
_SMOOTH_FROM_VOXELS = 200
# How much of the view the longest side takes, in Plotly's own unit.
_FILL = 1.45


def scene_json(spine: Spine, leakage: Leakage) -> str:
    """The scene as Plotly JSON ({"data", "layout"}); coordinates are LPS mm.

    Numbers are packed (float32 and the smallest integers), so that a whole spine takes a few MB.
    """
    meshes = [*_bones(spine), *_canal(spine.canal), *_deposits(leakage, spine.grid)]
    low, high = _bounds(meshes)
    plan = [] if leakage.revision is None else plan_traces(spine, leakage.revision)
    data = [
        _swatch("vertebrae", BONE_COLOUR, group="bone"),
        _swatch("canal wall", CANAL_COLOUR, group="canal"),
        *meshes,
        *plan,
    ]
    axes = {
        f"{name}axis": {"visible": False, "showbackground": False, "range": [low[n], high[n]]}
        for n, name in enumerate("xyz")
    }
    layout = {
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "scene": {
            "aspectmode": "manual",
            "aspectratio": dict(
                zip("xyz", (_FILL * (high - low) / (high - low).max()).tolist(), strict=True)
            ),
            **axes,
            "camera": {
                "eye": {"x": 1.1, "y": 1.5, "z": 0.35},
                "up": {"x": 0, "y": 0, "z": 1},
                "projection": {"type": "orthographic"},
            },
        },
        "legend": {"itemsizing": "constant", "x": 0.01, "y": 0.99, "bgcolor": "rgba(255,255,255,0.8)"},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": "#1b1f24"},
        "hoverlabel": {"font": {"size": 14}},
    }
    # Nothing in the text may end the script element that holds it.
    return json.dumps({"data": data, "layout": layout}, separators=(",", ":")).replace("</", "<\\/")


def _bounds(data: list[dict[str, Any]]) -> tuple[FloatArray, FloatArray]:
    """The corners of the box that holds all traces, mm."""
    sides = [
        np.concatenate([np.frombuffer(base64.b64decode(trace[k]["bdata"]), "<f4") for trace in data])
        for k in "xyz"
    ]
    return np.array([float(s.min()) for s in sides]), np.array([float(s.max()) for s in sides])


def _bones(spine: Spine) -> list[dict[str, Any]]:
    spacing = spine.grid.spacing_mm
    every = np.maximum(1, np.floor(BONE_STEP_MM / spacing + 0.25)).astype(int)
    names = {v.id: vertebra_name(v.level, v.id) for v in spine.vertebrae} | {SACRUM: "sacrum"}
    traces: list[dict[str, Any]] = []
    for label, where in enumerate(ndimage.find_objects(spine.labels), start=1):
        if where is None or not (is_vertebra(label) or label == SACRUM):
            continue
        mask = spine.labels[where] == label
        mesh = _surface(mask, spine.grid.crop(where), every, smooth=0.5 * every)
        if mesh is not None:
            name = names.get(label, str(label))
            traces.append(mesh3d(mesh, BONE_COLOUR, 0.1, name, group="bone", shown=None))
    return traces


def _canal(canal: Canal) -> list[dict[str, Any]]:
    rows = np.unique(
        np.linspace(0, len(canal.frame.s_mm) - 1, max(2, len(canal.frame.s_mm) // 2)).astype(int)
    )
    columns = np.arange(0, len(canal.theta), max(1, len(canal.theta) // 32))
    outward = canal.frame.outward(canal.theta[columns])[rows]
    points = canal.frame.points[rows, None] + canal.wall_mm[np.ix_(rows, columns)][..., None] * outward
    return [
        mesh3d(
            strip(points, closed=True),
            CANAL_COLOUR,
            0.08,
            "canal wall",
            group="canal",
            shown=None,
        )
    ]


def _swatch(name: str, colour: str, *, group: str) -> dict[str, Any]:
    """A name in the legend in full colour: that of a nearly clear surface is not seen on white."""
    return {
        "type": "scatter3d",
        "mode": "markers",
        **{k: [None] for k in "xyz"},
        "marker": {"symbol": "square", "size": 10, "color": colour},
        "hoverinfo": "skip",
        "legendgroup": group,
        "name": name,
        "showlegend": True,
    }


def _deposits(leakage: Leakage, grid: Grid) -> list[dict[str, Any]]:
    boxes = ndimage.find_objects(leakage.deposit_labels)
    traces: list[dict[str, Any]] = []
    named: set[str] = set()
    for deposit in sorted(leakage.deposits, key=lambda d: (BY_DANGER.index(d.compartment), d.id)):
        where = boxes[deposit.id - 1] if deposit.id <= len(boxes) else None
        if where is None:
            continue
        mask = leakage.deposit_labels[where] == deposit.id
        smooth = 0.6 if int(mask.sum()) >= _SMOOTH_FROM_VOXELS else 0.0
        mesh = _surface(mask, grid.crop(where), np.ones(3, int), smooth=np.full(3, smooth))
        if mesh is None:
            continue
        look = LOOKS[deposit.compartment]
        shown = None if deposit.compartment in named else look.name
        named.add(deposit.compartment)
        traces.append(
            mesh3d(mesh, look.on_paper, 1.0, _hover(deposit), group=deposit.compartment, shown=shown)
        )
    return traces


def _hover(deposit: Deposit) -> str:
    at = place_words(deposit.level, deposit.vertebra_id)
    return (
        f"<b>deposit {deposit.id}: {LOOKS[deposit.compartment].name}</b><br>at {at}, {deposit.side}<br>"
        f"{deposit.volume_ml:.3f} ± {deposit.volume_sd_ml:.3f} mL"
    )


def _surface(
    mask: npt.NDArray[np.bool_], grid: Grid, every: npt.NDArray[Any], *, smooth: npt.NDArray[Any]
) -> Mesh | None:
    """The surface of a mask on every n-th voxel of its grid, as (vertices LPS mm, faces)."""
    pad = 2 * int(every.max())
    soft = np.pad(mask, pad).astype(np.float32)
    if np.any(smooth > 0):
        soft = ndimage.gaussian_filter(soft, smooth)
    coarse = soft[:: every[0], :: every[1], :: every[2]]
    if not coarse.min() < 0.5 < coarse.max():
        return None
    vertices, faces, _, _ = marching_cubes(coarse, 0.5)
    return grid.to_lps(vertices * every - pad), faces.astype(np.int64)
