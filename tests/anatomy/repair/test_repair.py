"""Faults that label maps of networks are known for, put into a good map and taken out again."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
from label_spine import LabelSpine, label_spine

from thecal.anatomy.find import find_spine
from thecal.anatomy.repair.repair import repair_labels
from thecal.volume import Volume


@pytest.fixture(scope="module")
def built() -> LabelSpine:
    return label_spine([21, 20, 19, 18], spacing=2.0)


def codes(notes) -> list[str]:
    return [note.code for note in notes]


def place(built: LabelSpine) -> np.ndarray:
    grid = built.volume.grid
    return grid.to_lps(np.argwhere(np.ones(grid.shape, bool))).reshape(*grid.shape, 3)


def test_a_good_map_is_left_as_it_is(built):
    labels, notes = repair_labels(built.volume, built.labels)
    assert notes == []
    assert (labels != built.labels).sum() < 50


def test_a_neighbours_label_within_a_body_is_taken_out(built):
    wrong = built.labels.copy()
    at = place(built)
    blob = (np.linalg.norm(at - (built.centres[1] + [8.0, 4.0, 2.0]), axis=-1) < 8.0) & (wrong == 20)
    wrong[blob] = 19
    labels, notes = repair_labels(built.volume, wrong)
    assert blob.sum() > 100
    assert (labels[blob] == 20).all()
    assert codes(notes) == ["repaired_two_labels"]
    assert "L1" in notes[0].message


def test_the_arch_of_the_vertebra_above_stays_its_own(built):
    labels, _ = repair_labels(built.volume, built.labels)
    for label in (18, 19, 20, 21):
        assert (labels[built.labels == label] == label).all()


def test_a_hole_and_a_slit_in_a_vertebra_are_filled(built):
    wrong = built.labels.copy()
    at = place(built)
    hole = (np.linalg.norm(at - built.centres[2], axis=-1) < 5.0) & (wrong == 19)
    slit = (np.abs(at[..., 2] - (built.centres[1][2] - 4)) < 1.0) & (wrong == 20) & (at[..., 1] < -14)
    wrong[hole | slit] = 0
    labels, notes = repair_labels(built.volume, wrong)
    assert (labels[hole] == 19).all()
    # All but its rim on the surface, which a closing rounds off.
    assert (labels[slit] == 20).mean() > 0.8
    assert codes(notes) == ["repaired_gaps"]


def test_cement_in_the_canal_that_is_called_bone_is_taken_out_of_the_vertebra(built):
    at = place(built)
    leak = (np.linalg.norm(at - [0.0, -4.0, built.centres[2][2]], axis=-1) < 4.5) & (built.labels >= 60)
    hu = built.volume.hu.copy()
    hu[leak] = 2200
    wrong = built.labels.copy()
    wrong[leak] = 19
    volume = Volume.from_array(hu, built.volume.grid)
    cord = (built.labels == 60) & ~leak
    bare = np.where(wrong >= 60, 0, wrong).astype(np.uint16)
    labels, notes = repair_labels(volume, bare, cord)
    assert leak.sum() * built.volume.grid.voxel_mm3 > 200
    assert (labels[leak] == 19).mean() < 0.25
    assert "repaired_cement_as_bone" in codes(notes)


def test_a_name_out_of_the_count_is_put_right_by_the_others(built):
    wrong = built.labels.copy()
    wrong[built.labels == 18] = 17  # T10 above T12
    labels, notes = repair_labels(built.volume, wrong)
    assert (labels[built.labels == 18] == 18).all()
    assert codes(notes) == ["repaired_level_names"]
    assert "T11, T12, L1, L2" in notes[0].message


def test_a_missing_vertebra_is_no_fault_of_the_names():
    five = label_spine([22, 21, 20, 19, 18], spacing=2.5)
    lost = np.where(five.labels == 20, 0, five.labels).astype(np.uint16)
    _, notes = repair_labels(five.volume, lost)
    assert "repaired_level_names" not in codes(notes)
    assert "level_names_doubtful" not in codes(notes)


def test_names_that_no_count_explains_are_doubted_and_kept(built):
    wrong = built.labels.copy()
    wrong[built.labels == 18] = 15
    wrong[built.labels == 19] = 17
    labels, notes = repair_labels(built.volume, wrong)
    assert codes(notes) == ["level_names_doubtful"]
    assert "--level" in notes[0].message
    assert (labels[built.labels == 18] == 15).all()


def test_a_given_map_is_repaired_when_asked(built, tmp_path):
    wrong = built.labels.copy()
    wrong[built.labels == 18] = 17
    path = tmp_path / "l.nii.gz"
    nibabel.save(nibabel.Nifti1Image(wrong, np.diag([-1.0, -1.0, 1.0, 1.0]) @ built.volume.grid.affine), path)
    asked = find_spine(built.volume, anatomy=f"repair:{path}")
    assert [v.level for v in asked.vertebrae] == ["L2", "L1", "T12", "T11"]
    assert "repaired_level_names" in codes(asked.quality)
    plain = find_spine(built.volume, anatomy=str(path))
    assert [v.level for v in plain.vertebrae] == ["L2", "L1", "T12", "T10"]
