"""Surfaces as Plotly takes them, their numbers packed."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.volume import FloatArray

Mesh = tuple[FloatArray, npt.NDArray[np.int64]]


def strip(points: FloatArray, *, closed: bool) -> Mesh:
    """The surface through rows of points, (n, m, 3); ``closed`` where each row ends where it begins."""
    n, m = points.shape[:2]
    i, j = np.meshgrid(np.arange(n - 1), np.arange(m if closed else m - 1), indexing="ij")
    a, b = i * m + j, i * m + (j + 1) % m
    faces = np.concatenate(
        [np.stack([a, b, a + m], -1).reshape(-1, 3), np.stack([b, b + m, a + m], -1).reshape(-1, 3)]
    )
    return points.reshape(-1, 3), faces


def mesh3d(
    mesh: Mesh, colour: str, opacity: float, hover: str, *, group: str, shown: str | None
) -> dict[str, Any]:
    """A surface as a Plotly trace; ``shown`` is its name in the legend, None for none."""
    vertices, faces = mesh
    index = np.uint16 if len(vertices) < 65536 else np.uint32
    return {
        "type": "mesh3d",
        **{k: packed(vertices[:, n], np.float32) for n, k in enumerate("xyz")},
        **{k: packed(faces[:, n], index) for n, k in enumerate("ijk")},
        "color": colour,
        "opacity": opacity,
        "hoverinfo": "text",
        "text": hover,
        "hovertext": hover,
        "legendgroup": group,
        "name": shown or hover,
        "showlegend": shown is not None,
        "flatshading": False,
        "lighting": {"ambient": 0.85, "diffuse": 0.5, "specular": 0.08, "roughness": 0.8, "fresnel": 0.05},
        "lightposition": {"x": 2000, "y": 3000, "z": 4000},
    }


def packed(values: npt.NDArray[Any], dtype: type[Any]) -> dict[str, str]:
    """Numbers as Plotly reads them: base64 of the smallest type."""
    names = {np.float32: "f4", np.uint16: "u2", np.uint32: "u4"}
    little = np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<"))
    return {"dtype": names[dtype], "bdata": base64.b64encode(little.tobytes()).decode("ascii")}
