"""The two label maps, written as NIfTI on the grid of the input."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt

from thecal.anatomy.spine import Spine
from thecal.leakage.findings import Leakage
from thecal.volume import FloatArray, Volume, to_source_grid

# Label maps are nearly all background: level 1 loses little size and is several times faster.
_GZIP_LEVEL = 1
# DICOM's LPS to NIfTI's RAS.
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_anatomy(path: Path, volume: Volume, spine: Spine) -> None:
    """Write ``anatomy.nii.gz``: vertebrae, sac, canal and discs by the ids of the contract."""
    _write(path, spine.labels, volume, spine)


def write_cement(path: Path, volume: Volume, spine: Spine, leakage: Leakage) -> None:
    """Write ``cement.nii.gz``: the value of a voxel is the ``id`` of its deposit."""
    _write(path, leakage.deposit_labels, volume, spine)


def _write(path: Path, labels: npt.NDArray[Any], volume: Volume, spine: Spine) -> None:
    dtype = np.uint8 if int(labels.max(initial=0)) < 256 else np.uint16
    whole = to_source_grid(labels.astype(dtype), volume, spine.box)
    affine = nifti_affine(volume)
    image = nib.Nifti1Image(whole, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    image.header["cal_max"] = int(labels.max(initial=0))
    image.header["vox_offset"] = 352
    image.header.set_slope_inter(1, 0)
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_GZIP_LEVEL, mtime=0) as packed,
    ):
        packed.write(image.header.binaryblock + b"\0\0\0\0")
        # NIfTI's first axis runs fastest; for a plain axial scan that is the array as it lies in memory.
        packed.write(np.ascontiguousarray(whole.T).data)


def nifti_affine(volume: Volume) -> FloatArray:
    """The affine from indices of the array as it was read to NIfTI's RAS mm, (4, 4)."""
    affine: FloatArray = _LPS_TO_RAS @ volume.source.grid.affine
    return affine
