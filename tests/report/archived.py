"""The toy patient as the DICOM images of an archive, however the slices lie; and as read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
from scans import write_enhanced, write_series

from thecal.anatomy.spine import Spine
from thecal.dicom import read
from thecal.leakage.findings import Leakage
from thecal.report.build import build_report
from thecal.report.dicom_outputs import write_dicom_outputs
from thecal.report.labelmaps import write_anatomy, write_cement
from thecal.volume import Grid, Volume, resample

# Every second voxel of the toy patient: quick to write and to read.
STEP = 2
OBLIQUE = np.array([[0.936, -0.290, 0.199], [0.312, 0.944, -0.093], [-0.161, 0.150, 0.975]])
OBLIQUE = np.linalg.svd(OBLIQUE)[0] @ np.linalg.svd(OBLIQUE)[2]
DATES = {
    "StudyDate": "20240229",
    "StudyTime": "081500",
    "SeriesDate": "20240229",
    "SeriesTime": "082000",
    "ContentDate": "20240229",
    "ContentTime": "082130.5",
    "AccessionNumber": "A77",
    "StudyID": "12",
    "PatientBirthDate": "19530401",
    "PatientSex": "F",
    "ReferringPhysicianName": "Roe^Richard",
    "FrameOfReferenceUID": "1.2.3.4",
    "PatientPosition": "HFS",
}


class Archived:
    """A stored scan, as read, with what was found on it."""

    def __init__(self, path: Path, volume: Volume, spine: Spine, leakage: Leakage) -> None:
        self.path = path
        self.volume = volume
        self.spine = spine
        self.leakage = leakage


LAYOUTS = {
    "axial": {},
    "feet first": {"flips": (True, False, True)},
    "oblique": {"turn": OBLIQUE},
    "oblique and flipped": {"turn": OBLIQUE, "flips": (True, True, False)},
    "tilted": {"tilt": 0.7},
    "tilted and flipped": {"tilt": -0.7, "flips": (True, False, False)},
    "sagittal": {"order": (2, 0, 1), "flips": (False, True, False)},
    "coronal": {"order": (1, 0, 2), "flips": (False, True, False)},
    "one slice lost": {"lost": (60,)},
}


class Shelf:
    """Each layout, multi-frame too, stored, read and put out as SEG and SR once."""

    def __init__(self, leaking, folder: Path) -> None:
        self.leaking = leaking
        self.folder = folder
        self.report = build_report(leaking.volume, leaking.spine, leaking.cement, leaking.leakage)
        self.put: dict[str, tuple[Archived, Path]] = {}

    def __getitem__(self, layout: str) -> tuple[Archived, Path]:
        """The scan, and the folder of its outputs and label maps."""
        if layout not in self.put:
            folder = self.folder / layout.replace(" ", "-")
            folder.mkdir()
            if layout == "multi-frame":
                case = multi_frame(self.leaking, folder / "ct.dcm")
            else:
                case = archived(self.leaking, folder / "ct", **LAYOUTS[layout])
            write_dicom_outputs(folder, case.volume, case.spine, case.leakage, self.report)
            self.put[layout] = (case, folder)
        return self.put[layout]


def multi_frame(leaking, path: Path) -> Archived:
    """The toy patient as one multi-frame file, its odd slices before the even ones."""
    slices, labels, deposits = (
        a[::STEP, ::STEP, ::STEP]
        for a in (leaking.volume.hu, leaking.spine.labels, leaking.leakage.deposit_labels)
    )
    order = [*range(1, len(slices), 2), *range(0, len(slices), 2)]
    origin = (-20.0, -150.0, 300.0)
    write_enhanced(path, slices, spacing=(STEP, STEP, STEP), origin=origin, order=order)
    affine = np.zeros((4, 4))
    affine[[2, 1, 0], [0, 1, 2]] = STEP
    affine[:, 3] = [*origin, 1.0]
    return as_read(leaking, path, Grid(slices.shape, affine), labels, deposits)


def archived(
    leaking, folder: Path, *, order=(0, 1, 2), flips=(False, False, False), turn=None, tilt=0.0, lost=()
) -> Archived:
    """Store the toy patient and read her back.

    ``order`` names the toy axes that run along slices, rows and columns, ``flips`` those that run backward;
    ``turn`` (3, 3) rotates her, ``tilt`` shears her slices (mm a slice along the rows), ``lost`` slices are
    not stored.
    """
    grid = leaking.spine.grid
    affine = grid.affine.copy()
    affine[:3, :3] *= STEP
    shape = tuple(-(-n // STEP) for n in grid.shape)
    affine = affine[:, [*order, 3]]
    arrays = [
        np.transpose(a[::STEP, ::STEP, ::STEP], order)
        for a in (leaking.volume.hu, leaking.spine.labels, leaking.leakage.deposit_labels)
    ]
    for k, flip in enumerate(flips):
        if flip:
            affine[:3, 3] += affine[:3, k] * (shape[order[k]] - 1)
            affine[:3, k] *= -1
            arrays = [np.flip(a, k) for a in arrays]
    if turn is not None:
        affine[:3] = turn @ affine[:3]
    affine[:3, 0] += tilt * affine[:3, 1] / np.linalg.norm(affine[:3, 1])
    stored = Grid(arrays[0].shape, affine)
    spacing = stored.spacing_mm
    kept = [k for k in range(stored.shape[0]) if k not in lost]
    write_series(
        folder,
        arrays[0][kept],
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        axes=(affine[:3, 2] / spacing[2], affine[:3, 1] / spacing[1]),
        positions=[stored.to_lps([k, 0, 0]) for k in kept],
        uid="1.2.3.5",
        **DATES,
    )
    return as_read(leaking, folder, stored, arrays[1], arrays[2])


def as_read(leaking, path: Path, stored: Grid, labels, deposits) -> Archived:
    """The scan at ``path`` with the findings of its ``stored`` grid on the grid that it was read to."""
    volume = read(path)
    labels, deposits = (resample(a, stored, volume.grid, order=0, fill=0) for a in (labels, deposits))
    box = tuple(slice(2, n - 1) for n in volume.hu.shape)
    spine = replace(
        leaking.spine,
        box=box,
        grid=volume.grid.crop(box),
        labels=np.ascontiguousarray(labels[box]),
        parts=np.zeros_like(labels[box], np.uint8),
    )
    found = replace(leaking.leakage, deposit_labels=np.ascontiguousarray(deposits[box]))
    return Archived(path, volume, spine, found)


def place_of(tracking_id: str) -> tuple[str, int]:
    """The label map and value of a segment, as ``nifti_centroids`` names them."""
    kind, _, value = tracking_id.removeprefix("thecal-").partition("-")
    return {
        "deposit": ("cement", int(value or 0)),
        "vertebra": ("anatomy", int(value or 0)),
        "sac": ("anatomy", 60),
        "canal": ("anatomy", 0),
    }[kind]


def nifti_centroids(case: Archived, folder: Path) -> dict[tuple[str, int], np.ndarray]:
    """Centroid in LPS mm of each value of the two label maps, as NIfTI says it."""
    write_anatomy(folder / "anatomy.nii.gz", case.volume, case.spine)
    write_cement(folder / "cement.nii.gz", case.volume, case.spine, case.leakage)
    centroids = {}
    for name in ("anatomy", "cement"):
        image = nib.load(folder / f"{name}.nii.gz")
        labels = np.asanyarray(image.dataobj)
        values = [(value, labels == value) for value in np.unique(labels[labels > 0])]
        if name == "anatomy":
            values.append((0, (labels == 60) | (labels == 61)))
        for value, mask in values:
            at = nib.affines.apply_affine(image.affine, np.argwhere(mask)).mean(0)
            centroids[name, int(value)] = at * [-1, -1, 1]
    return centroids
