"""Anatomy from a label map that the user gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from thecal.anatomy.backends.label_file import read_label_map
from thecal.anatomy.backends.totalsegmentator import CLASS_IDS, CORD_ID, is_totalsegmentator
from thecal.anatomy.from_labels import spine_from_labels
from thecal.anatomy.spine import Spine
from thecal.errors import InputError
from thecal.quality import QualityNote
from thecal.terms import DISC_OFFSET, EPIDURAL_SPACE, SACRUM, THECAL_SAC, is_vertebra
from thecal.volume import BoolArray, LabelArray, Volume, resample

VERSE_CORD = 100


class Given:
    """A label map in the contract's ids: NIfTI, NRRD or DICOM SEG, on any grid in patient space.

    VerSe label maps with 100 for the cord, and TotalSegmentator's, are recognised by their ids.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    InputError
        On ``find``, where the file cannot be read as a label map, holds no vertebra, or lies elsewhere in
        the patient than the volume.
    """

    name = "given"
    version = "1"

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def find(self, volume: Volume) -> Spine:
        """The spine that the label map describes; see `AnatomyBackend`."""
        array, grid = read_label_map(self.path)
        labels, cord, notes = to_contract(array)
        if not any(is_vertebra(int(i)) for i in np.unique(labels)):
            raise InputError(
                "the label map holds no vertebra in the ids of the contract (T12 is 19, L1 is 20)"
            )
        here: LabelArray = resample(labels, grid, volume.grid, order=0, fill=0)
        if not any(is_vertebra(int(i)) for i in np.unique(here)):
            raise InputError(
                "the label map's vertebrae lie outside the scan: they are not of the same series"
            )
        cord_here: BoolArray | None = None
        if cord is not None:
            cord_here = resample(cord.astype(np.uint8), grid, volume.grid, order=0, fill=0) > 0
        lost = 1 - (here > 0).sum() * volume.grid.voxel_mm3 / max(1.0, (labels > 0).sum() * grid.voxel_mm3)
        if lost > 0.1:
            notes.append(
                QualityNote(
                    "labels_outside_scan",
                    "warning",
                    f"{lost:.0%} of the given label map lies outside the scan and was left out.",
                )
            )
        return spine_from_labels(
            volume,
            here,
            cord=cord_here,
            backend=self.name,
            backend_version=self.version,
            level_source="given",
            quality=notes,
        )


def to_contract(array: LabelArray) -> tuple[LabelArray, BoolArray | None, list[QualityNote]]:
    """Ids of the contract, the cord where the map has that instead of the canal, and notes.

    Parameters
    ----------
    array : uint16
        Ids as read.
    """
    present = [int(i) for i in np.unique(array) if i > 0]
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
    known = {
        i
        for i in present
        if is_vertebra(i)
        or i in (SACRUM, THECAL_SAC, EPIDURAL_SPACE)
        or (i > DISC_OFFSET and is_vertebra(i - DISC_OFFSET))
    }
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
