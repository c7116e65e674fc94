"""The real CTs without cement, their reference labels, and windows of them at several slice spacings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from thecal.anatomy.backends.builtin import Builtin
from thecal.anatomy.spine import Spine
from thecal.dicom import read
from thecal.volume import Box, Grid, Volume, resample

DATA: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
SCANS: Final = {
    "thorax_2p5mm": "ct.nii.gz",
    "t11t12_dicom": "dicom",
    "abdomen_3mm": "ct.nii.gz",
    "thorax_1p5mm": "ct.nii.gz",
    "l3_1p5mm": "sub-ct_label-22_ct.nii.gz",
    "abdomen_5mm": "ct.nii.gz",
}


@dataclass(frozen=True)
class Window:
    """A part of a real CT, at its own slice spacing or at another.

    Attributes
    ----------
    scan : str
    share : (low, high)
        Part of the scan along z, caudal to cranial.
    z_mm : float or None
        Slice spacing to resample to; None keeps the scan's own.
    """

    scan: str
    share: tuple[float, float] = (0.0, 1.0)
    z_mm: float | None = None

    @property
    def name(self) -> str:
        """Short name for tables and files."""
        part = "" if self.share == (0.0, 1.0) else f" {self.share[0]:.0%}-{self.share[1]:.0%}"
        return f"{self.scan}{part}" + ("" if self.z_mm is None else f" at {self.z_mm:g} mm")


def available(name: str) -> bool:
    """Whether a scan lies on this machine."""
    return (DATA / name / SCANS[name]).exists()


@lru_cache(maxsize=2)
def scan(name: str) -> Volume:
    """A whole real CT."""
    return read(DATA / name / SCANS[name])


@lru_cache(maxsize=12)
def window(which: Window) -> Volume:
    """The voxels of a window."""
    volume = scan(which.scan)
    count = volume.hu.shape[0]
    low, high = round(which.share[0] * count), round(which.share[1] * count)
    box: Box = (slice(low, high), slice(0, volume.hu.shape[1]), slice(0, volume.hu.shape[2]))
    grid = volume.grid.crop(box)
    hu = np.ascontiguousarray(volume.hu[box])
    own = float(grid.spacing_mm[0])
    thick = volume.source.slice_thickness_mm or own
    if which.z_mm is not None and which.z_mm != own:
        thick = max(thick, which.z_mm)
        hu, grid = _respaced(hu, grid, which.z_mm)
    source = replace(volume.source, kind="array", grid=grid, slice_thickness_mm=thick, files=())
    return replace(volume, hu=hu, grid=grid, source=source)


def _respaced(hu: npt.NDArray[np.int16], grid: Grid, z_mm: float) -> tuple[npt.NDArray[np.int16], Grid]:
    """Slices at another spacing: averaged where they become thicker, interpolated where thinner."""
    own = float(grid.spacing_mm[0])
    soft = hu.astype(np.float32)
    if z_mm > own:
        # The variance of the wider box is that of the narrower one and this Gaussian's.
        sigma = np.sqrt((z_mm**2 - own**2) / 12.0) / own
        soft = ndimage.gaussian_filter1d(soft, sigma, axis=0, mode="nearest")
    affine = grid.affine.copy()
    affine[:3, 0] *= z_mm / own
    count = int(np.floor((hu.shape[0] - 1) * own / z_mm + 1e-6)) + 1
    target = Grid((count, *hu.shape[1:]), affine)
    return np.rint(resample(soft, grid, target)).astype(np.int16), target


@lru_cache(maxsize=12)
def clean_spine(which: Window) -> Spine:
    """The built-in anatomy of a window before any cement."""
    return Builtin().find(window(which))


def reference(path: Path, grid: Grid) -> npt.NDArray[Any]:
    """A reference label map on a volume's grid, by the nearest voxel."""
    import nibabel as nib

    picture = nib.load(path)
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0]) @ picture.affine
    array = np.asanyarray(picture.dataobj).astype(np.uint16)
    return resample(array, Grid(array.shape, to_lps), grid, order=0, fill=0)
