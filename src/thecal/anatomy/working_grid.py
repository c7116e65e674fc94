"""Bringing HU onto an even grid in the patient's own axes: coarse to find the spine, finer to draw it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit, prange

from thecal.volume import FloatArray, Grid, IntArray, Volume

# Marks places beyond the scan; no tissue reads so low, so a blend with it is never taken for one.
OUTSIDE_HU = -2000


@njit(cache=True, parallel=True)
def _sample(hu, matrix, offset, shape, sub, air, out):  # type: ignore[no-untyped-def]
    """Mean of ``sub`` trilinear samples per axis within each target voxel."""
    nz, ny, nx = hu.shape
    share = 1.0 / (sub[0] * sub[1] * sub[2])
    for z in prange(shape[0]):
        for y in range(shape[1]):
            for x in range(shape[2]):
                total = 0.0
                for a in range(sub[0]):
                    tz = z + (a + 0.5) / sub[0] - 0.5
                    for b in range(sub[1]):
                        ty = y + (b + 0.5) / sub[1] - 0.5
                        for c in range(sub[2]):
                            tx = x + (c + 0.5) / sub[2] - 0.5
                            p = matrix[0, 0] * tz + matrix[0, 1] * ty + matrix[0, 2] * tx + offset[0]
                            q = matrix[1, 0] * tz + matrix[1, 1] * ty + matrix[1, 2] * tx + offset[1]
                            r = matrix[2, 0] * tz + matrix[2, 1] * ty + matrix[2, 2] * tx + offset[2]
                            if (
                                p < -0.5
                                or q < -0.5
                                or r < -0.5
                                or p > nz - 0.5
                                or q > ny - 0.5
                                or r > nx - 0.5
                            ):
                                total += air
                                continue
                            p = min(max(p, 0.0), nz - 1.0)
                            q = min(max(q, 0.0), ny - 1.0)
                            r = min(max(r, 0.0), nx - 1.0)
                            i = min(int(p), max(nz - 2, 0))
                            j = min(int(q), max(ny - 2, 0))
                            k = min(int(r), max(nx - 2, 0))
                            u, v, w = p - i, q - j, r - k
                            i1, j1, k1 = min(i + 1, nz - 1), min(j + 1, ny - 1), min(k + 1, nx - 1)
                            total += (1 - u) * (
                                (1 - v) * ((1 - w) * hu[i, j, k] + w * hu[i, j, k1])
                                + v * ((1 - w) * hu[i, j1, k] + w * hu[i, j1, k1])
                            ) + u * (
                                (1 - v) * ((1 - w) * hu[i1, j, k] + w * hu[i1, j, k1])
                                + v * ((1 - w) * hu[i1, j1, k] + w * hu[i1, j1, k1])
                            )
                out[z, y, x] = int(np.rint(total * share))


def sample_volume(volume: Volume, target: Grid) -> IntArray:
    """HU of a volume on another grid, averaged where the target's voxels are the larger ones.

    Parameters
    ----------
    volume : Volume
    target : Grid
        In (z, y, x) order.

    Returns
    -------
    (z, y, x) int16, HU; ``OUTSIDE_HU`` beyond the volume.
    """
    matrix = np.linalg.inv(volume.grid.affine) @ target.affine
    sub = np.clip(np.rint(target.spacing_mm / volume.grid.spacing_mm), 1, 4).astype(np.int64)
    out = np.empty(target.shape, np.int16)
    _sample(
        volume.hu,
        np.ascontiguousarray(matrix[:3, :3]),
        np.ascontiguousarray(matrix[:3, 3]),
        np.array(target.shape, np.int64),
        sub,
        float(OUTSIDE_HU),
        out,
    )
    return out


@njit(cache=True, parallel=True)
def _along_rays(values, start, direction, radius, out):  # type: ignore[no-untyped-def]
    nz, ny, nx = values.shape
    for n in prange(start.shape[0]):
        for m in range(direction.shape[1]):
            for k in range(len(radius)):
                p = min(max(start[n, 0] + radius[k] * direction[n, m, 0], 0.0), nz - 1.0)
                q = min(max(start[n, 1] + radius[k] * direction[n, m, 1], 0.0), ny - 1.0)
                r = min(max(start[n, 2] + radius[k] * direction[n, m, 2], 0.0), nx - 1.0)
                i, j, k0 = min(int(p), nz - 2), min(int(q), ny - 2), min(int(r), nx - 2)
                u, v, w = p - i, q - j, r - k0
                out[n, m, k] = (1 - u) * (
                    (1 - v) * ((1 - w) * values[i, j, k0] + w * values[i, j, k0 + 1])
                    + v * ((1 - w) * values[i, j + 1, k0] + w * values[i, j + 1, k0 + 1])
                ) + u * (
                    (1 - v) * ((1 - w) * values[i + 1, j, k0] + w * values[i + 1, j, k0 + 1])
                    + v * ((1 - w) * values[i + 1, j + 1, k0] + w * values[i + 1, j + 1, k0 + 1])
                )


def interpolate_rays(
    values: npt.NDArray[Any], start: FloatArray, direction: FloatArray, radius: FloatArray
) -> npt.NDArray[np.float32]:
    """Trilinear values along rays; beyond the array the edge's value goes on.

    Parameters
    ----------
    values : (z, y, x) array
    start : (n, 3) float64
        Array indices.
    direction : (n, m, 3) float64
        Array indices per mm.
    radius : (k,) float64, mm

    Returns
    -------
    (n, m, k) float32
    """
    if values.dtype == np.bool_:
        values = values.view(np.uint8)
    if min(values.shape) < 2:
        values = np.pad(values, [(0, int(n < 2)) for n in values.shape], mode="edge")
    out = np.empty((start.shape[0], direction.shape[1], len(radius)), np.float32)
    _along_rays(
        np.ascontiguousarray(values),
        np.ascontiguousarray(start),
        np.ascontiguousarray(direction),
        radius,
        out,
    )
    return out
