"""A spine of boxes and ellipses, with cement of known shape: every answer is arithmetic.

Own coordinates (x, y, z) mm: left, posterior, cranial; vertebra k's body has its centre at z = 32 k, its
posterior wall at y = 0. Bodies 40 x 30 x 24, discs 8 high, canal an ellipse of 22 x 16 about y = 8.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.cement.deposit_map import Cement
from thecal.frames import CanalFrame, VertebraFrame
from thecal.terms import LEVELS
from thecal.volume import Grid, Volume

WIDTH, DEPTH, HEIGHT, PITCH = 40.0, 30.0, 24.0, 32.0
CANAL_X, CANAL_Y, CANAL_CENTRE = 11.0, 8.0, 8.5
FAT = 2.5
CANAL_AREA = np.pi * CANAL_X * CANAL_Y

Array = npt.NDArray[np.float64]
Shape = Callable[[Array], npt.NDArray[np.bool_]]


def ball(x: float, y: float, z: float, r: float) -> Shape:
    return lambda p: ((p - np.array([x, y, z])) ** 2).sum(-1) <= r**2


def box(x0: float, x1: float, y0: float, y1: float, z0: float, z1: float) -> Shape:
    low, high = np.array([x0, y0, z0]), np.array([x1, y1, z1])
    return lambda p: ((p >= low) & (p <= high)).all(-1)


def rod(a: Sequence[float], b: Sequence[float], r: float) -> Shape:
    start, end = np.array(a, float), np.array(b, float)
    axis = (end - start) / np.linalg.norm(end - start)
    length = np.linalg.norm(end - start)

    def inside(p: Array) -> npt.NDArray[np.bool_]:
        t = (p - start) @ axis
        away = np.linalg.norm(p - start - t[..., None] * axis, axis=-1)
        return (t >= 0) & (t <= length) & (away <= r)

    return inside


def in_canal(shape: Shape) -> Shape:
    return lambda p: shape(p) & (_canal_radius(p) <= 1)


def _canal_radius(p: Array, less: float = 0.0) -> Array:
    return np.hypot(p[..., 0] / (CANAL_X - less), (p[..., 1] - CANAL_CENTRE) / (CANAL_Y - less))


@dataclass(frozen=True)
class Toy:
    volume: Volume
    spine: Spine
    cement: Cement
    to_lps: Callable[[npt.ArrayLike], Array]


def toy(
    *cement: Shape,
    spacing: tuple[float, float, float] = (1.0, 1.0, 1.0),
    tilt: float = 0.0,
    roll: float = 0.0,
    ids: tuple[int, ...] = (20, 19, 18),
    height: Callable[[Array], Array] | None = None,
    clip: int | None = None,
    noise: float = 0.0,
    pitch: float = PITCH,
) -> Toy:
    """Three vertebrae, caudal first, turned by ``tilt`` about left and ``roll`` about posterior (degrees)."""
    spine, turn, shift, local = _anatomy(spacing, tilt, roll, ids, height, pitch)
    # The labels may be changed by the test.
    spine = replace(spine, labels=spine.labels.copy(), parts=spine.parts.copy())
    grid, labels, parts = spine.grid, spine.labels, spine.parts

    fraction = _fractions(cement, local, grid.affine[:3, :3].T @ turn)
    pieces = ndimage.label(fraction > 0.1, np.ones((3, 3, 3)))[0].astype(np.int32)
    fraction[pieces == 0] = 0
    hu = np.where(labels > 0, 60, 20).astype(float)
    hu[(parts == Part.BODY)] = 150
    hu[(parts == Part.ARCH)] = 400
    hu = hu * (1 - fraction) + 3500 * fraction
    hu += np.random.default_rng(0).normal(0, noise, hu.shape) if noise else 0
    if clip:
        hu = np.minimum(hu, clip)
    volume = Volume.from_array(hu, grid, hu_clipped_at=clip)
    found = Cement(
        spine.box,
        grid,
        pieces,
        fraction.astype(np.float32),
        np.zeros(grid.shape, bool),
        np.array([0.4, 0.4, 0.4]),
        20.0,
        5.0,
    )
    return Toy(volume, spine, found, lambda p: np.asarray(p, float) @ turn.T + shift)


@cache
def _anatomy(
    spacing: tuple[float, float, float],
    tilt: float,
    roll: float,
    ids: tuple[int, ...],
    height: Callable[[Array], Array] | None,
    pitch: float,
) -> tuple[Spine, Array, Array, Array]:
    a, b = np.radians(tilt), np.radians(roll)
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]) @ np.array(
        [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    )
    shift = np.array([3.3, -7.1, 12.7])

    def to_lps(p: npt.ArrayLike) -> Array:
        return np.asarray(p, float) @ turn.T + shift

    top = pitch * (len(ids) - 1)
    corners = to_lps([[x, y, z] for x in (-30, 30) for y in (-37, 40) for z in (-18, top + 18)])
    low, high = corners.min(0), corners.max(0)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
    affine[:3, 3] = low
    size = np.ceil((high - low)[::-1] / spacing).astype(int)
    grid = Grid((int(size[0]), int(size[1]), int(size[2])), affine)
    index = np.stack(np.meshgrid(*[np.arange(n) for n in grid.shape], indexing="ij"), -1)
    local = (grid.to_lps(index) - shift) @ turn
    x, y, z = local[..., 0], local[..., 1], local[..., 2]

    labels = np.zeros(grid.shape, np.uint16)
    parts = np.zeros(grid.shape, np.uint8)
    canal = _canal_radius(local) <= 1
    for k, number in enumerate(ids):
        dz = z - pitch * k
        tall = HEIGHT if height is None or k != 1 else height(-y)
        body = (np.abs(x) <= WIDTH / 2) & (y >= -DEPTH) & (y <= 0) & (np.abs(dz) <= tall / 2)
        ring = (_canal_radius(local, -5.0) <= 1) & ~canal & (y > 0) & (np.abs(dz) <= 9)
        labels[body | ring] = number
        parts[body], parts[ring] = Part.BODY, Part.ARCH
        if k:
            disc = (np.abs(x) <= WIDTH / 2) & (y >= -DEPTH) & (y <= 0) & (labels == 0)
            disc &= (dz < 0) & (dz > -pitch)
            labels[disc] = 100 + number
        beside = (np.abs(dz) > 9) & (np.abs(dz) <= pitch / 2) & (np.abs(x) < 20) & (y > 0) & (y < 12)
        parts[beside & ~canal & (labels == 0)] = Part.FORAMEN
    labels[canal] = 61
    labels[_canal_radius(local, FAT) <= 1] = 60

    frame = CanalFrame.through(to_lps([[0, CANAL_CENTRE, s] for s in np.linspace(-20, top + 20, 40)]))
    theta = np.arange(72) * 2 * np.pi / 72 - np.pi
    wall = _ellipse(theta, CANAL_X, CANAL_Y)
    sac = _ellipse(theta, CANAL_X - FAT, CANAL_Y - FAT)
    n = len(frame.s_mm)
    vertebrae = tuple(
        Vertebra(
            number,
            LEVELS.get(number),
            "given",
            True,
            1.0,
            VertebraFrame.from_axes(to_lps([0, 0, pitch * k]), turn @ [0, 0, 1.0], turn @ [1.0, 0, 0]),
            {},
        )
        for k, number in enumerate(ids)
    )
    whole = (slice(0, grid.shape[0]), slice(0, grid.shape[1]), slice(0, grid.shape[2]))
    spine = Spine(
        whole,
        grid,
        labels,
        parts,
        Canal(frame, theta, np.tile(wall, (n, 1)), np.tile(sac, (n, 1)), np.ones(n)),
        vertebrae,
        "toy",
        "1",
    )

    return spine, turn, shift, local


def _ellipse(theta: Array, a: float, b: float) -> Array:
    # theta 0 is anterior, so the sine goes with left.
    return 1 / np.hypot(np.sin(theta) / a, np.cos(theta) / b)


def _fractions(shapes: Sequence[Shape], local: Array, step: Array) -> Array:
    """Share of each voxel that the shapes fill.

    ``local`` are the voxels' centres in own coordinates (z, y, x, 3), ``step`` (3, 3) the way from one voxel
    to the next along each array axis.
    """
    fraction = np.zeros(local.shape[:3])
    if not shapes:
        return fraction
    filled = np.any([s(local) for s in shapes], axis=0)
    # Only the rim is sampled finely; the thinnest shape is as thick as two voxels.
    cube = np.ones((3, 3, 3))
    rim = ndimage.binary_dilation(filled, cube) & ~ndimage.binary_erosion(filled, cube)
    fraction[filled] = 1.0
    sub = (np.arange(4) - 1.5) / 4
    offsets = np.stack(np.meshgrid(sub, sub, sub, indexing="ij"), -1).reshape(-1, 3) @ step
    points = local[rim][:, None, :] + offsets
    fraction[rim] = np.any([s(points) for s in shapes], axis=0).mean(1)
    return fraction


def with_wall_moved(case: Toy, mm: float) -> Toy:
    """The same case with every bone of the anatomy grown (or, negative, shrunk) by ``mm``."""
    spine = case.spine
    spacing = spine.grid.spacing_mm
    labels, parts = spine.labels.copy(), spine.parts.copy()
    bone = parts == Part.BODY
    bone |= parts == Part.ARCH
    if mm > 0:
        away, near = ndimage.distance_transform_edt(~bone, spacing, return_indices=True)
        grown = ~bone & (away <= mm)
        labels[grown] = labels[tuple(near[:, grown])]
        parts[grown] = parts[tuple(near[:, grown])]
    else:
        away, near = ndimage.distance_transform_edt(bone, spacing, return_indices=True)
        lost = bone & (away <= -mm)
        labels[lost] = labels[tuple(near[:, lost])]
        parts[lost] = parts[tuple(near[:, lost])]
    return replace(case, spine=replace(spine, labels=labels, parts=parts))


def with_canal_moved(case: Toy, mm: float) -> Toy:
    """The same case with the canal's wall (and sac) set ``mm`` outward, at the cost of what lies there."""
    spine = case.spine
    canal = replace(
        spine.canal, wall_mm=spine.canal.wall_mm + mm, sac_mm=np.maximum(spine.canal.sac_mm + mm, 1.0)
    )
    labels, parts = spine.labels.copy(), spine.parts.copy()
    spacing = spine.grid.spacing_mm
    inside = np.isin(labels, (60, 61))
    sac = labels == 60
    if mm > 0:
        new = ndimage.distance_transform_edt(~inside, spacing) <= mm
        new |= inside
        sac = ndimage.distance_transform_edt(~sac, spacing) <= mm
    else:
        new = ndimage.distance_transform_edt(inside, spacing) > -mm
        sac = ndimage.distance_transform_edt(sac, spacing) > -mm
        labels[inside & ~new] = 0
    labels[new], parts[new] = 61, 0
    labels[sac] = 60
    return replace(case, spine=replace(spine, labels=labels, parts=parts, canal=canal))
