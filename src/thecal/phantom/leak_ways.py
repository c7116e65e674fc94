"""The ways by which cement leaves a body, and where it spreads then."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Part
from thecal.phantom.grow import Noise
from thecal.terms import EPIDURAL_SPACE, THECAL_SAC, is_disc
from thecal.volume import BoolArray, FloatArray, LabelArray

LeakKind = Literal[
    "none",
    "posterior wall",
    "basivertebral vein",
    "disc above",
    "disc below",
    "segmental vein",
    "foramen",
    "in front",
]
LEAK_KINDS: Final[tuple[LeakKind, ...]] = get_args(LeakKind)
CANAL_KINDS: Final[tuple[LeakKind, ...]] = ("posterior wall", "basivertebral vein")


@dataclass(frozen=True, eq=False)
class Ground:
    """A vertebra on a fine grid in its own frame.

    Attributes
    ----------
    labels, parts : (z, y, x)
        As in ``Spine``.
    local : (z, y, x, 3) float32
        (left, anterior, cranial) mm in the vertebra's frame.
    body : (z, y, x) bool
    depth_mm, half_width_mm : float
    spacing_mm : float
    """

    labels: LabelArray
    parts: npt.NDArray[np.uint8]
    local: npt.NDArray[np.float32]
    body: BoolArray
    depth_mm: float
    half_width_mm: float
    spacing_mm: float


@dataclass(frozen=True, eq=False)
class Way:
    """A way out.

    Attributes
    ----------
    breach : (3,) ints
        The voxel of the body's rim at which cement leaves it.
    room : (z, y, x) float32
        Cost of a mm outside; infinite where cement cannot go.
    """

    breach: npt.NDArray[np.intp]
    room: npt.NDArray[np.float32]


def way_out(ground: Ground, kind: LeakKind, rng: np.random.Generator) -> Way | None:
    """A way of this kind, drawn; None where the vertebra offers none."""
    target = _aim(ground, kind, rng)
    rim = ground.body & ~ndimage.binary_erosion(ground.body)
    index = np.argwhere(rim)
    if len(index) == 0:
        return None
    away = np.linalg.norm(ground.local[tuple(index.T)] - target, axis=1)
    breach = index[int(np.argmin(away))]
    room = _room(ground, kind, ground.local[tuple(breach)].astype(float), rng)
    return Way(breach, room) if np.isfinite(room).any() else None


def _aim(ground: Ground, kind: LeakKind, rng: np.random.Generator) -> FloatArray:
    """A point outside the body near which the breach lies, in the vertebra's frame."""
    wide, deep = ground.half_width_mm, ground.depth_mm
    height = float(np.percentile(np.abs(ground.local[..., 2][ground.body]), 97))
    side = float(rng.choice((-1.0, 1.0)))
    places: dict[LeakKind, tuple[float, float, float]] = {
        "posterior wall": (
            float(rng.uniform(-0.45, 0.45)) * wide,
            -6.0,
            float(rng.uniform(-0.6, 0.6)) * height,
        ),
        "basivertebral vein": (0.0, -6.0, float(rng.uniform(-2.0, 2.0))),
        "disc above": (
            float(rng.uniform(-0.5, 0.5)) * wide,
            float(rng.uniform(0.3, 0.9)) * deep,
            height + 6.0,
        ),
        "disc below": (
            float(rng.uniform(-0.5, 0.5)) * wide,
            float(rng.uniform(0.3, 0.9)) * deep,
            -height - 6.0,
        ),
        "segmental vein": (side * (wide + 6.0), float(rng.uniform(0.3, 0.6)) * deep, 0.0),
        "foramen": (side * 0.75 * wide, -4.0, -0.9 * height),
        "in front": (
            float(rng.uniform(-0.5, 0.5)) * wide,
            deep + 8.0,
            float(rng.uniform(-0.5, 0.5)) * height,
        ),
        "none": (0.0, 0.0, 0.0),
    }
    return np.array(places[kind])


def near_line(ground: Ground, start: FloatArray, end: FloatArray, radius_mm: float) -> BoolArray:
    """Voxels within ``radius_mm`` of a straight way, in the vertebra's frame."""
    way = np.asarray(end, float) - start
    length = max(float(np.linalg.norm(way)), 1e-6)
    way = way / length
    from_start = ground.local - start
    along = np.clip(from_start @ way, 0.0, length)
    near: BoolArray = np.linalg.norm(from_start - along[..., None] * way, axis=-1) <= radius_mm
    return near


def _room(
    ground: Ground, kind: LeakKind, start: FloatArray, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Cost of a mm where the leak can spread."""
    labels, local = ground.labels, ground.local
    noise = _noise(ground, rng)
    canal = (labels == THECAL_SAC) | (labels == EPIDURAL_SPACE)
    free = labels == 0
    if kind in CANAL_KINDS:
        # The epidural space is thin in front of the sac; sheets spread along the wall.
        off_wall = _mm_from(ground.body | _wall_of(ground), ground.spacing_mm)
        cost: npt.NDArray[np.floating] = np.exp(np.clip(off_wall - 0.8, 0.0, None) / 0.7) * noise
        if kind == "basivertebral vein":
            # The longitudinal plexus lies to either side of the midline.
            cost = cost * (1.0 + 0.5 * np.abs(np.abs(local[..., 0]) - 5.0) / 5.0)
        return _only(canal & (off_wall < 8.0), cost)
    if kind in ("disc above", "disc below"):
        up = 1.0 if kind == "disc above" else -1.0
        table = np.array([is_disc(i) for i in range(int(labels.max(initial=0)) + 1)])
        disc = table[labels] & (up * local[..., 2] > 0.0)
        return _only(disc, noise)
    if kind == "foramen":
        room = (ground.parts == Part.FORAMEN) | (
            canal & (np.abs(local[..., 0]) > 0.45 * ground.half_width_mm)
        )
        near = np.linalg.norm(local - start, axis=-1) < 25.0
        return _only(room & near & (np.sign(local[..., 0]) == np.sign(start[0])), noise)
    if kind == "segmental vein":
        return _vein(ground, start, free, noise)
    front = free & (local[..., 1] > 0.3 * ground.depth_mm)
    off = _mm_from(ground.body, ground.spacing_mm)
    return _only(front & (off < 9.0), np.exp(off / 2.5) * noise)


def _vein(
    ground: Ground, start: FloatArray, free: BoolArray, noise: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """A thread round the side of the body, backwards and outwards."""
    side = np.sign(start[0]) or 1.0
    path = [
        np.asarray(start, float),
        np.array([side * (ground.half_width_mm + 3.0), start[1] - 4.0, start[2] - 1.0]),
        np.array([side * (ground.half_width_mm + 7.0), start[1] - 16.0, start[2] + 1.0]),
        np.array([side * (ground.half_width_mm + 16.0), start[1] - 26.0, start[2] + 4.0]),
    ]
    tube = np.zeros(free.shape, bool)
    for a, b in itertools.pairwise(path):
        tube |= near_line(ground, a, b, 1.4)
    return _only(tube & free, noise * 0.3)


def _wall_of(ground: Ground) -> BoolArray:
    """Bone and discs in front of the canal: what an anterior epidural sheet lies on."""
    table = np.array([is_disc(i) for i in range(int(ground.labels.max(initial=0)) + 1)])
    front: BoolArray = (table[ground.labels] | (ground.parts == Part.BODY)) & (ground.local[..., 1] > -4.0)
    return front


def _mm_from(mask: BoolArray, spacing_mm: float) -> FloatArray:
    distance: FloatArray = ndimage.distance_transform_edt(~mask) * spacing_mm
    return distance


def _noise(ground: Ground, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    points = ground.local.reshape(-1, 3).astype(float)
    values = Noise(rng).at(points, 5.0).reshape(ground.body.shape)
    smooth: npt.NDArray[np.float32] = np.exp(0.6 * values).astype(np.float32)
    return smooth


def _only(where: BoolArray, cost: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    return np.where(where, cost, np.inf).astype(np.float32)
