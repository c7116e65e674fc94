"""Anatomy by TotalSegmentator, where the user has it and its weights."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import numpy as np

from thecal.anatomy.backends.on_grid import onto_grid
from thecal.anatomy.backends.totalsegmentator_run import installation, segment
from thecal.anatomy.from_labels import present_labels, spine_from_labels
from thecal.anatomy.spine import Spine
from thecal.errors import InputError, SpineNotFound
from thecal.quality import QualityNote
from thecal.terms import LEVELS, SACRUM, VERSE_IDS, is_vertebra
from thecal.volume import Grid, LabelArray, Volume

CORD_ID: Final = 79
# Ids of the task "total" (TotalSegmentator 2, Wasserthal 2023, doi 10.1148/ryai.230024) to the contract's.
CLASS_IDS: Final[dict[int, int]] = (
    {25: SACRUM, 26: SACRUM}
    | {27 + k: VERSE_IDS[f"L{5 - k}"] for k in range(5)}
    | {32 + k: VERSE_IDS[f"T{12 - k}"] for k in range(12)}
    | {44 + k: VERSE_IDS[f"C{7 - k}"] for k in range(7)}
)
# What is asked of it, by id.
CLASS_NAMES: Final[dict[int, str]] = {
    number: "sacrum" if number == 25 else f"vertebrae_{LEVELS.get(label, '') if label != SACRUM else 'S1'}"
    for number, label in CLASS_IDS.items()
} | {CORD_ID: "spinal_cord"}


def is_totalsegmentator(present: Iterable[int]) -> bool:
    """Whether ids can only be TotalSegmentator's: some between the contract's vertebrae and the canal."""
    return any(29 <= i <= 50 for i in present)


class TotalSegmentator:
    """TotalSegmentator's task "total", limited to the spine, with weights already on this machine.

    It runs as a program of its own (`totalsegmentator_run`); what its maps are known for is repaired.
    """

    name = "totalsegmentator"

    @property
    def version(self) -> str:
        """The installed version, or "not installed"."""
        try:
            return version("TotalSegmentator")
        except PackageNotFoundError:
            return "not installed" if self.why_not() else "unknown"

    def why_not(self) -> str | None:
        """What keeps it from running here, in one sentence; None where nothing does."""
        try:
            installation(check=False)
        except InputError as error:
            return str(error)
        return None

    def find(self, volume: Volume) -> Spine:
        """The spine that TotalSegmentator sees; see `AnatomyBackend`."""
        from thecal.anatomy.repair.repair import repair_labels

        where = installation()
        output = segment(_nifti_of(volume), list(CLASS_NAMES.values()), where)
        array = np.asarray(output.dataobj).astype(np.uint16)
        affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(output.affine, float)
        given = Grid((array.shape[0], array.shape[1], array.shape[2]), affine)
        here = onto_grid(array, given, volume.grid)
        table = np.zeros(int(here.max(initial=0)) + 1, np.uint16)
        for number, label in CLASS_IDS.items():
            if number < len(table):
                table[number] = label
        labels: LabelArray = table[here]
        if not any(is_vertebra(i) for i in present_labels(labels)):
            raise SpineNotFound("TotalSegmentator found no vertebra in this scan")
        cord = here == CORD_ID
        labels, repairs = repair_labels(volume, labels, cord if cord.any() else None)
        notes = [
            QualityNote(
                "levels_by_network",
                "info",
                "The levels are those that TotalSegmentator's network gave; it may miscount where T13, L6 or "
                "a sacralised L5 is present.",
            ),
            *repairs,
        ]
        if not where.checked:
            notes.append(
                QualityNote(
                    "weights_not_checked",
                    "info",
                    "No checksums of TotalSegmentator's weights were given, so they were not checked.",
                )
            )
        return spine_from_labels(
            volume,
            labels,
            cord=cord if cord.any() else None,
            backend=self.name,
            backend_version=self.version,
            level_source="given",
            quality=notes,
        )


def _nifti_of(volume: Volume) -> Any:
    """The volume as a NIfTI image: axes (x, y, z), world RAS."""
    import nibabel

    order = volume.grid.affine[:, [2, 1, 0, 3]]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ order
    return nibabel.Nifti1Image(np.ascontiguousarray(volume.hu.transpose(2, 1, 0)), affine)
