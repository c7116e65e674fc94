"""Ribs, sacrum, levels and sac on the real scans, with the reference labels for the anatomy around them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from thecal.anatomy.backends.given import Given
from thecal.anatomy.backends.label_file import read_label_map
from thecal.anatomy.contract import check_spine
from thecal.anatomy.levels import LevelEvidence, Naming, name_levels
from thecal.anatomy.ribs import rib_evidence
from thecal.anatomy.sacrum import find_sacrum, sacrum_below
from thecal.anatomy.spine import Part, Spine
from thecal.dicom.reading import read
from thecal.volume import Volume

DATA = Path(__file__).parents[2].parent / "shared" / "data"
SCANS = {
    "abdomen_3mm": ("ct.nii.gz", "labels_totalsegmentator.nii.gz"),
    "t11t12_dicom": ("dicom", "labels_totalsegmentator.nii.gz"),
    "l3_1p5mm": ("sub-ct_label-22_ct.nii.gz", "sub-ct_seg-vert_label-22_msk.nii.gz"),
    "thorax_2p5mm": ("ct.nii.gz", "labels_verse.nii.gz"),
}


@cache
def scan(name: str) -> tuple[Volume, Spine]:
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"the real scans are not here ({name})")
    image, labels = SCANS[name]
    volume = read(folder / image)
    return volume, Given(folder / labels).find(volume)


def named_from_the_scan(name: str) -> tuple[Spine, Naming]:
    volume, spine = scan(name)
    frames = [v.frame for v in spine.vertebrae]
    sacrum = find_sacrum(volume.hu, volume.grid, spine.canal.frame)
    below = sacrum_below(sacrum, spine.canal.frame, frames)
    ribs = rib_evidence(volume.hu, volume.grid, frames, [22.0] * len(frames))
    evidence = [
        LevelEvidence(rib=r.probability, sacrum_below=None if sacrum is None else b)
        for r, b in zip(ribs, below, strict=True)
    ]
    return spine, name_levels(evidence)


def test_the_lumbar_spine_is_counted_from_its_sacrum() -> None:
    spine, naming = named_from_the_scan("abdomen_3mm")
    assert list(naming.levels) == [v.level for v in spine.vertebrae]
    assert naming.source == "sacrum"


@pytest.mark.slow
def test_the_thoracic_spine_is_counted_from_its_last_rib() -> None:
    spine, naming = named_from_the_scan("thorax_2p5mm")
    assert list(naming.levels) == [v.level for v in spine.vertebrae]
    assert naming.source == "ribs"


@pytest.mark.parametrize("name", ["t11t12_dicom", "l3_1p5mm"])
def test_scans_that_show_neither_sacrum_nor_last_rib_are_not_numbered(name: str) -> None:
    _, naming = named_from_the_scan(name)
    assert naming.source == "unknown"


@pytest.mark.parametrize(
    "name", ["t11t12_dicom", "l3_1p5mm", pytest.param("thorax_2p5mm", marks=pytest.mark.slow)]
)
def test_no_sacrum_is_seen_where_there_is_none(name: str) -> None:
    volume, spine = scan(name)
    assert find_sacrum(volume.hu, volume.grid, spine.canal.frame) is None


@pytest.mark.parametrize(
    "name", ["abdomen_3mm", "t11t12_dicom", "l3_1p5mm", pytest.param("thorax_2p5mm", marks=pytest.mark.slow)]
)
def test_a_spine_from_reference_labels_keeps_every_rule(name: str) -> None:
    volume, spine = scan(name)
    assert check_spine(spine, volume) == []


# The reference "cord" of this scan fills the canal, epidural fat and all, which the sac leaves out.
FILLS_CANAL = "t11t12_dicom"


@pytest.mark.parametrize(
    ("name", "label"),
    [("abdomen_3mm", 79), ("t11t12_dicom", 79), pytest.param("thorax_2p5mm", 100, marks=pytest.mark.slow)],
)
def test_the_sac_holds_most_of_the_reference_cord_and_the_canal_nearly_all(name: str, label: int) -> None:
    _, spine = scan(name)
    array, grid = read_label_map(DATA / name / SCANS[name][1])
    places = grid.to_lps(np.argwhere(array == label))
    index = np.rint(spine.grid.to_index(places)).astype(int)
    inside = ((index >= 0) & (index < spine.labels.shape)).all(axis=1)
    found = spine.labels[tuple(index[inside].T)]
    assert np.isin(found, (60, 61)).mean() > 0.97
    if name != FILLS_CANAL:
        assert (found == 60).mean() > 0.85


def test_the_sac_leaves_the_fat_behind_it_out() -> None:
    volume, spine = scan(FILLS_CANAL)
    hu = volume.hu[spine.box]
    fat = (hu < -30) & spine.canal_mask()
    assert fat.sum() * spine.grid.voxel_mm3 > 200.0
    assert (spine.labels[fat] == 61).mean() > 0.9


def test_the_foramina_of_a_lumbar_spine_have_a_foramens_size() -> None:
    _, spine = scan("abdomen_3mm")
    volume_ml = (spine.parts == Part.FORAMEN).sum() * spine.grid.voxel_mm3 / 1000
    assert 4.0 < volume_ml < 25.0  # five segments, two sides, 0.5-2 mL each
