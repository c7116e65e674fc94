"""The outer border of the contrast around a course through the canal."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.contrast.along import STEP_MM
from thecal.anatomy.optimal_surface import optimal_surface
from thecal.frames import CanalFrame
from thecal.volume import BoolArray, FloatArray

LIKE: Final = (0.7, 1.3)
"""HU that are taken for contrast, as shares of what it reads at that height."""
SOFT_COST: Final = 0.2
AFTER_DIP: Final = 0.4
"""Bright samples beyond a dip are a root's far side or bone beyond the dura: they count for so much."""
SHELL_MM: Final = 1.5
EDGE_WEIGHT: Final = 3.0
SEEN_DROP: Final = 0.25
"""The border is seen where HU falls outward by this share of the contrast's own brightness."""
DURA_MM: Final = 0.7
"""As for the sac on plain CT: dura and what lies between it and bone."""

Samples = npt.NDArray[np.float32]


def border_of(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
    wall_mm: FloatArray | None,
) -> FloatArray:
    """Radius (n, m) of the surface with most contrast inside and the plainest fall across it."""
    share = rays / level[:, None, None]
    like = np.clip(np.minimum((share - 0.5) / 0.2, (LIKE[1] + 0.2 - share) / 0.2), 0, 1)
    # A ray has passed a dip once it has been contrast and is no more.
    been = np.maximum.accumulate(like > 0.9, axis=2)
    dips = np.cumsum(np.diff((been & (like < 0.3)).astype(np.int8), axis=2, prepend=0) > 0, axis=2)
    weight = like * AFTER_DIP ** np.minimum(dips, 3)
    weight -= np.where(rays < -30.0, 1.0, np.where(like < 0.3, SOFT_COST, 0.0))
    weight -= np.clip((share - LIKE[1]) / 0.4, 0, 1)
    weight = np.where(hidden, 0.0, weight)
    gain = np.cumsum(weight, axis=2) - weight
    n = round(SHELL_MM / STEP_MM)
    padded = np.pad(share, ((0, 0), (0, 0), (n, n)), mode="edge")
    total = np.cumsum(np.pad(padded, ((0, 0), (0, 0), (1, 0))), axis=2)
    size = share.shape[2]
    before = (total[..., n : n + size] - total[..., :size]) / n
    after = (total[..., 2 * n : 2 * n + size] - total[..., n : n + size]) / n
    drop = np.where(hidden, 0.0, np.clip(before - after, 0, 1) * np.clip(before, 0, 1))
    cost = -gain - EDGE_WEIGHT * drop
    if wall_mm is not None:
        cost += 2.0 * np.maximum(radii[None, None, :] - (wall_mm - DURA_MM)[:, :, None], 0) / STEP_MM
    surface = optimal_surface(cost.astype(np.float32), cyclic=True, linear=0.1, square=0.35)
    return surface * STEP_MM


def half_way(
    rays: Samples,
    hidden: BoolArray,
    level: FloatArray,
    border: FloatArray,
    radii: FloatArray,
    frame: CanalFrame,
    filled: BoolArray,
) -> tuple[FloatArray, FloatArray, float]:
    """The border half-way between contrast and what lies outside, how surely it is seen, and the blur, mm."""
    reach = 2.0
    offset = np.arange(-reach, reach + 0.01, 0.25)
    at = np.clip((border[:, :, None] + offset) / STEP_MM, 0, rays.shape[2] - 1)
    rows, columns = np.ogrid[: rays.shape[0], : rays.shape[1]]
    low = np.minimum(at.astype(int), rays.shape[2] - 2)
    part = at - low
    near = np.asarray(
        rays[rows[..., None], columns[..., None], low] * (1 - part)
        + rays[rows[..., None], columns[..., None], low + 1] * part
    )
    half = len(offset) // 2
    inner = np.minimum(near[:, :, : half + 1].max(axis=2), LIKE[1] * level[:, None])
    outer = near[:, :, half:].min(axis=2)
    middle = 0.5 * (inner + outer)
    # The outermost fall through the middle before the darkest place outside.
    darkest = half + near[:, :, half:].argmin(axis=2)
    above = (near >= middle[:, :, None]) & (np.arange(len(offset)) <= darkest[:, :, None])
    last = len(offset) - 1 - np.argmax(above[:, :, ::-1], axis=2)
    last = np.minimum(last, len(offset) - 2)
    here = np.take_along_axis(near, last[:, :, None], axis=2)[:, :, 0]
    beyond = np.take_along_axis(near, last[:, :, None] + 1, axis=2)[:, :, 0]
    fall = np.maximum(here - beyond, 1.0)
    crossing = border + offset[last] + 0.25 * np.clip((here - middle) / fall, 0, 1)
    index = np.clip(np.rint(border / STEP_MM), 0, len(radii) - 1).astype(int)
    covered = np.take_along_axis(hidden, index[:, :, None], axis=2)[:, :, 0]
    plain = above.any(axis=2) & ~covered & (inner > LIKE[0] * level[:, None]) & filled[:, None]
    plain &= inner - outer > SEEN_DROP * level[:, None]
    trust = np.where(plain, 1.0, np.where(covered, 0.001, 0.02))
    sigma = (2.0 / frame.step_mm, 8.0 / 360.0 * rays.shape[1])
    mode = ("nearest", "wrap")
    base = ndimage.gaussian_filter(trust, sigma, mode=mode)
    value = ndimage.gaussian_filter(trust * np.where(plain, crossing, border), sigma, mode=mode) / base
    seen = ndimage.gaussian_filter(plain.astype(float), sigma, mode=mode)
    steepest = -np.diff(near, axis=2).min(axis=2) / 0.25
    blur = (inner - outer)[plain] / (np.sqrt(2 * np.pi) * np.maximum(steepest[plain], 1.0))
    return value, seen, float(np.clip(np.median(blur), 0.4, 2.0)) if len(blur) else 0.8
