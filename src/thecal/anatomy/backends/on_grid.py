"""Labels laid over another grid by their place in the patient."""

from __future__ import annotations

import numpy as np

from thecal.volume import Grid, LabelArray, resample


def onto_grid(labels: LabelArray, source: Grid, target: Grid) -> LabelArray:
    """Labels at the voxel centres of another grid, nearest neighbour; 0 outside."""
    matrix = np.linalg.inv(source.affine) @ target.affine
    axes = np.abs(matrix[:3, :3]).argmax(axis=0)
    turn = np.zeros((3, 3))
    turn[axes, range(3)] = np.sign(matrix[axes, range(3)])
    if sorted(axes) == [0, 1, 2] and np.allclose(matrix[:3, :3], turn, atol=1e-4):
        turned = labels.transpose(axes)
        turned = turned[tuple(slice(None, None, int(turn[axes[k], k])) for k in range(3))]
        first = [0 if turn[a, k] > 0 else labels.shape[a] - 1 for k, a in enumerate(axes)]
        start = matrix[axes, 3] - first
        if turned.shape == target.shape and np.allclose(start, 0.0, atol=0.02):
            return np.ascontiguousarray(turned)
    result = np.zeros(target.shape, np.uint16)
    rows = [np.flatnonzero(labels.any(axis=tuple(b for b in range(3) if b != a))) for a in range(3)]
    if not all(len(r) for r in rows):
        return result
    corners = np.stack(np.meshgrid(*[[r[0], r[-1]] for r in rows], indexing="ij"), axis=-1).reshape(-1, 3)
    index = target.to_index(source.to_lps(corners))
    if (index.max(0) < -1).any() or (index.min(0) > target.shape).any():
        return result
    box = target.box_around(source.to_lps(corners), float(source.spacing_mm.max()))
    # A voxel of background around: the sampler takes nothing even a hair beyond the outermost centres.
    wide = source.affine.copy()
    wide[:3, 3] = source.to_lps([-1, -1, -1])
    a, b, c = source.shape
    padded = Grid((a + 2, b + 2, c + 2), wide)
    result[box] = resample(np.pad(labels, 1), padded, target.crop(box), order=0, fill=0)
    return result
