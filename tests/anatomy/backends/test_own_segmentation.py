"""The segmentation.dcm that thecal writes, given back to it as anatomy."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from archived import Shelf
from toy_patient import cement_of, spine, volume

from thecal.anatomy.backends.given import Given
from thecal.anatomy.backends.label_file import read_label_file
from thecal.anatomy.backends.on_grid import onto_grid
from thecal.report.dicom_outputs import write_dicom_outputs
from thecal.terms import is_disc

# Read back onto images that were resampled, a border may move by the rounding of half a voxel.
RESAMPLED = ("tilted and flipped", "one slice lost")


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    found = spine()
    cement, leakage = cement_of(found)
    leaking = SimpleNamespace(volume=volume(found, cement), spine=found, cement=cement, leakage=leakage)
    return Shelf(leaking, tmp_path_factory.mktemp("archive"))


def written(case) -> np.ndarray:
    """The labels that were written, on the grid of the scan."""
    whole = np.zeros(case.volume.hu.shape, np.uint16)
    table = np.array([0 if is_disc(i) else i for i in range(int(case.spine.labels.max()) + 1)], np.uint16)
    whole[case.spine.box] = table[case.spine.labels]
    return whole


def read_back(path, case) -> np.ndarray:
    read = read_label_file(path)
    return onto_grid(read.labels, read.grid, case.volume.grid)


@pytest.mark.parametrize(
    "layout",
    ["axial", "oblique and flipped", "tilted and flipped", "sagittal", "one slice lost", "multi-frame"],
)
def test_it_gives_the_same_anatomy_however_the_slices_lay(shelf, layout):
    case, folder = shelf[layout]
    truth, back = written(case), read_back(folder / "segmentation.dcm", case)
    if layout not in RESAMPLED:
        assert np.array_equal(back, truth)
        return
    for label in np.unique(truth)[1:]:
        ours, theirs = back == label, truth == label
        assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) > 0.93, label
        apart = case.volume.grid.to_lps(np.argwhere(ours).mean(0)) - case.volume.grid.to_lps(
            np.argwhere(theirs).mean(0)
        )
        assert np.linalg.norm(apart) < case.volume.grid.spacing_mm.max() / 2, label


@pytest.mark.parametrize("layout", ["oblique and flipped", "tilted and flipped"])
@pytest.mark.parametrize("options", [{"form": "labelmap"}, {"whole_frames": True}], ids=str)
def test_its_other_forms_give_the_same_anatomy(shelf, layout, options, tmp_path):
    case, folder = shelf[layout]
    write_dicom_outputs(tmp_path, case.volume, case.spine, case.leakage, shelf.report, **options)
    plain = read_back(folder / "segmentation.dcm", case)
    back = read_back(tmp_path / "segmentation.dcm", case)
    bones = (plain > 0) & (plain < 60)
    if "form" in options:
        # One map holds a voxel once: deposits stand before anatomy.
        bones &= back > 0
    assert bones.sum() > 10000
    assert (back == plain)[bones].mean() > (0.93 if layout in RESAMPLED else 0.999)


def test_the_cement_in_it_is_not_taken_for_bone(shelf):
    case, folder = shelf["axial"]
    read = read_label_file(folder / "segmentation.dcm")
    assert "segments_left_out" in [note.code for note in read.quality]
    assert set(np.unique(read.labels)) == set(np.unique(written(case)))


def test_a_whole_spine_comes_of_it(shelf):
    case, folder = shelf["oblique and flipped"]
    found = Given(folder / "segmentation.dcm").find(case.volume)
    assert [v.level for v in found.vertebrae] == ["L2", "L1", "T12", "T11", "T10"]
    assert "labels_of_another_series" not in [note.code for note in found.quality]
