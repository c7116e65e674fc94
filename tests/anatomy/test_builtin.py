"""The built-in anatomy on a small patient with cement in T12 and behind it."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.anatomy.backends.builtin import Builtin
from thecal.anatomy.contract import check_spine
from thecal.anatomy.spine import Part, Spine
from thecal.errors import SpineNotFound
from thecal.phantom.patient import Case
from thecal.volume import Grid, Volume


def on_volume(spine: Spine, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    whole = np.zeros(shape, values.dtype)
    whole[spine.box] = values
    return whole


@pytest.fixture(scope="module")
def found(treated: Case, treated_spine: Spine) -> np.ndarray:
    return on_volume(treated_spine, treated_spine.labels, treated.labels.shape)


def whole_vertebrae(treated: Case) -> list[int]:
    return [v.id for v in treated.spine.vertebrae if v.complete]


def test_every_rule_of_a_spine_is_kept(treated: Case, treated_spine: Spine) -> None:
    assert check_spine(treated_spine, treated.volume) == []


def test_the_canal_is_where_it_is_though_cement_lies_in_it(treated: Case, found: np.ndarray) -> None:
    bones = np.flatnonzero(np.isin(treated.labels, whole_vertebrae(treated)).any(axis=(1, 2)))
    rows = slice(bones[0], bones[-1] + 1)
    true, got = (np.isin(a[rows], (60, 61)) for a in (treated.labels, found))
    assert 2 * (true & got).sum() / (true.sum() + got.sum()) > 0.88
    assert (got & (treated.labels[rows] == 60)).sum() / (treated.labels[rows] == 60).sum() > 0.95


def test_each_vertebra_keeps_one_label(treated: Case, found: np.ndarray) -> None:
    names = []
    for identifier in whole_vertebrae(treated):
        own = found[treated.labels == identifier]
        own = own[(own > 200) & (own < 300)]
        values, counts = np.unique(own, return_counts=True)
        assert counts.max() / counts.sum() > 0.95
        names.append(int(values[counts.argmax()]))
    assert len(set(names)) == len(names) == 2
    assert names == sorted(names) if names[0] < names[1] else names == sorted(names, reverse=True)


def test_each_body_is_that_bodys_bone(treated: Case, treated_spine: Spine, found: np.ndarray) -> None:
    parts = on_volume(treated_spine, treated_spine.parts, treated.labels.shape)
    bodies = parts == Part.BODY
    for identifier in whole_vertebrae(treated):
        true = (treated.labels == identifier) & (treated.parts == Part.BODY)
        values, counts = np.unique(found[true & bodies], return_counts=True)
        got = bodies & (found == values[counts.argmax()])
        assert 2 * (got & true).sum() / (got.sum() + true.sum()) > 0.8


def test_vertebrae_at_the_scans_edge_are_said_to_be_cut(treated_spine: Spine) -> None:
    assert [v.complete for v in treated_spine.vertebrae[1:-1]].count(True) >= 1
    assert not treated_spine.vertebrae[0].complete or not treated_spine.vertebrae[-1].complete


def test_without_sacrum_or_last_rib_no_number_is_guessed(treated_spine: Spine) -> None:
    assert {v.level_source for v in treated_spine.vertebrae} == {"unknown"}
    assert [v.id for v in treated_spine.vertebrae] == [201 + k for k in range(len(treated_spine.vertebrae))]
    assert "levels_unknown" in [note.code for note in treated_spine.quality]


def test_a_mirrored_patient_has_the_mirrored_spine(treated: Case, found: np.ndarray) -> None:
    grid = treated.grid
    mirrored = Builtin().find(Volume.from_array(treated.volume.hu[:, :, ::-1], grid))
    back = on_volume(mirrored, mirrored.labels, found.shape)[:, :, ::-1]
    for labels in ((60, 61), *((i,) for i in np.unique(found) if i > 200)):
        one, two = np.isin(found, labels), np.isin(back, labels)
        assert 2 * (one & two).sum() / (one.sum() + two.sum()) > 0.93


def test_a_scan_without_a_spine_is_refused() -> None:
    affine = np.eye(4)
    affine[:3, :3] = 2.0 * np.eye(3)[::-1]
    hu = np.random.default_rng(0).normal(40, 15, (40, 60, 60))
    with pytest.raises(SpineNotFound):
        Builtin().find(Volume.from_array(hu, Grid(hu.shape, affine)))
