"""What any anatomy backend must keep; a plug-in's author adds his own to ``BACKENDS``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from label_spine import label_spine

from thecal.anatomy.backend import AnatomyBackend
from thecal.anatomy.backends.builtin import Builtin
from thecal.anatomy.backends.given import Given
from thecal.anatomy.backends.totalsegmentator import TotalSegmentator
from thecal.anatomy.contract import check_spine
from thecal.anatomy.find import backend
from thecal.anatomy.from_labels import spine_from_labels
from thecal.anatomy.spine import Spine
from thecal.volume import Volume


def given_backend(folder: Path, volume: Volume, labels: np.ndarray) -> AnatomyBackend:
    path = folder / "labels.nii.gz"
    affine = np.diag([-1.0, -1.0, 1.0, 1.0]) @ volume.grid.affine
    nibabel.save(nibabel.Nifti1Image(labels, affine), path)
    return Given(path)


def builtin_backend(folder: Path, volume: Volume, labels: np.ndarray) -> AnatomyBackend:
    return Builtin()


BACKENDS: dict[str, Callable[[Path, Volume, np.ndarray], AnatomyBackend]] = {
    "builtin": builtin_backend,
    "given": given_backend,
}


@pytest.fixture(scope="module")
def found() -> tuple[Spine, Volume]:
    built = label_spine([22, 21, 20], spacing=2.0)
    return spine_from_labels(built.volume, built.labels), built.volume


@pytest.mark.parametrize("name", sorted(BACKENDS))
def test_a_backends_spine_keeps_every_rule(name: str, tmp_path: Path) -> None:
    built = label_spine([20, 19, 18], spacing=2.0, ribs=(19, 18))
    made = BACKENDS[name](tmp_path, built.volume, built.labels)
    assert isinstance(made, AnatomyBackend)
    spine = made.find(built.volume)
    assert check_spine(spine, built.volume) == []
    assert spine.backend == made.name
    again = made.find(built.volume)
    assert np.array_equal(again.labels, spine.labels)
    assert np.array_equal(again.canal.sac_mm, spine.canal.sac_mm)


def test_backends_are_found_by_name() -> None:
    assert isinstance(backend("builtin"), Builtin)
    assert isinstance(backend("totalsegmentator"), TotalSegmentator)
    assert isinstance(backend("totalsegmentator"), AnatomyBackend)


def test_a_spine_with_unknown_numbers_keeps_every_rule() -> None:
    built = label_spine([201, 202, 203], spacing=2.0)
    spine = spine_from_labels(built.volume, built.labels, level_source="unknown")
    assert check_spine(spine, built.volume) == []
    assert [v.level for v in spine.vertebrae] == [None] * 3
    assert {302, 303} <= set(np.unique(spine.labels).tolist())


def faults(spine: Spine, volume: Volume) -> str:
    return " / ".join(check_spine(spine, volume))


def test_each_broken_rule_is_named(found: tuple[Spine, Volume]) -> None:
    spine, volume = found
    assert check_spine(spine, volume) == []
    canal = spine.canal
    assert "must be uint16" in faults(replace(spine, labels=spine.labels.astype(np.int32)), volume)  # type: ignore[arg-type]
    assert "lie between 0 and the wall" in faults(
        replace(spine, canal=replace(canal, sac_mm=canal.wall_mm + 1)), volume
    )
    assert "caudal to cranial" in faults(replace(spine, vertebrae=spine.vertebrae[::-1]), volume)
    strange = spine.labels.copy()
    strange[0, 0, 0] = 77
    assert "label 77 has no meaning" in faults(replace(spine, labels=strange), volume)
    first = spine.vertebrae[0]
    bent = replace(first.frame, left=first.frame.left + np.array([0, 0, 0.3]))
    crooked = (replace(first, frame=bent), *spine.vertebrae[1:])
    assert "not orthonormal" in faults(replace(spine, vertebrae=crooked), volume)
    misnamed = (replace(first, level="T1"), *spine.vertebrae[1:])
    assert "is called T1" in faults(replace(spine, vertebrae=misnamed), volume)
    no_canal = np.where((spine.labels == 60) | (spine.labels == 61), 0, spine.labels).astype(np.uint16)
    assert "canal" in faults(replace(spine, labels=no_canal), volume)
    twice = (first, replace(spine.vertebrae[1], id=first.id, level=first.level), spine.vertebrae[2])
    assert "two vertebrae have one id" in faults(replace(spine, vertebrae=twice), volume)
    moved = replace(spine, grid=replace(spine.grid, affine=spine.grid.affine + np.eye(4)))
    assert "not the volume's grid" in faults(moved, volume)
