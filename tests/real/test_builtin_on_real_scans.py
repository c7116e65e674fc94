"""The built-in anatomy on real scans, which show no cement: canal, levels, and no alarm."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from thecal.anatomy.backends.builtin import Builtin
from thecal.anatomy.backends.label_file import read_label_map
from thecal.anatomy.contract import check_spine
from thecal.anatomy.spine import Spine
from thecal.cement.find import find_cement
from thecal.dicom.reading import read
from thecal.leakage.find import find_leakage
from thecal.volume import FloatArray, Grid, Volume

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
# Scan, reference labels, the label of cord or sac in them, and the least share of it inside the canal.
CORD = {
    "t11t12_dicom": ("dicom", "labels_totalsegmentator.nii.gz", 79, 0.97),
    "thorax_2p5mm": ("ct.nii.gz", "labels_verse.nii.gz", 100, 0.97),
    "abdomen_3mm": ("ct.nii.gz", "labels_totalsegmentator.nii.gz", 79, 0.95),
}
WITHOUT_LABELS = {"thorax_1p5mm": "ct.nii.gz", "l3_1p5mm": "sub-ct_label-22_ct.nii.gz"}
SLOW = {"thorax_2p5mm", "abdomen_3mm", "thorax_1p5mm"}  # t11t12_dicom and l3_1p5mm keep the same guard


def marked(names: object) -> list[object]:
    return [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in names]  # type: ignore[attr-defined]


@cache
def scan(name: str) -> tuple[Volume, Spine]:
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"the shared CT {name} is not on this machine")
    volume = read(folder / (CORD[name][0] if name in CORD else WITHOUT_LABELS[name]))
    return volume, Builtin().find(volume)


def label_at(array: np.ndarray, grid: Grid, points: FloatArray) -> np.ndarray:
    index = np.rint(grid.to_index(points)).astype(int)
    inside = ((index >= 0) & (index < array.shape)).all(axis=1)
    found = np.zeros(len(points), array.dtype)
    found[inside] = array[tuple(index[inside].T)]
    return found


@pytest.mark.parametrize("name", marked(CORD))
def test_the_cord_lies_inside_the_canal(name: str) -> None:
    _, spine = scan(name)
    _, labels, cord, least = CORD[name]
    array, grid = read_label_map(DATA / name / labels)
    places = grid.to_lps(np.argwhere(array == cord))
    # Of the cord beside the vertebrae that were found.
    bone = np.flatnonzero(np.isin(spine.labels, [v.id for v in spine.vertebrae]).any(axis=(1, 2)))
    low, high = (spine.grid.to_lps([z, 0, 0])[2] for z in (bone[0], bone[-1]))
    beside = (places[:, 2] >= low) & (places[:, 2] <= high)
    assert beside.mean() > 0.6
    assert np.isin(label_at(spine.labels, spine.grid, places[beside]), (60, 61)).mean() >= least


@pytest.mark.parametrize("name", marked([*CORD, *WITHOUT_LABELS]))
def test_every_rule_of_a_spine_is_kept(name: str) -> None:
    volume, spine = scan(name)
    assert check_spine(spine, volume) == []


@pytest.mark.parametrize("name", marked([*CORD, *WITHOUT_LABELS]))
def test_no_cement_and_no_leak_is_reported(name: str) -> None:
    volume, spine = scan(name)
    cement = find_cement(volume, spine)
    found = find_leakage(volume, spine, cement)
    assert cement.pieces.max() == 0
    assert found.deposits == ()


@pytest.mark.slow  # the counting itself is tested on the same scan in test_levels_on_real_scans
def test_the_lumbar_vertebrae_are_named_from_the_sacrum() -> None:
    _, spine = scan("abdomen_3mm")
    assert {v.level_source for v in spine.vertebrae} == {"sacrum"}
    array, grid = read_label_map(DATA / "abdomen_3mm" / CORD["abdomen_3mm"][1])
    own = {"L5": 27, "L4": 28, "L3": 29, "L2": 30, "L1": 31, "T12": 32, "T11": 33}
    named = {v.level: v for v in spine.vertebrae if v.level in own}
    assert {"L5", "L4", "L3", "L2", "L1", "T12"} <= set(named)
    for level, vertebra in named.items():
        body = spine.grid.to_lps(np.argwhere(spine.body_mask(vertebra)))
        assert (label_at(array, grid, body) == own[level]).sum() > 0.6 * len(body)


def test_two_vertebrae_without_a_landmark_keep_their_numbers_open() -> None:
    _, spine = scan("t11t12_dicom")
    assert {v.level_source for v in spine.vertebrae} == {"unknown"}
