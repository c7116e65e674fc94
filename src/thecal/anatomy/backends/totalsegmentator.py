"""Anatomy by TotalSegmentator, where the user has it and its weights."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

import numpy as np

from thecal.anatomy.from_labels import present_labels, spine_from_labels
from thecal.anatomy.spine import Spine
from thecal.errors import InputError, SpineNotFound
from thecal.quality import QualityNote
from thecal.terms import SACRUM, VERSE_IDS, is_vertebra
from thecal.volume import LabelArray, Volume

CORD_ID: Final = 79
_NETWORK: Final = ("download_pretrained_weights", "send_usage_stats")
# Ids of the task "total" (TotalSegmentator 2, Wasserthal 2023, doi 10.1148/ryai.230024) to the contract's.
CLASS_IDS: Final[dict[int, int]] = (
    {25: SACRUM, 26: SACRUM}
    | {27 + k: VERSE_IDS[f"L{5 - k}"] for k in range(5)}
    | {32 + k: VERSE_IDS[f"T{12 - k}"] for k in range(12)}
    | {44 + k: VERSE_IDS[f"C{7 - k}"] for k in range(7)}
)


def is_totalsegmentator(present: Iterable[int]) -> bool:
    """Whether ids can only be TotalSegmentator's: some between the contract's vertebrae and the canal."""
    return any(29 <= i <= 50 for i in present)


def contract_id(class_name: str) -> int | None:
    """The contract's id for one of TotalSegmentator's class names; None for an organ that is none of ours."""
    if class_name in ("sacrum", "vertebrae_S1"):
        return SACRUM
    if class_name.startswith("vertebrae_"):
        return VERSE_IDS.get(class_name.removeprefix("vertebrae_"))
    return None


class TotalSegmentator:
    """TotalSegmentator's task "total", limited to the spine, with weights already on this machine."""

    name = "totalsegmentator"

    @property
    def version(self) -> str:
        """The installed version, or "not installed"."""
        try:
            return version("TotalSegmentator")
        except PackageNotFoundError:
            return "not installed"

    def why_not(self) -> str | None:
        """What keeps it from running here, in one sentence; None where nothing does."""
        try:
            _load()
        except InputError as error:
            return str(error)
        return None

    def find(self, volume: Volume) -> Spine:
        """The spine that TotalSegmentator sees; see `AnatomyBackend`."""
        run, names = _load()
        wanted = [n for n in names.values() if contract_id(n) is not None or n == "spinal_cord"]
        output = run(_nifti_of(volume), None, ml=True, task="total", roi_subset=wanted, quiet=True)
        array = np.rint(np.asarray(output.dataobj)).astype(np.uint16).transpose(2, 1, 0)
        if array.shape != volume.hu.shape:
            raise InputError("TotalSegmentator's labels are not on the scan's grid")
        labels: LabelArray = np.zeros(array.shape, np.uint16)
        cord = np.zeros(array.shape, bool)
        for number, name in names.items():
            label = contract_id(name)
            if label is not None:
                labels[array == number] = label
            elif name == "spinal_cord":
                cord = array == number
        if not any(is_vertebra(i) for i in present_labels(labels)):
            raise SpineNotFound("TotalSegmentator found no vertebra in this scan")
        note = QualityNote(
            "levels_by_network",
            "info",
            "The levels are those that TotalSegmentator's network gave; it may miscount where T13, L6 or a "
            "sacralised L5 is present.",
        )
        return spine_from_labels(
            volume,
            labels,
            cord=cord if cord.any() else None,
            backend=self.name,
            backend_version=self.version,
            level_source="given",
            quality=(note,),
        )


def _load() -> tuple[Callable[..., Any], dict[int, str]]:
    """The function that runs it, kept off the network, and its table of classes."""
    try:
        python_api: Any = import_module("totalsegmentator.python_api")
        config: Any = import_module("totalsegmentator.config")
        names: dict[int, str] = dict(import_module("totalsegmentator.map_to_binary").class_map["total"])
    except ImportError as error:
        raise InputError(
            "the anatomy backend totalsegmentator is not installed; install it with: pip install "
            "'thecal[totalsegmentator]'"
        ) from error

    def weights_on_this_machine(task: int) -> None:
        folder = Path(config.get_weights_dir())
        if not any(folder.glob(f"Dataset{task:03d}_*")):
            raise InputError(
                f"TotalSegmentator's weights for task {task} are not on this machine; fetch them once with: "
                "totalseg_download_weights -t total"
            )

    def run(*args: Any, **options: Any) -> Any:
        # It would fetch weights and send usage statistics; nothing here goes to the network.
        saved = {n: getattr(python_api, n) for n in _NETWORK if hasattr(python_api, n)}
        try:
            python_api.download_pretrained_weights = weights_on_this_machine
            python_api.send_usage_stats = lambda *_, **__: None
            with contextlib.redirect_stdout(io.StringIO()):
                return python_api.totalsegmentator(*args, **options)
        finally:
            for n, function in saved.items():
                setattr(python_api, n, function)

    return run, names


def _nifti_of(volume: Volume) -> Any:
    """The volume as a NIfTI image: axes (x, y, z), world RAS."""
    import nibabel

    order = volume.grid.affine[:, [2, 1, 0, 3]]
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ order
    return nibabel.Nifti1Image(np.ascontiguousarray(volume.hu.transpose(2, 1, 0)), affine)
