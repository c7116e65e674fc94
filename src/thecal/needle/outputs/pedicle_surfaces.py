"""A pedicle's outer and inner cortex as surfaces, round its narrowest place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Spine, Vertebra
from thecal.needle.plan_value import Corridor
from thecal.report.mesh_traces import Mesh, strip
from thecal.volume import FloatArray, Volume

ALONG_MM: Final = 4.0
"""Behind and before the narrowest place; farther on the pedicle widens into arch and body."""
RING_MM: Final = 0.8
RAYS: Final = 48
RAY_MM: Final = 0.2
WIDER_MM: Final = 3.0
"""Beyond the border at the narrowest place the surface is cut: there arch, process or body begin."""
CORTEX_DIP_HU: Final = 100.0
"""Marrow is that much darker than its cortex, or the cortex' inner face is not seen (as for the pedicle's
inner width)."""
SEEN_SHARE: Final = 0.6
"""Of a ring's rays; the others lie between those that are seen."""
LEAST_RINGS: Final = 4


@dataclass(frozen=True, eq=False)
class PedicleSurfaces:
    """Open tubes, LPS mm; ``inner`` is None where the scan does not show the cortex' inner face."""

    outer: Mesh
    inner: Mesh | None


def pedicle_surfaces(volume: Volume, spine: Spine, vertebra: Vertebra, corridor: Corridor) -> PedicleSurfaces:
    """The surfaces of one pedicle.

    Rays run at right angles from the pedicle's axis. The outer face is where the vertebra's label ends. The
    inner one is half-way between the brightest of the cortex and the darkest of the marrow on the ray; it is
    looked for only where the plan measured an inner width, and left out where fewer than four rings show it
    on 0.6 of their rays.

    Parameters
    ----------
    volume, spine, vertebra
    corridor : Corridor
        Of the vertebra, with its outline.
    """
    axis = corridor.axis / np.linalg.norm(corridor.axis)
    middle = np.asarray(corridor.isthmus_mm, float)
    across = np.cross(axis, vertebra.frame.cranial)
    across /= np.linalg.norm(across)
    up = np.cross(across, axis)
    angle = 2.0 * np.pi * np.arange(RAYS) / RAYS
    outward = np.cos(angle)[:, None] * across + np.sin(angle)[:, None] * up
    border = corridor.outline - middle
    longest = float(np.linalg.norm(border - (border @ axis)[:, None] * axis, axis=1).max()) + WIDER_MM
    depth = np.arange(-ALONG_MM, ALONG_MM + RING_MM / 2.0, RING_MM)
    off = np.arange(0.0, longest, RAY_MM)
    centres = middle + depth[:, None] * axis
    points = centres[:, None, None] + off[None, None, :, None] * outward[None, :, None, :]
    bone = _sampled((spine.labels == vertebra.id).astype(np.float32), spine.grid.to_index(points))
    gone = bone < 0.5
    outer = np.where(gone.any(-1), off[gone.argmax(-1)], off[-1])
    outer = np.maximum(outer, RAY_MM)
    tube = strip(centres[:, None] + outer[..., None] * outward, closed=True)
    if corridor.inner_width_mm is None:
        return PedicleSurfaces(tube, None)
    hu = _sampled(volume.hu.astype(np.float32), volume.grid.to_index(points))
    rings, radii = [], []
    for ring in range(len(depth)):
        found = np.array([_inner(hu[ring, k], off, outer[ring, k]) for k in range(RAYS)])
        seen = np.isfinite(found)
        if float(seen.mean()) < SEEN_SHARE:
            continue
        rings.append(ring)
        radii.append(np.interp(angle, angle[seen], found[seen], period=2.0 * np.pi))
    if len(rings) < LEAST_RINGS:
        return PedicleSurfaces(tube, None)
    inside = centres[rings][:, None] + np.array(radii)[..., None] * outward
    return PedicleSurfaces(tube, strip(inside, closed=True))


def _sampled(array: npt.NDArray[np.float32], index: FloatArray) -> FloatArray:
    found: FloatArray = ndimage.map_coordinates(
        array, np.moveaxis(index, -1, 0), output=np.float32, order=1, mode="nearest"
    )
    return found


def _inner(hu: FloatArray, off: FloatArray, outer: float) -> float:
    """Where on a ray from the axis the marrow ends and the cortex begins; NaN where neither is told."""
    last = int(np.searchsorted(off, outer)) + 1
    line = hu[:last]
    if len(line) < 4:
        return np.nan
    brightest = int(line.argmax())
    if brightest == 0:
        return np.nan
    darkest = int(line[:brightest].argmin())
    if float(line[brightest] - line[darkest]) < CORTEX_DIP_HU:
        return np.nan
    half = (line[brightest] + line[darkest]) / 2.0
    return float(off[darkest + int((line[darkest : brightest + 1] >= half).argmax())])
