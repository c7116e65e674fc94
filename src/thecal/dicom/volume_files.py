"""NIfTI, NRRD and MetaImage files to a volume."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.dicom.hounsfield import clipped_at, judge, thick_slices
from thecal.dicom.metaimage import read_metaimage
from thecal.dicom.orient import nearest_axes, orientation_code, turned, turned_grid
from thecal.dicom.pixels import PADDING_BELOW_HU
from thecal.dicom.simulated import is_simulated
from thecal.dicom.stored_files import nifti_image, read_nrrd, space_to_lps
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import AIR_HU, FloatArray, Grid, IntArray, Source, Volume, resample

# NIfTI is RAS, thecal is LPS.
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
MAX_VOXELS = 1 << 30
# No scanner's frame of reference reaches a hundred metres.
FARTHEST_MM = 1e5
# Axes farther from a right angle than this would move a vertebra's corner by more than half a voxel.
RIGHT_ANGLE_COSINE = 0.002
MM_PER_UNIT = {"meter": 1000.0, "micron": 0.001}

# Notes go into the report, and a file's name may hold a patient's: they do not repeat it.
UNPLACED = QualityNote(
    "orientation_assumed",
    "critical",
    "The file does not say how it lies in the patient; left and right, front and back are assumed.",
)

_Stored = tuple[npt.NDArray[Any], FloatArray, float, float, list[QualityNote], bool]


def read_volume_file(path: Path, kind: str) -> Volume:
    """A volume of a NIfTI, NRRD or MetaImage file.

    Parameters
    ----------
    path : Path
    kind : "nifti", "nrrd" or "mha"

    Raises
    ------
    InputError
        Where the file is damaged, truncated, no single volume, or its values are not HU.
    """
    reader = {"nifti": _nifti, "nrrd": _nrrd, "mha": _metaimage}[kind]
    stored, affine, slope, intercept, notes, simulated = reader(path)
    if not np.abs(affine).max() < FARTHEST_MM or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"The geometry of {path.name} is not usable: its axes span no volume.")
    if min(stored.shape) < 3:
        raise InputError(f"{path.name} is not a volume: its size is {' x '.join(map(str, stored.shape))}.")
    hu, padding = _to_hu(stored, slope, intercept, path.name)
    del stored
    grid = Grid((hu.shape[0], hu.shape[1], hu.shape[2]), affine)
    straight = _right_angled(grid)
    # Orientation first: affine_transform is fastest along contiguous memory.
    axes, flips = nearest_axes(affine)
    hu = turned(hu, axes, flips)
    placed = turned_grid(grid, axes, flips)
    if straight is not None:
        notes.append(
            QualityNote(
                "sheared_grid",
                "warning",
                "The axes of the file are not at right angles; it was resampled to a right-angled grid.",
            )
        )
        target = turned_grid(straight, *nearest_axes(straight.affine))
        if not 1 <= min(target.shape) <= math.prod(target.shape) <= MAX_VOXELS:
            raise InputError(
                f"The geometry of {path.name} is not usable: its axes are far from right angles."
            )
        hu = resample(hu, placed, target, order=1, fill=AIR_HU)
        placed = target
    notes += judge(hu, path.name, padding) + thick_slices(float(placed.spacing_mm.max()))
    ceiling, clip_notes = clipped_at(hu, None)
    source = Source(
        kind=kind,
        grid=grid,
        axes=axes,
        flips=flips,
        resampled=straight is not None,
        orientation=orientation_code(affine),
        hu_clipped_at=ceiling,
        padding_fraction=padding,
        simulated=simulated,
    )
    return Volume(hu, placed, source, (*notes, *clip_notes))


def _nifti(path: Path) -> _Stored:
    with nifti_image(path) as image:
        header = image.header
        sform, qform = int(header["sform_code"]), int(header["qform_code"])
        unit = header.get_xyzt_units()[0]
        description = bytes(header["descrip"]).decode("latin-1")
        shape = _one_volume(tuple(int(n) for n in image.shape), path)
        proxy = image.dataobj
        slope, intercept = float(proxy.slope), float(proxy.inter)
        stored = np.asanyarray(proxy.get_unscaled()).reshape(shape, order="F")
        affine = RAS_TO_LPS @ np.asarray(image.affine, float)
    affine[:3] *= MM_PER_UNIT.get(unit, 1.0)
    notes = []
    if sform == 0 and qform == 0:
        notes.append(UNPLACED)
    return stored, affine, slope, intercept, notes, is_simulated(description)


def _nrrd(path: Path) -> _Stored:
    stored, header = read_nrrd(path)
    stored = stored.reshape(_one_volume(stored.shape, path), order="F")
    notes = []
    directions = header.get("space directions")
    affine = np.eye(4)
    if directions is None:
        spacings = np.asarray(header.get("spacings", [1.0, 1.0, 1.0]), float)
        affine[:3, :3] = np.diag(np.nan_to_num(spacings[np.isfinite(spacings)][:3], nan=1.0))
        notes.append(UNPLACED)
    else:
        rows = np.asarray(directions, float)
        rows = rows[np.all(np.isfinite(rows), axis=1)]
        if rows.shape != (3, 3):
            raise InputError(f"The geometry of {path.name} is not that of a volume.")
        affine[:3, :3] = rows.T
        affine[:3, 3] = np.asarray(header.get("space origin", np.zeros(3)), float)
        space = str(header.get("space", "")).lower()
        turn = space_to_lps(space)
        if turn is None:
            notes.append(UNPLACED)
        else:
            affine = turn @ affine
    simulated = is_simulated(" ".join(str(value) for value in header.values()))
    return stored, affine, 1.0, 0.0, notes, simulated


def _metaimage(path: Path) -> _Stored:
    stored, affine, placed = read_metaimage(path)
    return stored, affine, 1.0, 0.0, [] if placed else [UNPLACED], False


def _one_volume(shape: tuple[int, ...], path: Path) -> tuple[int, int, int]:
    several = [n for n in shape if n != 1] if len(shape) > 3 else list(shape)
    if len(shape) > 3 and len(several) < 3:
        several = list(shape[:3]) if all(n == 1 for n in shape[3:]) else several
    if len(several) > 3:
        raise InputError(f"{path.name} holds several volumes ({' x '.join(map(str, shape))}), not one CT.")
    if len(several) < 3:
        raise InputError(f"{path.name} is not a volume: its size is {' x '.join(map(str, shape))}.")
    if math.prod(several) > MAX_VOXELS or min(several) < 1:
        raise InputError(f"{path.name} says it is {' x '.join(map(str, shape))} voxels, which is no CT.")
    return several[0], several[1], several[2]


def _to_hu(stored: npt.NDArray[Any], slope: float, intercept: float, name: str) -> tuple[IntArray, float]:
    """Stored values to int16 HU slab by slab, in the same memory order; and the share of padding."""
    if stored.dtype.kind not in "iuf":
        raise InputError(f"The voxels of {name} are not single numbers, so it is no CT.")
    hu = np.empty_like(stored, dtype=np.int16, order="K", subok=False)
    # The axis that moves slowest in memory.
    slow = int(np.argmax(np.abs(stored.strides)))
    source, target = np.moveaxis(stored, slow, 0), np.moveaxis(hu, slow, 0)
    padded = 0
    plain = slope == 1 and intercept == 0
    for k in range(len(source)):
        slab = source[k]
        if slab.dtype.kind == "f" or not plain:
            values = slab * np.float64(slope) + intercept
            bad = ~np.isfinite(values)
            values[bad] = AIR_HU
            outside = bad | (values < PADDING_BELOW_HU)
            values = np.rint(values)
        else:
            values = slab
            outside = values < PADDING_BELOW_HU
        np.clip(values, AIR_HU, np.iinfo(np.int16).max, out=target[k], casting="unsafe")
        target[k][outside] = AIR_HU
        padded += int(np.count_nonzero(outside))
    return hu, padded / hu.size


def _right_angled(grid: Grid) -> Grid | None:
    """A right-angled grid that covers a sheared one; None where it is right-angled already.

    The two axes nearest to a right angle stay (they are the slices of a tilted gantry); the third becomes
    their normal, so that each new plane is one old slice moved within itself.
    """
    spacing = grid.spacing_mm
    cosines = grid.affine[:3, :3] / spacing
    pairs = {(a, b): abs(float(cosines[:, a] @ cosines[:, b])) for a, b in ((0, 1), (0, 2), (1, 2))}
    if max(pairs.values()) <= RIGHT_ANGLE_COSINE:
        return None
    a, b = min(pairs, key=lambda pair: pairs[pair])
    c = 3 - a - b
    axes = np.zeros((3, 3))
    axes[:, a] = cosines[:, a]
    axes[:, b] = cosines[:, b] - (cosines[:, b] @ axes[:, a]) * axes[:, a]
    axes[:, b] /= np.linalg.norm(axes[:, b])
    normal = np.cross(axes[:, a], axes[:, b])
    along = float(normal @ cosines[:, c])
    axes[:, c] = normal * np.sign(along)
    steps = spacing.copy()
    steps[c] *= abs(along)
    corners = np.array(
        [
            grid.to_lps([i, j, k])
            for i in (0, grid.shape[0] - 1)
            for j in (0, grid.shape[1] - 1)
            for k in (0, grid.shape[2] - 1)
        ]
    )
    local = (corners - grid.affine[:3, 3]) @ axes / steps
    low = np.floor(local.min(axis=0) + 1e-6)
    size = np.ceil(local.max(axis=0) - low - 1e-6).astype(int) + 1
    affine = np.eye(4)
    affine[:3, :3] = axes * steps
    affine[:3, 3] = grid.affine[:3, 3] + axes @ (low * steps)
    return Grid((int(size[0]), int(size[1]), int(size[2])), affine)
