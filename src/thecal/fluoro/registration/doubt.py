"""How far off a pose may be, by what is left of the mismatch at it."""

from __future__ import annotations

from typing import Final

import numpy as np

from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import BoneModel
from thecal.fluoro.registration.patch import Patch
from thecal.fluoro.registration.refine import PRIOR_SD, PROBES, Equations
from thecal.fluoro.registration.steps import moved
from thecal.volume import FloatArray

TILE_MM: Final = 8.0
"""Mismatch within a tile of this size may all come from one thing, so tiles and not pixels are counted."""


def covariance(equations: Equations, pixel_mm: float) -> FloatArray:
    """Covariance of the six numbers of the pose, (6, 6).

    Each tile of the shadow pulls the pose its own way. Their scatter gives the covariance
    ``H^-1 (sum_tiles g g') H^-1`` (Huber's sandwich, clustered by tiles), with the prior for what the
    view does not show.
    """
    design, weight, residual = equations.design, equations.weight, equations.residual
    rows, columns = equations.shape
    tile = max(round(TILE_MM / pixel_mm), 1)
    down, along = np.indices((rows, columns)) // tile
    number = down * (columns // tile + 1) + along
    label = np.concatenate([number.ravel()] * 2)
    pulls = design * (weight * residual)[:, None]
    sums = np.stack([np.bincount(label, pulls[:, k], minlength=label.max() + 1) for k in range(6)], 1)
    prior = np.diag(1.0 / PRIOR_SD**2)
    normal = design.T @ (design * weight[:, None])
    # In units of the mismatch's own noise, so that the prior has its weight.
    total = normal / equations.noise + prior
    inverse = np.linalg.inv(total)
    scatter = sums.T @ sums / equations.noise**2
    result: FloatArray = inverse @ (scatter + prior) @ inverse
    return result


def expected_error_mm(model: BoneModel, patch: Patch, pose: Pose, covariance_: FloatArray) -> float:
    """Mean reprojection error over the vertebra's points that a pose's covariance lets expect, mm."""
    view = patch.view
    steps = np.stack([view.along_column, view.along_row])
    at = view.project(pose.apply(model.points)) @ steps
    moves = []
    for k in range(6):
        probe = np.zeros(6)
        probe[k] = PROBES[k]
        near = view.project(moved(pose, view, model.centre, probe).apply(model.points)) @ steps
        moves.append((near - at) / PROBES[k])
    jacobian = np.stack(moves, -1) / view.magnification(pose.apply(model.centre))
    variance = np.einsum("nai,ij,naj->n", jacobian, covariance_, jacobian)
    # Mean length of a normal error in the plane is sqrt(pi / 4) of its root mean square.
    return float(np.sqrt(np.pi / 4.0 * np.maximum(variance, 0.0)).mean())
