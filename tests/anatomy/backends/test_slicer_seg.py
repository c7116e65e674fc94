"""Anatomy given as 3D Slicer saves it."""

from __future__ import annotations

from pathlib import Path

import nrrd
import numpy as np
import pytest
from label_spine import LabelSpine, label_spine

from thecal.anatomy.backends.given import Given
from thecal.anatomy.backends.label_file import read_label_file
from thecal.anatomy.backends.on_grid import onto_grid
from thecal.errors import InputError

NAMES = {21: "L2", 20: "vertebrae_L1", 19: "T12 vertebra", 18: "T11", 61: "Vertebral canal", 60: "Thecal sac"}
TAGS = (
    "TerminologyEntry:Segmentation category and type - Total Segmentator~SCT^91723000^Anatomical Structure"
    "~SCT^{code}^x~^^~Anatomic codes - DICOM master list~^^~^^|Segmentation.Status:inprogress|"
)


@pytest.fixture(scope="module")
def built() -> LabelSpine:
    return label_spine([21, 20, 19, 18], spacing=2.5)


def save(
    path: Path,
    built: LabelSpine,
    names: dict[int, str],
    *,
    layers: bool = False,
    box: tuple[slice, slice, slice] | None = None,
    tags: dict[int, str] | None = None,
    old: bool = False,
    extra: dict[str, object] | None = None,
) -> Path:
    """As Slicer writes it: axes (x, y, z), values from 1 in the order of the names, cut to ``box``."""
    grid, labels = built.volume.grid, built.labels
    if box is not None:
        labels, grid = labels[box], grid.crop(box)
    header: dict[str, object] = {"space": "left-posterior-superior", "space origin": grid.affine[:3, 3]}
    directions = grid.affine[:3, [2, 1, 0]].T
    array = np.zeros(labels.shape, np.uint8)
    stacked = []
    for k, (label, name) in enumerate(names.items()):
        array[labels == label] = k + 1
        own = labels == label
        if label == 61:  # the canal holds the sac
            own |= labels == 60
        stacked.append(own.astype(np.uint8))
        header[f"Segment{k}_ID"] = f"Segment_{k}"
        header[f"Segment{k}_Name"] = name
        header[f"Segment{k}_Extent"] = "0 1 0 1 0 1"
        if not old:
            header[f"Segment{k}_LabelValue"] = "1" if layers else str(k + 1)
            header[f"Segment{k}_Layer"] = str(k) if layers else "0"
        if tags and label in tags:
            header[f"Segment{k}_Tags"] = TAGS.format(code=tags[label])
    header["Segmentation_ReferenceImageExtentOffset"] = "35 86 -1"
    if layers:
        header["kinds"] = ["list", "domain", "domain", "domain"]
        header["space directions"] = np.vstack([np.full(3, np.nan), directions])
        voxels = np.stack(stacked).transpose(0, 3, 2, 1)
    else:
        header["kinds"] = ["domain"] * 3
        header["space directions"] = directions
        voxels = array.transpose(2, 1, 0)
    nrrd.write(str(path), voxels, header | (extra or {}))
    return path


def put_back(path: Path, built: LabelSpine) -> np.ndarray:
    read = read_label_file(path)
    assert read.named
    return onto_grid(read.labels, read.grid, built.volume.grid)


@pytest.mark.parametrize("name", ["s.seg.nrrd", "s.nrrd"])
def test_one_layer_is_read_by_names_and_values(built, tmp_path, name):
    assert np.array_equal(put_back(save(tmp_path / name, built, NAMES), built), built.labels)


def test_segments_that_overlap_lie_on_layers(built, tmp_path):
    path = save(tmp_path / "s.seg.nrrd", built, NAMES, layers=True)
    assert np.array_equal(put_back(path, built), built.labels)


def test_files_of_old_slicers_have_a_layer_a_segment_and_say_no_value(built, tmp_path):
    path = save(tmp_path / "s.seg.nrrd", built, NAMES, layers=True, old=True)
    assert np.array_equal(put_back(path, built), built.labels)


def test_a_file_cut_to_its_segments_is_put_where_they_belong(built, tmp_path):
    box = (slice(3, 50), slice(2, 40), slice(5, 66))
    whole = np.zeros_like(built.labels)
    whole[box] = built.labels[box]
    assert np.array_equal(put_back(save(tmp_path / "s.seg.nrrd", built, NAMES, box=box), built), whole)


def test_codes_name_what_the_names_do_not(built, tmp_path):
    codes = {21: "14293000", 20: "66794005", 19: "23215003", 18: "12989004", 61: "61853006"}
    names = {label: f"My segment {chr(65 + k)}" for k, label in enumerate(codes)} | {60: "sac"}
    path = save(tmp_path / "s.seg.nrrd", built, names, tags=codes)
    assert np.array_equal(put_back(path, built), built.labels)


def test_a_vertebra_that_is_called_one_level_and_coded_another_is_refused(built, tmp_path):
    path = save(tmp_path / "s.seg.nrrd", built, NAMES, tags={21: "66794005"})
    with pytest.raises(InputError, match="called L2 and coded as L1"):
        Given(path).find(built.volume)


def test_the_anatomy_is_that_of_the_names(built, tmp_path):
    path = save(
        tmp_path / "s.seg.nrrd", built, {k: v for k, v in NAMES.items() if k < 60} | {60: "spinal cord"}
    )
    spine = Given(path).find(built.volume)
    assert [v.level for v in spine.vertebrae] == ["L2", "L1", "T12", "T11"]
    assert "cord_for_canal" in [note.code for note in spine.quality]


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"Segment0_Layer": "4"}, "layer 4 and has 1"),
        ({"Segment0_LabelValue": "one"}, "no whole number"),
        ({"Segmentation_MasterRepresentation": "Fractional labelmap"}, "fractions"),
        ({"space": "scanner-xyz"}, "not the patient's"),
    ],
)
def test_a_bad_segmentation_is_refused_in_one_sentence(built, tmp_path, extra, says):
    path = save(tmp_path / "s.seg.nrrd", built, NAMES, extra=extra)
    with pytest.raises(InputError, match=says):
        read_label_file(path)


def test_a_segmentation_of_nothing_of_the_spine_is_refused(built, tmp_path):
    with pytest.raises(InputError, match="names no vertebra"):
        read_label_file(save(tmp_path / "s.seg.nrrd", built, {19: "liver"}))


def test_a_file_that_ends_early_is_refused(built, tmp_path):
    path = save(tmp_path / "s.seg.nrrd", built, NAMES)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="cannot be read as NRRD"):
        read_label_file(path)
