"""The truth as the value that the rest of the program reads: a ``Spine`` made from a phantom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.frames import CanalFrame
from thecal.phantom.spine_model import SpineModel
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import Box, FloatArray, Grid, LabelArray

RAYS = 72
RAY_STEP_MM = 0.2
RAY_REACH_MM = 26.0


def spine_of(
    model: SpineModel, labels: LabelArray, parts: npt.NDArray[np.uint8], grid: Grid, box: Box
) -> Spine:
    """Make the ``Spine`` of a phantom from its model and its truth on the scan's grid.

    Vertebrae cut by the scan's edge are there with ``complete`` False; the sacrum is in the labels only.
    """
    own = np.ascontiguousarray(labels[box])
    own_parts = np.ascontiguousarray(parts[box])
    crop = grid.crop(box)
    vertebrae = []
    z0 = grid.affine[2, 3]
    z1 = grid.to_lps([grid.shape[0] - 1, 0, 0])[2]
    present = set(np.unique(own).tolist())
    for v in model.vertebrae:
        if v.level == "sacrum" or v.id not in present:
            continue
        half = 0.5 * max(v.heights)
        ends = v.frame.to_lps([[0, d, e * half] for d in (0, v.size.body_depth) for e in (-1, 1)])[:, 2]
        complete = bool(ends.min() > z0 and ends.max() < z1)
        inside = (own == v.id) & (own_parts == Part.BODY)
        if not complete and not inside.any():
            continue
        vertebrae.append(Vertebra(v.id, v.level, "given", complete, 1.0, v.frame, {"truth": 1.0}))
    return Spine(
        box=box,
        grid=crop,
        labels=own,
        parts=own_parts,
        canal=truth_canal(model.curve.frame, own, crop),
        vertebrae=tuple(vertebrae),
        backend="phantom truth",
        backend_version="1",
    )


def truth_canal(curve: CanalFrame, labels: LabelArray, grid: Grid) -> Canal:
    """Wall and sac in canal coordinates, by rays through a truth label map."""
    z = curve.points[:, 2]
    z0, z1 = grid.affine[2, 3], grid.to_lps([grid.shape[0] - 1, 0, 0])[2]
    inside = np.flatnonzero((z >= z0) & (z <= z1))
    frame = CanalFrame.through(curve.points[inside[0] : inside[-1] + 1], step_mm=1.0, smooth=0.0)
    theta = -np.pi + 2 * np.pi * np.arange(RAYS) / RAYS
    directions = frame.outward(theta)
    reach = np.arange(0.0, RAY_REACH_MM, RAY_STEP_MM)
    wall = _leaving(labels, grid, frame.points, directions, reach, (THECAL_SAC, EPIDURAL_SPACE))
    sac = _leaving(labels, grid, frame.points, directions, reach, (THECAL_SAC,))
    return Canal(frame, theta, wall, np.minimum(sac, wall), np.ones(len(frame.s_mm)))


def _leaving(
    labels: LabelArray,
    grid: Grid,
    points: FloatArray,
    directions: FloatArray,
    reach: FloatArray,
    ids: tuple[int, ...],
) -> FloatArray:
    """Radius at which a ray leaves the given labels, (n, m) mm."""
    ok = np.isin(labels, ids)
    radius = np.zeros(directions.shape[:2])
    top = np.array(labels.shape) - 1
    for a in range(len(points)):
        line = points[a] + directions[a][:, None, :] * reach[None, :, None]
        index = np.clip(np.rint(grid.to_index(line)).astype(int), 0, top)
        held: npt.NDArray[np.bool_] = ok[index[..., 0], index[..., 1], index[..., 2]]
        first_out = np.where(held.all(1), len(reach) - 1, np.argmin(held, axis=1))
        radius[a] = first_out * RAY_STEP_MM
    return radius
