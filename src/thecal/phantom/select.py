"""Fast choice of fine voxels within a vertebra's own box, and their count in each scan voxel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from thecal.frames import VertebraFrame
from thecal.volume import BoolArray, Box, FloatArray, Grid, LabelArray


@njit(nogil=True, cache=True)
def _in_box(
    mask: BoolArray,
    matrix: FloatArray,
    offset: FloatArray,
    low: FloatArray,
    high: FloatArray,
    count: int,
    out: npt.NDArray[np.int32],
) -> int:
    found = 0
    for k in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            a0 = matrix[0, 0] * k + matrix[0, 1] * j + offset[0]
            b0 = matrix[1, 0] * k + matrix[1, 1] * j + offset[1]
            c0 = matrix[2, 0] * k + matrix[2, 1] * j + offset[2]
            for i in range(mask.shape[2]):
                if not mask[k, j, i]:
                    continue
                a = a0 + matrix[0, 2] * i
                if a < low[0] or a > high[0]:
                    continue
                b = b0 + matrix[1, 2] * i
                if b < low[1] or b > high[1]:
                    continue
                c = c0 + matrix[2, 2] * i
                if c < low[2] or c > high[2]:
                    continue
                if count:
                    out[found, 0], out[found, 1], out[found, 2] = k, j, i
                found += 1
    return found


def in_frame_box(
    mask: BoolArray, box: Box, grid: Grid, frame: VertebraFrame, low: npt.ArrayLike, high: npt.ArrayLike
) -> npt.NDArray[np.intp]:
    """Indices (m, 3) on ``grid`` of the voxels of ``mask`` (over ``box``) within a box of a vertebra's frame.

    ``low`` and ``high`` are (left, anterior, cranial) in mm.
    """
    axes = np.stack([frame.left, frame.anterior, frame.cranial])
    part = grid.crop(box)
    matrix = np.ascontiguousarray(axes @ part.affine[:3, :3])
    offset = axes @ (part.affine[:3, 3] - frame.origin)
    bounds = (np.asarray(low, float), np.asarray(high, float))
    solid = np.ascontiguousarray(mask)
    none = np.empty((0, 3), np.int32)
    out = np.empty((_in_box(solid, matrix, offset, *bounds, 0, none), 3), np.int32)
    _in_box(solid, matrix, offset, *bounds, 1, out)
    index: npt.NDArray[np.intp] = out.astype(np.intp) + np.array([s.start for s in box])
    return index


@njit(nogil=True, cache=True)
def block_counts(
    cement: npt.NDArray[np.uint8], factors: npt.NDArray[np.int64], number: int, out: npt.NDArray[np.float32]
) -> None:
    """Share of each scan voxel that holds deposit ``number`` (0: any cement)."""
    fz, fy, fx = factors[0], factors[1], factors[2]
    one = np.float32(1.0 / (fz * fy * fx))
    for k in range(out.shape[0] * fz):
        for j in range(out.shape[1] * fy):
            for i in range(out.shape[2] * fx):
                value = cement[k, j, i]
                if value != 0 and (number == 0 or value == number):
                    out[k // fz, j // fy, i // fx] += one


@njit(nogil=True, cache=True)
def _majority(
    labels: npt.NDArray[np.uint16],
    parts: npt.NDArray[np.uint8],
    factors: npt.NDArray[np.int64],
    out: npt.NDArray[np.uint16],
    out_parts: npt.NDArray[np.uint8],
) -> None:
    fz, fy, fx = factors[0], factors[1], factors[2]
    count = fz * fy * fx
    codes = np.empty(count, np.int32)
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            for i in range(out.shape[2]):
                n = 0
                same = True
                for c in range(k * fz, k * fz + fz):
                    for b in range(j * fy, j * fy + fy):
                        for a in range(i * fx, i * fx + fx):
                            codes[n] = 4 * np.int32(labels[c, b, a]) + parts[c, b, a]
                            same = same and codes[n] == codes[0]
                            n += 1
                best = codes[0]
                if not same:
                    most = 0
                    for m in range(count):
                        votes = 0
                        for other in range(count):
                            if codes[other] == codes[m]:
                                votes += 1
                        if votes > most:
                            best, most = codes[m], votes
                out[k, j, i] = best // 4
                out_parts[k, j, i] = best % 4


def majority(
    labels: LabelArray, parts: npt.NDArray[np.uint8], factors: tuple[int, int, int]
) -> tuple[LabelArray, npt.NDArray[np.uint8]]:
    """Label and part that most fine voxels of each scan voxel have."""
    shape = tuple(n // f for n, f in zip(labels.shape, factors, strict=True))
    out, out_parts = np.empty(shape, np.uint16), np.empty(shape, np.uint8)
    _majority(labels, parts, np.array(factors), out, out_parts)
    return out, out_parts
