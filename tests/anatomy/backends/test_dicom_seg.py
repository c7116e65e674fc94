"""Anatomy given as a DICOM Segmentation, as other programs write it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from label_spine import LabelSpine, label_spine
from seg_files import write_seg

from thecal.anatomy.backends.dicom_seg import read_dicom_seg
from thecal.anatomy.backends.given import Given
from thecal.anatomy.backends.label_file import read_label_file
from thecal.anatomy.backends.on_grid import onto_grid
from thecal.cli import run
from thecal.errors import InputError
from thecal.volume import Grid, resample

NAMES = {21: "L2", 20: "vertebra L1", 19: "T12", 18: "vertebrae_T11", 61: "Vertebral canal", 60: "Thecal sac"}


@pytest.fixture(scope="module")
def built() -> LabelSpine:
    return label_spine([21, 20, 19, 18], spacing=2.5)


def put_back(path: Path, built: LabelSpine) -> np.ndarray:
    read = read_label_file(path)
    assert read.named
    return onto_grid(read.labels, read.grid, built.volume.grid)


@pytest.mark.parametrize("form", ["BINARY", "LABELMAP", "FRACTIONAL"])
def test_every_form_gives_the_labels_back_voxel_by_voxel(built, tmp_path, form):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES, form=form)
    assert np.array_equal(put_back(path, built), built.labels)
    codes = [note.code for note in read_dicom_seg(path).quality]
    assert ("fractional_labels" in codes) == (form == "FRACTIONAL")


@pytest.mark.parametrize("seed", [0, 1])
def test_frames_may_stand_in_any_order(built, tmp_path, seed):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES, order=seed)
    assert np.array_equal(put_back(path, built), built.labels)


def test_frames_cut_to_the_spine_are_put_where_they_belong(built, tmp_path):
    # 38 rows of 61 columns: frames of one bit a pixel do not end on a byte.
    box = (slice(3, 50), slice(2, 40), slice(5, 66))
    whole = np.zeros_like(built.labels)
    whole[box] = built.labels[box]
    path = write_seg(tmp_path / "s.dcm", built.labels[box], built.volume.grid.crop(box), NAMES)
    assert np.array_equal(put_back(path, built), whole)


def test_a_tilted_stack_is_a_sheared_grid(built, tmp_path):
    affine = built.volume.grid.affine.copy()
    affine[1, 0] += 0.9
    sheared = Grid(built.volume.grid.shape, affine)
    path = write_seg(tmp_path / "s.dcm", built.labels, sheared, NAMES, order=3)
    seg = read_dicom_seg(path)
    index = np.array([[0, 0, 0], [20, 5, 7], [40, 30, 60]])
    low = np.flatnonzero((built.labels > 0).any(axis=(1, 2)))[0]
    assert np.allclose(seg.grid.to_lps(index), sheared.to_lps(index + np.array([low, 0, 0])), atol=1e-3)


def test_a_segmentation_on_another_grid_is_laid_over_by_its_place(built, tmp_path):
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)) * 0.1 + np.eye(3))[0]
    turn = turn @ np.diag(np.sign(np.diag(turn)))
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([1.8, 1.4, 1.4])[:, ::-1]
    affine[:3, 3] = built.volume.grid.to_lps([-5, -15, -15])
    fine = Grid((120, 120, 170), affine)
    moved = resample(built.labels, built.volume.grid, fine, order=0, fill=0)
    path = write_seg(tmp_path / "s.dcm", moved, fine, NAMES)
    back = put_back(path, built)
    for label in (18, 19, 20, 21):
        ours, truth = back == label, built.labels == label
        assert 2 * (ours & truth).sum() / (ours.sum() + truth.sum()) > 0.93
        where = built.volume.grid
        apart = where.to_lps(np.argwhere(ours).mean(0)) - where.to_lps(np.argwhere(truth).mean(0))
        assert np.linalg.norm(apart) < 0.5


def test_vertebrae_are_known_by_their_codes_alone(built, tmp_path):
    codes = {21: "14293000", 20: "66794005", 19: "23215003", 18: "12989004", 61: "61853006", 60: "X"}
    names = {label: f"Segment_{label}" for label in NAMES} | {60: "sac"}
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, names, codes=codes)
    assert np.array_equal(put_back(path, built), built.labels)


def test_cement_of_t12_is_not_read_as_t12(built, tmp_path):
    labels = built.labels.copy()
    cement = (labels == 19) & (np.indices(labels.shape)[1] < 12)
    labels[cement] = 7
    path = write_seg(tmp_path / "s.dcm", labels, built.volume.grid, NAMES | {7: "Cement 1: epidural, T12"})
    back = put_back(path, built)
    assert cement.any()
    assert not back[cement].any()
    assert "segments_left_out" in [note.code for note in read_dicom_seg(path).quality]


def test_one_lost_plane_is_what_its_neighbours_agree_on_and_told(built, tmp_path):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES, drop=[20])
    seg = read_dicom_seg(path)
    assert [note.code for note in seg.quality] == ["label_slices_missing"]
    back = onto_grid(seg.labels, seg.grid, built.volume.grid)
    assert np.array_equal(back[20], np.where(built.labels[19] == built.labels[21], built.labels[19], 0))
    assert np.array_equal(back[21:], built.labels[21:])


def test_slices_at_uneven_distances_are_put_on_an_even_stack_and_told(built, tmp_path):
    depth = built.volume.grid.affine[2, 0]

    def uneven(ds):
        for group in ds.PerFrameFunctionalGroupsSequence:
            at = group.PlanePositionSequence[0].ImagePositionPatient
            at[2] = float(at[2]) + 0.3 * depth * (round(float(at[2]) / depth) % 2)

    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES, edit=uneven)
    seg = read_dicom_seg(path)
    assert "uneven_labels" in [note.code for note in seg.quality]
    for label in (18, 19, 20, 21):
        where = seg.grid.to_lps(np.argwhere(seg.labels == label).mean(0))
        truth = built.volume.grid.to_lps(np.argwhere(built.labels == label).mean(0))
        assert np.linalg.norm(where - truth) < depth


def test_an_empty_plane_between_two_vertebrae_is_left_empty(built, tmp_path):
    labels = np.where(built.labels < 60, built.labels, 0)
    labels[20] = 0
    labels[20:] = np.where(labels[20:] == 0, 0, 19)
    labels[:20] = np.where(labels[:20] == 0, 0, 20)
    path = write_seg(tmp_path / "s.dcm", labels, built.volume.grid, {19: "T12", 20: "L1"})
    assert np.array_equal(put_back(path, built), labels)
    assert read_dicom_seg(path).quality == ()


def test_what_names_the_sac_and_not_the_canal_still_gives_a_spine(built, tmp_path):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES)
    spine = Given(path).find(built.volume)
    assert [v.level for v in spine.vertebrae] == ["L2", "L1", "T12", "T11"]
    assert (spine.labels == 60).sum() == (built.labels == 60).sum()


def _without_places(ds):
    for group in ds.PerFrameFunctionalGroupsSequence:
        del group.PlanePositionSequence


def _without_orientation(ds):
    del ds.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence


def _cut_short(ds):
    ds.PixelData = ds.PixelData[: len(ds.PixelData) // 2]


def _without_segments(ds):
    del ds.SegmentSequence


def _one_plane(ds):
    at = ds.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
    for group in ds.PerFrameFunctionalGroupsSequence:
        group.PlanePositionSequence[0].ImagePositionPatient = at


def _a_ct(ds):
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"


def _fewer_groups(ds):
    ds.PerFrameFunctionalGroupsSequence = ds.PerFrameFunctionalGroupsSequence[:3]


def _scattered(ds):
    for k, group in enumerate(ds.PerFrameFunctionalGroupsSequence):
        x, y, z = group.PlanePositionSequence[0].ImagePositionPatient
        group.PlanePositionSequence[0].ImagePositionPatient = [x + 20 * (k % 2), y, z + 0.37 * (k % 3)]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_without_places, "does not say where its frames lie"),
        (_without_orientation, "does not say where its frames lie"),
        (_cut_short, "cannot be decoded"),
        (_without_segments, "lacks or garbles"),
        (_one_plane, "single slice"),
        (_a_ct, "not a DICOM segmentation"),
        (_fewer_groups, "where each of its frames lies"),
        (_scattered, "uneven|stand over each other"),
    ],
)
def test_a_bad_segmentation_is_refused_in_one_sentence(built, tmp_path, spoil, says):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, NAMES, edit=spoil)
    with pytest.raises(InputError, match=says) as told:
        read_label_file(path)
    assert "\n" not in str(told.value)


def test_a_segmentation_of_the_liver_is_refused(built, tmp_path):
    path = write_seg(tmp_path / "s.dcm", built.labels, built.volume.grid, {19: "liver", 20: "spleen"})
    with pytest.raises(InputError, match="names no vertebra"):
        Given(path).find(built.volume)


def test_the_command_line_ends_with_2_and_one_sentence(built, tmp_path, capsys):
    import nibabel

    grid = built.volume.grid
    ct = tmp_path / "ct.nii.gz"
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    nibabel.save(nibabel.Nifti1Image(built.volume.hu, flip @ grid.affine), ct)
    bad = write_seg(tmp_path / "s.dcm", built.labels, grid, NAMES, edit=_cut_short)
    assert run(["assess", str(ct), "--anatomy", str(bad), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.splitlines()
    assert said == ["the frames of s.dcm cannot be decoded: it holds fewer pixels than it states."]
    assert not (tmp_path / "out" / "report.json").exists()
