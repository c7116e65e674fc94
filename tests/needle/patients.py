"""A phantom whose anatomy is known, ready to be planned; and a vertebra of plain shapes."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Vertebra
from thecal.frames import VertebraFrame
from thecal.needle.plan import Ready, Wish, plan_level, ready
from thecal.needle.plan_value import LevelPlan
from thecal.needle.search.block import Block
from thecal.needle.search.keep_away import (
    BONE,
    FAR,
    FAR_HIGH_MM,
    FAR_LOW_MM,
    FAR_STEP_MM,
    NEAR,
    NEAR_HIGH_MM,
    NEAR_LOW_MM,
    NEAR_STEP_MM,
    KeepAway,
)
from thecal.phantom.patient import Case, make_patient

Floats = npt.NDArray[np.float64]


@cache
def patient() -> Case:
    """A woman of 70 with T12 and L1 in view."""
    return make_patient(71, "T12-L1", spacing_mm=(1.25, 0.9, 0.9), fov_mm=170.0, age=70.0, sex="F")


def vertebra(level: str) -> Vertebra:
    return next(v for v in patient().spine.vertebrae if v.level == level)


@cache
def looked_at() -> Ready:
    return ready(patient().volume, patient().spine)


@cache
def plan_of(level: str, wish: Wish = Wish()) -> LevelPlan:  # noqa: B008 - it is frozen
    return plan_level(looked_at(), vertebra(level), wish)


PEDICLE_X, PEDICLE_Z, PEDICLE_HALF = 13.0, 4.0, (4.0, 7.0)
BODY_HALF, BODY_DEPTH, BODY_HIGH = 20.0, 32.0, 13.0
CANAL_X, CANAL_DEEP = 9.0, 16.0


@cache
def plain_block(
    slope: float = 0.0,
    half: tuple[float, float] = PEDICLE_HALF,
    rib: bool = False,
    *,
    kind: str = BONE,
    process: bool = False,
) -> KeepAway:
    """A vertebra of a box, two elliptical pedicles that point inwards by ``slope`` mm a mm, and a canal."""
    near = _points(NEAR_LOW_MM, NEAR_HIGH_MM, NEAR_STEP_MM)
    far = _points(FAR_LOW_MM, FAR_HIGH_MM, FAR_STEP_MM)
    solid = np.maximum(
        _body(near), np.maximum(_pedicle(near, 1.0, slope, half), _pedicle(near, -1.0, slope, half))
    )
    if process:
        solid = np.maximum(solid, _process(near))
    canal = _canal(near)
    away = np.stack([canal, np.full(canal.shape, 60.0), np.maximum(canal + 2.5, 0.0)])
    wide = np.full((len(FAR), *far.shape[:3]), 60.0)
    if rib:
        wide[FAR.index(kind)] = np.maximum(np.abs(far[..., 0] - 15.0) - 2.0, 0.0)
    frame = VertebraFrame(np.zeros(3), np.array([1.0, 0, 0]), np.array([0, -1.0, 0]), np.array([0, 0, 1.0]))
    block = Block(
        np.array(NEAR_LOW_MM),
        NEAR_STEP_MM,
        np.where(solid > 0, 300.0, 30.0).astype(np.float32),
        (solid > 0).astype(np.float32),
        (canal < 0).astype(np.float32),
        np.zeros(canal.shape, np.uint16),
        np.zeros(canal.shape, bool),
    )
    made = Vertebra(20, "L1", "given", True, 1.0, frame, {})
    return KeepAway(
        made,
        away.astype(np.float32),
        wide.astype(np.float32),
        solid.astype(np.float32),
        block,
        tuple(NEAR),
        canal_found=True,
        scanned=np.ones(far.shape[:3], bool),
    )


def _points(low: tuple[float, ...], high: tuple[float, ...], step: float) -> Floats:
    axes = [
        a + step * np.arange(int(np.floor((b - a) / step + 1e-6)) + 1) for a, b in zip(low, high, strict=True)
    ]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1)


def _body(p: Floats) -> Floats:
    """Depth in the body, negative outside."""
    inside: Floats = np.minimum.reduce(
        [BODY_HALF - np.abs(p[..., 0]), p[..., 1], BODY_DEPTH - p[..., 1], BODY_HIGH - np.abs(p[..., 2])]
    )
    return inside


def _pedicle(p: Floats, side: float, slope: float, half: tuple[float, float]) -> Floats:
    off = side * p[..., 0] - (PEDICLE_X - slope * p[..., 1])
    across = np.hypot(off / half[0], (p[..., 2] - PEDICLE_Z) / half[1])
    along = np.minimum(p[..., 1] + 24.0, 12.0 - p[..., 1])
    depth: Floats = np.minimum((1.0 - across) * half[0], along)
    return depth


def _process(p: Floats) -> Floats:
    """Depth in a transverse process: a bar from the pedicles' backs to either side."""
    inside: Floats = np.minimum.reduce(
        [45.0 - np.abs(p[..., 0]), 6.0 - np.abs(p[..., 2] - PEDICLE_Z), p[..., 1] + 24.0, -16.0 - p[..., 1]]
    )
    return np.where(np.abs(p[..., 0]) < CANAL_X + 2.0, -10.0, inside)


def _canal(p: Floats) -> Floats:
    """Distance from the canal, negative inside: a box behind the body."""
    gap: Floats = np.maximum.reduce([np.abs(p[..., 0]) - CANAL_X, p[..., 1], -CANAL_DEEP - p[..., 1]])
    return gap
