"""The patient on the table: fields of view, the person's soft parts, and tissues evaluated on a grid."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from thecal.phantom.soft import TILE
from thecal.phantom.spine_model import SpineModel
from thecal.phantom.tissue import evaluate
from thecal.volume import Box, FloatArray, Grid, IntArray, LabelArray

# Scan voxels of true tissue that the blur needs at the edge of the fine part.
RIM = 8


def axis_grid(
    low_xyz: npt.ArrayLike, shape: tuple[int, int, int], spacing_zyx: tuple[float, float, float]
) -> Grid:
    """A grid along the patient's axes from the centre of its first voxel."""
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, spacing_zyx[2]], [0, spacing_zyx[1], 0], [spacing_zyx[0], 0, 0]])
    affine[:3, 3] = np.asarray(low_xyz, float)
    return Grid(shape, affine)


def finer(grid: Grid, factors: tuple[int, int, int]) -> Grid:
    """The grid that cuts each voxel into ``factors`` (z, y, x) parts."""
    affine = grid.affine.copy()
    f = np.array(factors, float)
    affine[:3, :3] = grid.affine[:3, :3] / f[None, :]
    affine[:3, 3] = grid.to_lps(-0.5 + 0.5 / f)
    return Grid((grid.shape[0] * factors[0], grid.shape[1] * factors[1], grid.shape[2] * factors[2]), affine)


def scan_grid(
    model: SpineModel, spacing_zyx: tuple[float, float, float], fov_mm: float, margin_mm: float = 6.0
) -> Grid:
    """The scan's grid: the shown levels with a margin, a square field of view about the spine."""
    shown = [v for v in model.vertebrae if v.level in model.shown]
    low = min(
        v.frame.to_lps([0, v.size.body_depth * e, -0.5 * max(v.heights)])[2] for v in shown for e in (0, 1)
    )
    high = max(
        v.frame.to_lps([0, v.size.body_depth * e, 0.5 * max(v.heights)])[2] for v in shown for e in (0, 1)
    )
    if shown[0].level == "sacrum":
        low -= 45.0
    z0, z1 = low - margin_mm, high + margin_mm
    centre = model.curve.frame.points
    inside = centre[(centre[:, 2] > z0) & (centre[:, 2] < z1)]
    middle = (inside.min(0) + inside.max(0)) / 2
    back = float(inside[:, 1].max())
    n = round(fov_mm / spacing_zyx[2])
    ny = round(fov_mm / spacing_zyx[1])
    nz = int(np.ceil((z1 - z0) / spacing_zyx[0])) + 1
    # The field ends 15 mm below the skin of the back where it is wide enough, else is centred on the canal.
    y1 = min(back + 95.0, middle[1] + 0.62 * fov_mm)
    low_xyz = [middle[0] - spacing_zyx[2] * (n - 1) / 2, y1 - spacing_zyx[1] * (ny - 1), z0]
    return axis_grid(low_xyz, (nz, ny, n), spacing_zyx)


def supersampling(spacing_zyx: tuple[float, float, float]) -> tuple[int, int, int]:
    """Fine voxels in one scan voxel: at most 0.5 mm across the slice and 0.6 mm along z."""
    z = max(1, int(np.ceil(spacing_zyx[0] / 0.6 - 1e-6)))
    return (
        z,
        max(2, int(np.ceil(spacing_zyx[1] / 0.5 - 1e-6))),
        max(2, int(np.ceil(spacing_zyx[2] / 0.5 - 1e-6))),
    )


def person_numbers(model: SpineModel, rng: np.random.Generator, contrast_hu: float | None) -> FloatArray:
    """The row of soft-part numbers that the tissue kernel reads."""
    points = model.curve.frame.points
    middle = points[len(points) // 2]
    stout = rng.normal(1.0, 0.07)
    # Skin lies some 55 mm behind the thoracolumbar canal, 30 mm behind the sacrum's.
    cover = np.interp(model.curve.rows[:, 20], [22.0, 25.0, 26.0], [56.0, 40.0, 24.0])
    back = float((points[:, 1] + cover * float(np.clip(stout, 0.85, 1.2))).max())
    half_ap = 112.0 * stout
    contrast = (
        contrast_hu if contrast_hu is not None else (rng.uniform(150, 320) if rng.random() < 0.4 else 42.0)
    )
    calcium = float(np.interp(model.age, [50, 75, 90], [1.98, 1.75, 1.45]) + rng.normal(0, 0.08))
    return np.array(
        [
            middle[0] + rng.normal(0, 3.0),
            back - half_ap + 6.0,
            168.0 * stout,
            half_ap,
            back - 4.0,
            back + 3.0,
            rng.uniform(5.0, 14.0),
            rng.uniform(13.0, 16.0),
            rng.uniform(9.5, 13.0),
            contrast,
            calcium,
            float(np.clip((model.age - 50) / 30 + rng.normal(0, 0.2), 0.0, 1.3)),
        ]
    )


def trabecular_tile(rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A periodic block of noise, struts longer along z, zero mean and unit deviation."""
    from scipy import ndimage

    white = rng.standard_normal((TILE, TILE, TILE)).astype(np.float32)
    tile = ndimage.gaussian_filter(white, (1.8, 1.0, 1.0), mode="wrap")
    slow = ndimage.gaussian_filter(white[::-1].copy(), (7.0, 6.0, 6.0), mode="wrap")
    tile = tile / tile.std() + 0.7 * slow / slow.std()
    result: npt.NDArray[np.float32] = (tile / tile.std()).astype(np.float32)
    return result


class Kernel:
    """The arrays that ``tissue.evaluate`` reads, packed once for a person."""

    def __init__(self, model: SpineModel, person: FloatArray, tile: npt.NDArray[np.float32]) -> None:
        self.frames = np.array(
            [[*v.frame.origin, *v.frame.left, *v.frame.anterior, *v.frame.cranial] for v in model.vertebrae]
        )
        self.rows = np.stack([v.parameters for v in model.vertebrae])
        self.curve = model.curve
        self.person = person
        self.tile = tile

    def fill(self, grid: Grid) -> tuple[IntArray, LabelArray, npt.NDArray[np.uint8]]:
        """HU, labels and parts on a grid along the patient's axes."""
        hu = np.empty(grid.shape, np.int16)
        labels = np.empty(grid.shape, np.uint16)
        parts = np.empty(grid.shape, np.uint8)
        step = np.array([grid.affine[0, 2], grid.affine[1, 1], grid.affine[2, 0]])
        # Slabs are whole blocks of the kernel, so that the cut does not show.
        slab = max(8, 8 * round(grid.shape[0] / 64))

        def fill_slab(start: int) -> None:
            part = slice(start, start + slab)
            origin = np.ascontiguousarray(grid.to_lps([start, 0, 0]))
            evaluate(
                origin,
                step,
                hu[part],
                labels[part],
                parts[part],
                self.curve.rows,
                self.curve.z0,
                self.curve.index_of_z,
                self.frames,
                self.rows,
                self.person,
                self.tile,
            )

        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            list(pool.map(fill_slab, range(0, grid.shape[0], slab)))
        return hu, labels, parts

    def fill_round(self, grid: Grid, box: Box) -> tuple[IntArray, LabelArray, npt.NDArray[np.uint8]]:
        """The same, but left empty within ``box`` save for a rim; ``box`` holds whole slices."""
        hu = np.zeros(grid.shape, np.int16)
        labels = np.zeros(grid.shape, np.uint16)
        parts = np.zeros(grid.shape, np.uint8)
        nz, ny, nx = grid.shape
        y0, y1 = min(box[1].start + RIM, ny), max(box[1].stop - RIM, 0)
        x0, x1 = min(box[2].start + RIM, nx), max(box[2].stop - RIM, 0)
        z = slice(0, nz)
        rim: list[Box] = [
            (z, slice(0, y0), slice(0, nx)),
            (z, slice(y1, ny), slice(0, nx)),
            (z, slice(y0, y1), slice(0, x0)),
            (z, slice(y0, y1), slice(x1, nx)),
        ]
        for part in rim:
            if part[1].stop > part[1].start and part[2].stop > part[2].start:
                hu[part], labels[part], parts[part] = self.fill(grid.crop(part))
        return hu, labels, parts


def spine_box(model: SpineModel, grid: Grid) -> Box:
    """The part of the scan that holds vertebrae and canal, whole slices along z."""
    z0, z1 = grid.affine[2, 3], grid.to_lps([grid.shape[0] - 1, 0, 0])[2]
    corners = []
    for v in model.vertebrae:
        for u in (-1, 1):
            wide = max(v.parameters[13] + 9.0, v.size.body_width / 2 + 9.0)
            if v.level == "sacrum":
                wide = 62.0
            corners.append(v.frame.to_lps([u * wide, v.size.body_depth + 9.0, 0.0]))
            corners.append(v.frame.to_lps([u * wide, -(v.size.canal_ap + v.parameters[12] + 8.0), 0.0]))
    corner = np.array(corners)
    inside = corner[(corner[:, 2] > z0 - 40) & (corner[:, 2] < z1 + 40)]
    box = grid.box_around(inside, 2.0)
    return (slice(0, grid.shape[0]), box[1], box[2])
