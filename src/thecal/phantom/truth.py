"""The truth as the value that the rest of the program reads: a ``Spine`` made from a phantom."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Canal, Spine, Vertebra
from thecal.frames import CanalFrame
from thecal.phantom.patient import Case
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC
from thecal.volume import FloatArray, Grid, LabelArray

RAYS = 72
RAY_STEP_MM = 0.2
RAY_REACH_MM = 26.0


def truth_spine(case: Case) -> Spine:
    """The spine of a phantom, as a perfect anatomy backend would find it.

    Vertebrae cut by the scan's edge are there with ``complete`` False; the sacrum is in the labels only.
    """
    box = case.box
    grid = case.grid.crop(box)
    labels = np.ascontiguousarray(case.labels[box])
    vertebrae = []
    z0 = case.grid.affine[2, 3]
    z1 = case.grid.to_lps([case.grid.shape[0] - 1, 0, 0])[2]
    present = set(np.unique(labels).tolist())
    for v in case.model.vertebrae:
        if v.level == "sacrum" or v.id not in present:
            continue
        half = 0.5 * max(v.heights)
        ends = v.frame.to_lps([[0, d, e * half] for d in (0, v.size.body_depth) for e in (-1, 1)])[:, 2]
        complete = bool(ends.min() > z0 and ends.max() < z1)
        inside = (v.id == labels) & (case.parts[box] == 1)
        if not complete and not inside.any():
            continue
        vertebrae.append(
            Vertebra(v.id, v.level, "given", complete, 1.0, v.frame, {"truth": 1.0})
        )
    return Spine(
        box=box,
        grid=grid,
        labels=labels,
        parts=np.ascontiguousarray(case.parts[box]),
        canal=truth_canal(case.model.curve.frame, labels, grid),
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


