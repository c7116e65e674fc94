"""What a CT is made of for X-rays, and what is added to it: cement and steel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from thecal.fluoro.projection.line_integrals import FloatImage, Method, line_integrals
from thecal.fluoro.projection.view import View
from thecal.volume import FloatArray, Grid, IntArray

Material = Literal["soft", "bone", "cement", "steel"]
MATERIALS: Final[tuple[Material, ...]] = ("soft", "bone", "cement", "steel")

CT_KEV: Final = 70.0
"""Energy at which HU are read as attenuation: about the mean of a 120 kV CT beam (from memory)."""
BONE_FROM_HU: Final = 100.0
"""Above this a voxel is a mixture of soft tissue and cortical bone, below it soft tissue of some density. A
choice: muscle and blood lie below, spongy bone mostly above; where marrow's bone is read as soft tissue its
attenuation at ``CT_KEV`` is still right, its hardening is not."""


@dataclass(frozen=True, eq=False)
class Body:
    """A patient in two materials.

    Attributes
    ----------
    grid : Grid
    soft : (z, y, x) float32
        Soft tissue as a share of its own density (1 where the CT reads water).
    bone : (z, y, x) float32
        Cortical bone, share of the voxel.
    """

    grid: Grid
    soft: npt.NDArray[np.float32]
    bone: npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Shadow:
    """How far the rays to each pixel run through something that was added.

    Attributes
    ----------
    material : {"cement", "steel"}
    mm : (rows, columns) float32
        Of ``rows`` and ``columns`` of the detector only.
    rows, columns : slice
        Outside of these nothing is in the way.
    """

    material: Literal["cement", "steel"]
    mm: FloatImage
    rows: slice
    columns: slice

    def on(self, shape: tuple[int, int]) -> FloatImage:
        """The same on the whole detector of that shape, (rows, columns) float32."""
        whole = np.zeros(shape, np.float32)
        whole[self.rows, self.columns] = self.mm
        return whole


def body_of(hu: IntArray, grid: Grid) -> Body:
    """Two materials whose attenuation at ``CT_KEV`` is that of the HU.

    Soft tissue of density 1 + HU / 1000 up to ``BONE_FROM_HU``; above it the rest is cortical bone in place
    of soft tissue. Air attenuates nothing. Contrast medium and metal that the CT shows are taken for bone.
    """
    from thecal.fluoro.projection.spectrum import attenuation_at

    water, soft, bone = (attenuation_at(name, CT_KEV) for name in ("water", "soft", "bone"))
    full = (bone / water - 1.0) * 1000.0
    start = 1.0 + BONE_FROM_HU / 1000.0
    # A HU has one answer: worked out once for each, then looked up.
    steps = np.arange(-32768, 32768)
    attenuation = np.clip(1.0 + steps / 1000.0, 0.0, None)
    share = np.clip((steps - BONE_FROM_HU) / (full - BONE_FROM_HU), 0.0, None)
    rest = np.where(share > 0, start * np.clip(1.0 - share, 0.0, None), attenuation) * (water / soft)
    share = np.where(share > 1, attenuation * (water / bone), share)
    at = np.asarray(hu, np.int16).astype(np.int32) + 32768
    return Body(grid, rest.astype(np.float32)[at], share.astype(np.float32)[at])


def shadow(
    fraction: npt.NDArray[Any],
    grid: Grid,
    view: View,
    material: Literal["cement", "steel"] = "cement",
    *,
    method: Method = "planes",
) -> Shadow:
    """The shadow of something given by its share of each voxel.

    Parameters
    ----------
    fraction : (z, y, x) array, 0..1 or bool
        On ``grid``; only the box that holds it is walked through, and only the pixels behind that box.
    grid : Grid
    view : View
    material : {"cement", "steel"}
    method : see ``line_integrals``
    """
    there = [np.flatnonzero(fraction.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1))]
    if not there[0].size:
        return Shadow(material, np.zeros((0, 0), np.float32), slice(0, 0), slice(0, 0))
    # A border of one empty voxel, so that what is interpolated there fades out.
    z, y, x = (
        slice(max(int(at[0]) - 1, 0), min(int(at[-1]) + 2, size))
        for at, size in zip(there, fraction.shape, strict=True)
    )
    crop = grid.crop((z, y, x))
    size = np.array(crop.shape)
    corners = np.array([(a, b, c) for a in (0, 1) for b in (0, 1) for c in (0, 1)]) * size - 0.5
    rows, columns = _window(view, crop.to_lps(corners))
    if rows.start == rows.stop or columns.start == columns.stop:
        return Shadow(material, np.zeros((0, 0), np.float32), slice(0, 0), slice(0, 0))
    part = np.asarray(fraction[z, y, x], np.float32)
    return Shadow(
        material, line_integrals(part, crop, view.window(rows, columns), method=method), rows, columns
    )


def rod_shadow(
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    outer_mm: float,
    view: View,
    material: Literal["cement", "steel"] = "steel",
    *,
    bore_mm: float = 0.0,
) -> Shadow:
    """The shadow of a straight cylinder with flat ends, as a needle is one: computed, not drawn on voxels.

    Parameters
    ----------
    start, end : (3,) array-like
        LPS mm, middles of its ends.
    outer_mm : float
        Its diameter.
    bore_mm : float
        Diameter of the hole along it; 0 where the stylet is in.
    view, material : as for ``shadow``.
    """
    a, b = np.asarray(start, float), np.asarray(end, float)
    spread = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * outer_mm / 2
    rows, columns = _window(view, np.concatenate([a + spread, b + spread]))
    if rows.start == rows.stop or columns.start == columns.stop:
        return Shadow(material, np.zeros((0, 0), np.float32), slice(0, 0), slice(0, 0))
    down, across = np.arange(rows.start, rows.stop), np.arange(columns.start, columns.stop)
    ray = view.pixel(down[:, None], across) - view.source
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    mm = _chord(view.source - a, ray, b - a, outer_mm / 2)
    if bore_mm > 0:
        mm = mm - _chord(view.source - a, ray, b - a, bore_mm / 2)
    return Shadow(material, mm.astype(np.float32), rows, columns)


def _chord(origin: FloatArray, ray: FloatArray, axis: FloatArray, radius: float) -> FloatArray:
    """Length of unit rays (..., 3) from ``origin`` within a cylinder from 0 to ``axis``."""
    length = float(np.linalg.norm(axis))
    unit = axis / length
    along, start = ray @ unit, float(origin @ unit)
    across, off = ray - along[..., None] * unit, origin - start * unit
    a = np.maximum((across**2).sum(-1), 1e-12)
    b = across @ off
    root = b * b - a * (float(off @ off) - radius**2)
    half = np.sqrt(np.clip(root, 0.0, None)) / a
    near, far = -b / a - half, -b / a + half
    slope = np.where(np.abs(along) < 1e-9, 1e-9, along)
    one, other = -start / slope, (length - start) / slope
    inside = np.minimum(far, np.maximum(one, other)) - np.maximum(near, np.minimum(one, other))
    chord: FloatArray = np.where(root > 0, np.clip(inside, 0.0, None), 0.0)
    return chord


def _window(view: View, points: FloatArray) -> tuple[slice, slice]:
    """Rows and columns of the detector that hold the shadows of points (n, 3), with a pixel around."""
    pixels = view.project(points)
    low = np.clip(np.floor(pixels.min(0)) - 1, 0, view.shape).astype(int)
    high = np.clip(np.ceil(pixels.max(0)) + 2, low, view.shape).astype(int)
    return slice(int(low[0]), int(high[0])), slice(int(low[1]), int(high[1]))
