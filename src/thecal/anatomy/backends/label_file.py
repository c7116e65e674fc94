"""Label maps from files: NIfTI, NRRD, DICOM SEG."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thecal.errors import InputError
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, SACRUM, THECAL_SAC, VERSE_IDS
from thecal.volume import Grid, LabelArray

# SNOMED CT codes of whole vertebrae (figures 10.1, from pydicom's dictionary), T1..T12 then L1..L5.
_SCT_LEVELS = (
    *("64864005", "53733008", "1626008", "73071006", "56401006", "45296009"),
    *("62487009", "11068009", "82687006", "7610001", "12989004", "23215003"),
    *("66794005", "14293000", "36470004", "11994002", "49668003"),
)


def read_label_map(path: Path) -> tuple[LabelArray, Grid]:
    """A label map as stored, with its place in the patient.

    Parameters
    ----------
    path : Path
        NIfTI (.nii, .nii.gz), NRRD (.nrrd, .nhdr) or DICOM SEG.

    Returns
    -------
    labels : (a, b, c) uint16
    grid : Grid

    Raises
    ------
    InputError
        Where the file is none of these, is not three-dimensional, or holds values that are no labels.
    """
    name = path.name.lower()
    if name.endswith((".nii", ".nii.gz")):
        array, affine = _nifti(path)
    elif name.endswith((".nrrd", ".nhdr")):
        array, affine = _nrrd(path)
    elif _is_dicom(path):
        array, affine = _dicom_seg(path)
    else:
        raise InputError(f"{path.name} is not a label map: give NIfTI, NRRD or DICOM SEG")
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise InputError(f"{path.name} has {array.ndim} dimensions; a label map has three")
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-9:
        raise InputError(f"{path.name} does not say where its voxels lie in the patient")
    labels = _as_labels(array, path.name)
    return labels, Grid((labels.shape[0], labels.shape[1], labels.shape[2]), affine)


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
    import nibabel
    from nibabel.filebasedimages import ImageFileError

    try:
        image: Any = nibabel.load(path)
        array = np.asanyarray(image.dataobj)
    except (OSError, ValueError, EOFError, ImageFileError) as error:
        raise InputError(f"{path.name} cannot be read as NIfTI") from error
    if image.affine is None:
        raise InputError(f"{path.name} does not say where its voxels lie in the patient")
    return array, np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(image.affine, float)


def _nrrd(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    import nrrd

    try:
        array, header = nrrd.read(str(path))
    except (OSError, ValueError, EOFError, nrrd.NRRDError) as error:
        raise InputError(f"{path.name} cannot be read as NRRD") from error
    directions = header.get("space directions")
    origin = header.get("space origin")
    if directions is None or origin is None or np.shape(directions) != (3, 3):
        raise InputError(f"{path.name} does not say where its voxels lie in the patient in three dimensions")
    space = str(header.get("space", "left-posterior-superior")).lower()
    signs = {
        "left-posterior-superior": (1, 1, 1),
        "lps": (1, 1, 1),
        "right-anterior-superior": (-1, -1, 1),
        "ras": (-1, -1, 1),
        "left-anterior-superior": (1, -1, 1),
        "las": (1, -1, 1),
    }.get(space)
    if signs is None:
        raise InputError(f"{path.name} is in the space {space!r}, which is not the patient's")
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(directions, float).T
    affine[:3, 3] = np.asarray(origin, float)
    return array, np.diag([*map(float, signs), 1.0]) @ affine


def _is_dicom(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def _dicom_seg(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    from highdicom.seg import segread
    from pydicom.errors import InvalidDicomError

    try:
        segmentation = segread(str(path))
    except (OSError, ValueError, AttributeError, InvalidDicomError) as error:
        raise InputError(f"{path.name} is not a DICOM segmentation") from error
    meaning: dict[int, int] = {}
    for number in segmentation.segment_numbers:
        described = segmentation.get_segment_description(number)
        code = described.segmented_property_type.value
        label = _id_of_segment(str(described.segment_label), str(code))
        if label is not None:
            meaning[int(number)] = label
    if not meaning:
        raise InputError(f"{path.name} names no vertebra, canal or disc among its segments")
    try:
        volume = segmentation.get_volume(segment_numbers=sorted(meaning), combine_segments=False)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path.name} is not a regular stack of slices") from error
    stack = np.asarray(volume.array)
    if stack.ndim == 3:
        stack = stack[..., None]
    combined = np.zeros(stack.shape[:3], np.uint16)
    for k, number in enumerate(sorted(meaning)):
        combined[stack[..., k] > 0] = meaning[number]
    return combined, np.asarray(volume.affine, float)


def _id_of_segment(text: str, code: str) -> int | None:
    """The contract's id for a DICOM segment, by its label ("T12", "disc below T12", "canal") or its code."""
    plain = text.strip().lower()
    if plain.isdigit():
        return int(plain)
    level = re.search(r"\b([ctl])\s?(\d{1,2})\b", plain)
    number = VERSE_IDS.get(f"{level[1].upper()}{int(level[2])}") if level else None
    unknown = re.search(r"\b(2\d\d)\b", plain)
    if number is None and unknown:
        number = int(unknown[1])
    if "disc" in plain or "disk" in plain:
        return None if number is None else DISC_OFFSET + number
    if number is not None:
        return number
    if "sacrum" in plain:
        return SACRUM
    if "epidural" in plain or "outside" in plain:
        return EPIDURAL_SPACE
    if "sac" in plain or "canal" in plain:
        return THECAL_SAC
    if code in _SCT_LEVELS:
        return VERSE_IDS["T1"] + _SCT_LEVELS.index(code)
    return None
