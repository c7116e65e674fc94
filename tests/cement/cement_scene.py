"""Analytic cement in a plain vertebra, blurred by a known scanner: the truth is known to the last voxel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import Grid, Volume

SIZE_MM = np.array([44.0, 76.0, 52.0])
BODY_CENTRE = np.array([22.0, 24.0, 26.0])
CANAL_CENTRE_YX = np.array([47.0, 26.0])
FINE_MM = 0.42


@dataclass
class Scanner:
    spacing: tuple[float, float, float] = (1.0, 0.7, 0.7)
    sigma: tuple[float, float, float] = (0.45, 0.6, 0.6)
    noise: float = 20.0
    clip: int | None = None
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    seed: int = 0


def points(fine: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    axes = [np.arange(0.0, size, step) for size, step in zip(SIZE_MM, fine, strict=True)]
    return (axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :])


def ball(centre, radius):
    return lambda z, y, x: (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2 <= radius**2


def sheet(centre, thickness, side):
    def inside(z, y, x):
        return (
            (abs(z - centre[0]) <= side / 2)
            & (abs(y - centre[1]) <= thickness / 2)
            & (abs(x - centre[2]) <= side / 2)
        )

    return inside


def rod(start, end, radius):
    start, end = np.asarray(start, float), np.asarray(end, float)
    length = np.linalg.norm(end - start)
    u = (end - start) / length

    def inside(z, y, x):
        along = (z - start[0]) * u[0] + (y - start[1]) * u[1] + (x - start[2]) * u[2]
        square = (z - start[0]) ** 2 + (y - start[1]) ** 2 + (x - start[2]) ** 2
        return (along >= 0) & (along <= length) & (square - along**2 <= radius**2)

    return inside


def tissue(z, y, x, trabecular=140.0, soft=40.0, cortex=650.0):
    """HU and labels of one plain vertebra: body, ring of arch, canal, skin and air behind."""
    body_r = np.hypot((y - BODY_CENTRE[1]) / 15.0, (x - BODY_CENTRE[2]) / 20.0)
    in_height = (z >= 9) & (z <= 35)
    shell = (z < 10) | (z > 34) | (body_r > 0.94)
    body = (body_r <= 1) & in_height
    canal_r = np.hypot(y - CANAL_CENTRE_YX[0], x - CANAL_CENTRE_YX[1])
    canal = (canal_r <= 8) & (z >= 0) & ~body
    arch = (canal_r > 8) & (canal_r <= 13) & (z >= 14) & (z <= 28) & ~body
    hu = np.full(np.broadcast_shapes(z.shape, y.shape, x.shape), soft, np.float32)
    hu[canal] = 25
    hu[body] = trabecular
    hu[body & shell] = cortex
    hu[arch] = cortex + 350
    hu[np.broadcast_to(y > 68, hu.shape)] = -1000
    return hu, body, arch, canal


def scan(shapes, scanner: Scanner, pure=3000.0, ground=None):
    """A volume, its spine and the truth (mL of all shapes together)."""
    spacing, sigma = np.array(scanner.spacing), np.array(scanner.sigma)
    per = np.maximum(1, np.rint(spacing / FINE_MM)).astype(int)
    step = spacing / per
    z, y, x = points(tuple(step))
    if ground is None:
        hu = tissue(z, y, x)[0]
    else:
        hu = np.full(np.broadcast_shapes(z.shape, y.shape, x.shape), ground, np.float32)
        hu[np.broadcast_to(y > 68, hu.shape)] = -1000
    inside = np.zeros(hu.shape, bool)
    for shape in shapes:
        inside |= shape(z, y, x)
    truth = inside.sum() * np.prod(step) / 1000
    hu[inside] = pure
    hu = ndimage.gaussian_filter(hu, sigma / step, truncate=3.5, mode="nearest")
    start = [int(p // 2 + o * p) % p for p, o in zip(per, scanner.offset, strict=True)]
    hu = hu[tuple(slice(s, None, p) for s, p in zip(start, per, strict=True))]
    rng = np.random.default_rng(scanner.seed)
    hu = hu + rng.normal(0, scanner.noise, hu.shape)
    hu = np.clip(np.rint(hu), -1024, scanner.clip if scanner.clip else 20000).astype(np.int16)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing[2]], [0, spacing[1], 0], [spacing[0], 0, 0]])
    affine[:3, 3] = (np.array(start) * step)[::-1]
    grid = Grid(hu.shape, affine)
    volume = Volume.from_array(hu, grid, slice_thickness_mm=float(spacing[0]), hu_clipped_at=scanner.clip)
    return volume, spine_on(grid), truth


def spine_on(grid: Grid) -> Spine:
    at = [grid.affine[2 - a, 3] + np.arange(n) * grid.spacing_mm[a] for a, n in enumerate(grid.shape)]
    z, y, x = at[0][:, None, None], at[1][None, :, None], at[2][None, None, :]
    _, body, arch, canal = tissue(z, y, x)
    labels = np.zeros(grid.shape, np.uint16)
    parts = np.zeros(grid.shape, np.uint8)
    labels[canal] = 61
    labels[body | arch] = 20
    parts[body] = Part.BODY
    parts[arch] = Part.ARCH
    path = np.stack([np.full(9, 26.0), np.full(9, 47.0), np.linspace(1, 43, 9)], axis=1)
    frame = CanalFrame.through(path)
    n, m = len(frame.s_mm), 24
    full = np.full((n, m), 8.0)
    theta = np.linspace(-np.pi, np.pi, m, endpoint=False)
    canal_value = Canal(frame, theta, full, full - 1.5, np.ones(n))
    own = VertebraFrame.from_axes([26.0, 39.0, 22.0], [0, 0, 1.0], [1.0, 0, 0])
    vertebra = Vertebra(20, "L1", "given", True, 1.0, own, {})
    box = tuple(slice(0, n) for n in grid.shape)
    return Spine(box, grid, labels, parts, canal_value, (vertebra,), "scene", "1")
