"""The label maps lie on the grid of the input, voxel for voxel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.report.labelmaps import nifti_affine, write_anatomy, write_cement
from thecal.volume import Grid, Source, Volume


def read(path):
    image = nib.load(path)
    return np.asanyarray(image.dataobj), image.affine


def test_anatomy_keeps_its_ids_and_cement_its_deposits(leaking, tmp_path):
    write_anatomy(tmp_path / "a.nii.gz", leaking.volume, leaking.spine)
    write_cement(tmp_path / "c.nii.gz", leaking.volume, leaking.spine, leaking.leakage)
    anatomy, affine = read(tmp_path / "a.nii.gz")
    cement, _ = read(tmp_path / "c.nii.gz")
    assert np.array_equal(anatomy, leaking.spine.labels)
    assert np.array_equal(cement, leaking.leakage.deposit_labels)
    assert anatomy.dtype == np.uint8
    deposit = leaking.leakage.deposits[3]
    ras = nib.affines.apply_affine(affine, np.argwhere(cement == deposit.id)).mean(0)
    assert ras * [-1, -1, 1] == pytest.approx(deposit.centroid_mm, abs=0.01)


def test_ids_beyond_255_are_kept(leaking, tmp_path):
    labels = leaking.spine.labels.copy()
    labels[labels == 124] = 301
    write_anatomy(tmp_path / "a.nii.gz", leaking.volume, replace(leaking.spine, labels=labels))
    assert np.array_equal(read(tmp_path / "a.nii.gz")[0], labels)


@settings(max_examples=12, deadline=None)
@given(
    axes=st.permutations([0, 1, 2]),
    flips=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_deposit_stays_at_its_place_in_the_patient_however_the_scan_was_stored(leaking, axes, flips):
    volume = leaking.volume
    shape = tuple(volume.hu.shape[list(axes).index(k)] for k in range(3))
    # Index of the volume from the index as stored: axis k is axes[k] as stored, turned where flipped.
    turn = np.zeros((4, 4))
    turn[3, 3] = 1.0
    for k in range(3):
        turn[k, axes[k]] = -1.0 if flips[k] else 1.0
        turn[k, 3] = volume.hu.shape[k] - 1 if flips[k] else 0.0
    stored = Source("dicom", Grid(shape, volume.grid.affine @ turn), tuple(axes), tuple(flips))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "c.nii.gz"
        write_cement(path, Volume(volume.hu, volume.grid, stored), leaking.spine, leaking.leakage)
        cement, affine = read(path)
    assert cement.shape == shape
    deposit = leaking.leakage.deposits[3]
    ras = nib.affines.apply_affine(affine, np.argwhere(cement == deposit.id)).mean(0)
    assert ras * [-1, -1, 1] == pytest.approx(deposit.centroid_mm, abs=0.01)


def test_the_same_maps_are_the_same_bytes(leaking, tmp_path):
    for name in ("one", "two"):
        write_anatomy(tmp_path / name, leaking.volume, leaking.spine)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_affine_turns_left_and_back_into_right_and_front(leaking):
    assert nifti_affine(leaking.volume)[:3, :3] @ [0, 0, 1.0] == pytest.approx([-1, 0, 0])
