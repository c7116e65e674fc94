"""Label maps from files: NIfTI, NRRD, DICOM SEG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.anatomy.backends.slicer_seg import is_slicer_segmentation, labels_of_segments
from thecal.dicom.stored_files import nifti_image, read_nrrd, space_to_lps
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.volume import Grid, LabelArray


@dataclass(frozen=True, eq=False)
class LabelFile:
    """A label map as stored, with its place in the patient.

    Attributes
    ----------
    labels : (a, b, c) uint16
    grid : Grid
    named : bool
        Whether the file names its segments; then ``labels`` are ids of the contract already, and
        `segment_names.CORD_ID` is a cord.
    series_uid : str or None
        Of the images that it was drawn on, where it says so.
    quality : tuple of QualityNote
    """

    labels: LabelArray
    grid: Grid
    named: bool = False
    series_uid: str | None = None
    quality: tuple[QualityNote, ...] = ()


def read_label_map(path: Path) -> tuple[LabelArray, Grid]:
    """The labels of `read_label_file` and their grid alone."""
    read = read_label_file(path)
    return read.labels, read.grid


def read_label_file(path: Path) -> LabelFile:
    """A label map as stored, with its place in the patient.

    Parameters
    ----------
    path : Path
        NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr, also 3D Slicer's .seg.nrrd) or DICOM SEG (by its content).

    Raises
    ------
    InputError
        Where the file is none of these, is not three-dimensional, or holds values that are no labels.
    """
    name = path.name.lower()
    if _is_dicom(path):
        from thecal.anatomy.backends.dicom_seg import read_dicom_seg

        seg = read_dicom_seg(path)
        return LabelFile(seg.labels, seg.grid, True, seg.series_uid, seg.quality)
    notes: list[QualityNote] = []
    named = False
    if name.endswith((".nii", ".nii.gz")):
        array, affine = _nifti(path)
    elif name.endswith((".nrrd", ".nhdr")):
        array, affine, header = _nrrd(path)
        named = is_slicer_segmentation(header)
        if named:
            array, notes = labels_of_segments(array, header, path.name)
    else:
        raise InputError(f"{path.name} is not a label map: give NIfTI, NRRD or DICOM SEG")
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise InputError(f"{path.name} has {array.ndim} dimensions; a label map has three")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path.name} does not say where its voxels lie in the patient")
    labels = _as_labels(array, path.name)
    grid = Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)
    return LabelFile(labels, grid, named, None, tuple(notes))


def _as_labels(array: npt.NDArray[Any], name: str) -> LabelArray:
    if array.dtype.kind == "f":
        if not np.isfinite(array).all() or np.any(array != np.rint(array)):
            raise InputError(f"{name} holds values that are not whole numbers; it is not a label map")
    elif array.dtype.kind not in "iub":
        raise InputError(f"{name} holds values that are not numbers; it is not a label map")
    if array.size == 0 or array.min() < 0 or array.max() > 65535:
        raise InputError(f"{name} holds values below 0 or above 65535; it is not a label map")
    return np.ascontiguousarray(array.astype(np.uint16))


def _nifti(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    with nifti_image(path) as image:
        array = np.asanyarray(image.dataobj)
        affine = image.affine
    if affine is None:
        raise InputError(f"{path.name} does not say where its voxels lie in the patient")
    return array, np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(affine, float)


def _nrrd(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64], dict[str, Any]]:
    """Voxels, place and header; a first axis of layers is left in front."""
    array, header = read_nrrd(path)
    origin = header.get("space origin")
    directions = np.asarray(header.get("space directions"), float)
    if directions.ndim == 2 and len(directions) == array.ndim:
        # Axes of no direction are no axes of space: layers, or a list of one.
        directions = directions[np.isfinite(directions).all(axis=1)]
    if origin is None or directions.shape != (3, 3):
        raise InputError(f"{path.name} does not say where its voxels lie in the patient in three dimensions")
    space = str(header.get("space", "left-posterior-superior")).lower()
    turn = space_to_lps(space)
    if turn is None:
        raise InputError(f"{path.name} is in the space {space!r}, which is not the patient's")
    affine = np.eye(4)
    affine[:3, :3] = directions.T
    affine[:3, 3] = np.asarray(origin, float)
    return array, turn @ affine, header


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"
