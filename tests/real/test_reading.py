"""Reading the real scans; the geometry is compared with nibabel's and pydicom's own."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest

from thecal.dicom import list_series, read
from thecal.errors import InputError
from thecal.volume import to_source_grid

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SCANS = (
    "thorax_2p5mm/ct.nii.gz",
    "abdomen_3mm/ct.nii.gz",
    "thorax_1p5mm/ct.nii.gz",
    "l3_1p5mm/sub-ct_label-22_ct.nii.gz",
    "abdomen_5mm/ct.nii.gz",
)
LABELS = (
    "collapsed_l1_mask/sub-verse004_seg-vert_msk.nii.gz",
    "thorax_2p5mm/labels_verse.nii.gz",
    "abdomen_3mm/labels_totalsegmentator.nii.gz",
)


@pytest.fixture(scope="module", autouse=True)
def data():
    if not DATA.is_dir():
        pytest.skip("the real scans are not here (../shared/data)")


@pytest.mark.parametrize("name", SCANS)
def test_every_voxel_lies_where_nibabel_puts_it(name):
    volume = read(DATA / name)
    image = nib.load(DATA / name)
    stored = np.asanyarray(image.dataobj)
    index = np.random.default_rng(0).integers(0, stored.shape, (500, 3))
    ras = nib.affines.apply_affine(image.affine, index)
    at = volume.grid.to_index(ras * [-1, -1, 1])
    nearest = np.rint(at).astype(int)
    assert np.abs(at - nearest).max() < 1e-4
    expected = np.clip(stored[tuple(index.T)], -1024, None)
    expected[stored[tuple(index.T)] < -1500] = -1024
    assert np.array_equal(volume.hu[tuple(nearest.T)], expected)


@pytest.mark.parametrize("name", SCANS)
def test_a_label_map_returns_to_the_grid_of_the_file(name):
    volume = read(DATA / name)
    image = nib.load(DATA / name)
    back = to_source_grid(np.maximum(volume.hu, 0).astype(np.uint16), volume)
    assert np.array_equal(back, np.clip(np.asanyarray(image.dataobj), 0, None))
    assert np.allclose(np.diag([-1, -1, 1, 1]) @ volume.source.grid.affine, image.affine, atol=1e-4)


def test_the_dicom_series_without_uids_reads_whole():
    folder = DATA / "t11t12_dicom" / "dicom"
    volume = read(folder)
    assert volume.hu.shape == (20, 512, 512)
    assert volume.grid.spacing_mm == pytest.approx([2.0, 0.9765625, 0.9765625])
    assert volume.source.kernel == "Br38f"
    assert volume.source.slice_thickness_mm == 3.0
    assert volume.source.series_uid is None
    assert volume.source.hu_clipped_at == 3071
    assert volume.quality == ()
    for path in sorted(folder.iterdir())[::7]:
        slice_ = pydicom.dcmread(path)
        hu = slice_.pixel_array.astype(int) * int(slice_.RescaleSlope) + int(slice_.RescaleIntercept)
        k, y, x = volume.grid.to_index(slice_.ImagePositionPatient)
        assert (y, x) == pytest.approx((0, 0), abs=1e-6)
        assert np.array_equal(volume.hu[round(float(k))], hu)


def test_the_labels_made_for_the_dicom_series_lie_on_its_bones():
    volume = read(DATA / "t11t12_dicom" / "dicom")
    image = nib.load(DATA / "t11t12_dicom" / "labels_totalsegmentator.nii.gz")
    labels = np.asanyarray(image.dataobj)
    bone = np.argwhere((labels == 32) | (labels == 33))
    at = volume.grid.to_index(nib.affines.apply_affine(image.affine, bone) * [-1, -1, 1])
    hu = volume.hu[tuple(np.rint(at).astype(int).T)]
    assert hu.mean() > 150


def test_the_parent_folder_finds_the_series_beside_a_label_map():
    (one,) = list_series(DATA / "t11t12_dicom")
    assert one.chosen
    assert one.plane == "axial"


def test_the_field_of_view_of_the_thick_scan_is_known():
    volume = read(DATA / "abdomen_5mm" / "ct.nii.gz")
    assert volume.source.padding_fraction == pytest.approx(1 - np.pi / 4, abs=0.01)
    assert volume.hu.min() == -1024


@pytest.mark.parametrize("name", LABELS)
def test_a_label_map_is_not_taken_for_a_ct(name):
    with pytest.raises(InputError, match="label map"):
        read(DATA / name)


def test_a_folder_of_meshes_is_refused():
    with pytest.raises(InputError, match="no DICOM images"):
        read(DATA / "lumbar_mean_mesh")
