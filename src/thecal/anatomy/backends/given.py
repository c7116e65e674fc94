"""Anatomy from a label map that the user gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thecal.anatomy.backends.label_file import read_label_file
from thecal.anatomy.backends.on_grid import onto_grid
from thecal.anatomy.backends.segment_names import CORD_ID as VERSE_CORD
from thecal.anatomy.backends.totalsegmentator import CLASS_IDS, CORD_ID, is_totalsegmentator
from thecal.anatomy.from_labels import present_labels, spine_from_labels
from thecal.anatomy.spine import Spine
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.terms import EPIDURAL_SPACE, SACRUM, THECAL_SAC, is_disc, is_vertebra
from thecal.volume import BoolArray, LabelArray, Volume


class Given:
    """A label map: NIfTI, NRRD, 3D Slicer's .seg.nrrd or DICOM SEG, on any grid in patient space.

    Segments that are named or coded are known by that. Other label maps are known by their ids: the
    contract's, VerSe's with 100 for the cord, or TotalSegmentator's.

    Parameters
    ----------
    path : str or Path
    repair : bool
        Whether to repair what networks' maps are known to get wrong (`repair.repair_labels`). A map in
        TotalSegmentator's ids is repaired anyway.

    Raises
    ------
    InputError
        On ``find``, where the file cannot be read as a label map, holds no vertebra, or lies elsewhere in
        the patient than the volume.
    """

    name = "given"
    version = "1"

    def __init__(self, path: str | Path, *, repair: bool = False) -> None:
        self.path = Path(path)
        self.repair = repair

    def find(self, volume: Volume) -> Spine:
        """The spine that the label map describes; see `AnatomyBackend`."""
        read = read_label_file(self.path)
        grid = read.grid
        labels, cord, notes = from_names(read.labels) if read.named else to_contract(read.labels)
        notes = [*read.quality, *notes]
        if read.series_uid and volume.source.series_uid not in (None, read.series_uid):
            notes.append(
                QualityNote(
                    "labels_of_another_series",
                    "warning",
                    "The given segmentation was drawn on another series; it was laid over this one by its "
                    "place in the patient, which is wrong where the patient moved between them.",
                )
            )
        if not any(is_vertebra(i) for i in present_labels(labels)):
            raise InputError(
                f"{self.path.name} holds no vertebra; name its segments (T12, L1) or use VerSe ids (T12 is "
                "19, L1 is 20)"
            )
        here = onto_grid(labels, grid, volume.grid)
        if not any(is_vertebra(i) for i in present_labels(here)):
            raise InputError(
                "the label map's vertebrae lie outside the scan: they are not of the same series"
            )
        cord_here: BoolArray | None = None
        if cord is not None:
            cord_here = onto_grid(cord.astype(np.uint16), grid, volume.grid) > 0
        lost = 1 - (here > 0).sum() * volume.grid.voxel_mm3 / max(1.0, (labels > 0).sum() * grid.voxel_mm3)
        if lost > 0.1:
            notes.append(
                QualityNote(
                    "labels_outside_scan",
                    "warning",
                    f"{lost:.0%} of the given label map lies outside the scan and was left out.",
                )
            )
        if self.repair or any(note.code == "totalsegmentator_ids" for note in notes):
            from thecal.anatomy.repair.repair import repair_labels

            here, repairs = repair_labels(volume, here, cord_here)
            notes += repairs
        return spine_from_labels(
            volume,
            here,
            cord=cord_here,
            backend=self.name,
            backend_version=self.version,
            level_source="given",
            quality=notes,
        )


def from_names(labels: LabelArray) -> tuple[LabelArray, BoolArray | None, list[QualityNote]]:
    """Labels of named segments without the cord, the cord where no canal is named, and notes.

    Parameters
    ----------
    labels : uint16
        Ids of the contract, and `segment_names.CORD_ID`.
    """
    present = present_labels(labels)
    if VERSE_CORD not in present:
        return labels, None, []
    bare: LabelArray = np.where(labels == VERSE_CORD, np.uint16(0), labels).astype(np.uint16)
    if {THECAL_SAC, EPIDURAL_SPACE} & set(present):
        bare[labels == VERSE_CORD] = THECAL_SAC
        return bare, None, []
    note = QualityNote(
        "cord_for_canal",
        "info",
        "The given segmentation has a spinal cord and no canal; the canal's course was taken from the cord.",
    )
    return bare, labels == VERSE_CORD, [note]


def to_contract(array: LabelArray) -> tuple[LabelArray, BoolArray | None, list[QualityNote]]:
    """Ids of the contract, the cord where the map has that instead of the canal, and notes.

    Parameters
    ----------
    array : uint16
        Ids as read.
    """
    present = present_labels(array)
    notes: list[QualityNote] = []
    if is_totalsegmentator(present):
        table = np.zeros(max(present) + 1, np.uint16)
        for number, label in CLASS_IDS.items():
            if number < len(table):
                table[number] = label
        notes.append(
            QualityNote(
                "totalsegmentator_ids",
                "info",
                "The label map has TotalSegmentator's ids; its vertebrae were renumbered by their names.",
            )
        )
        return table[array], array == CORD_ID, notes
    cord: BoolArray | None = None
    if VERSE_CORD in present and not {THECAL_SAC, EPIDURAL_SPACE} & set(present):
        cord = array == VERSE_CORD
        notes.append(
            QualityNote(
                "label_100_is_cord",
                "info",
                "Label 100 of the given map was read as the spinal cord or sac, and the canal's course taken "
                "from it.",
            )
        )
    known = {i for i in present if is_vertebra(i) or i in (SACRUM, THECAL_SAC, EPIDURAL_SPACE) or is_disc(i)}
    dropped = [i for i in present if i not in known and i != VERSE_CORD]
    if dropped:
        notes.append(
            QualityNote(
                "labels_without_meaning",
                "info",
                f"Labels {', '.join(map(str, dropped[:8]))} of the given map mean nothing here and "
                "were left out.",
            )
        )
    if len(known) < len(present):
        table = np.zeros(max(present) + 1, np.uint16)
        for i in known:
            table[i] = i
        array = table[array]
    return array, cord, notes
