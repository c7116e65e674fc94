"""NIfTI, NRRD and MetaImage: any axis order, the same patient."""

from __future__ import annotations

import gzip
import itertools
import zlib

import nibabel as nib
import nrrd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scans import marker, trunk

from thecal.dicom import list_series, read
from thecal.errors import InputError
from thecal.volume import to_source_grid

SPACING = np.array([0.8, 0.9, 2.0])
ORIGIN = np.array([-20.0, -150.0, 300.0])
MARKER_EDGE_HU = 825


def lps_affine(shear=0.0):
    """Index (x, y, z) of the trunk to LPS."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag(SPACING)
    affine[1, 2] = shear * SPACING[2]
    affine[:3, 3] = ORIGIN
    return affine


def true_centre(shape):
    z, y, x = np.argwhere(marker(shape)).mean(axis=0)
    return ORIGIN + SPACING * [x, y, z]


def centre_of_marker(volume):
    return volume.grid.to_lps(np.argwhere(volume.hu > MARKER_EDGE_HU)).mean(axis=0)


def turned(array, affine, order, flips):
    """An (x, y, z) array and its affine with axes re-ordered and flipped, the patient unmoved."""
    new = affine.copy()
    new[:3, :3] = affine[:3, list(order)]
    array = array.transpose(order)
    for axis, flip in enumerate(flips):
        if flip:
            new[:3, 3] += new[:3, axis] * (array.shape[axis] - 1)
            new[:3, axis] *= -1
            array = np.flip(array, axis)
    return array, new


def save_nifti(path, array, lps):
    nib.save(nib.Nifti1Image(array, np.diag([-1.0, -1, 1, 1]) @ lps), path)
    return path


def save_nrrd(path, array, lps, space="left-posterior-superior", **header):
    turn = np.diag([-1.0, -1, 1]) if space.startswith("right-anterior") else np.eye(3)
    header = {
        "space": space,
        "space directions": (turn @ lps[:3, :3]).T,
        "space origin": turn @ lps[:3, 3],
        **header,
    }
    nrrd.write(str(path), np.asfortranarray(array), header, index_order="F")
    return path


def save_metaimage(path, array, lps, *, compressed=False, beside=None):
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    data = array.astype("<i2").tobytes(order="F")
    data = zlib.compress(data) if compressed else data
    lines = [
        "ObjectType = Image",
        "NDims = 3",
        "BinaryData = True",
        "BinaryDataByteOrderMSB = False",
        f"CompressedData = {compressed}",
        "TransformMatrix = " + " ".join(map(str, (lps[:3, :3] / spacing).T.ravel())),
        "Offset = " + " ".join(map(str, lps[:3, 3])),
        "ElementSpacing = " + " ".join(map(str, spacing)),
        "DimSize = " + " ".join(map(str, array.shape)),
        "ElementType = MET_SHORT",
        f"ElementDataFile = {beside or 'LOCAL'}",
    ]
    head = ("\n".join(lines) + "\n").encode()
    if beside:
        path.write_bytes(head)
        (path.parent / beside).write_bytes(data)
    else:
        path.write_bytes(head + data)
    return path


WRITERS = {"a.nii": save_nifti, "a.nii.gz": save_nifti, "a.nrrd": save_nrrd, "a.mha": save_metaimage}
ORIENTATIONS = [
    (order, flips)
    for order in itertools.permutations(range(3))
    for flips in itertools.product((False, True), repeat=3)
]


def test_there_are_48_orientations():
    assert len(ORIENTATIONS) == 48


@pytest.mark.parametrize("name", ["a.nii", "a.nrrd", "a.mha"])
def test_all_48_orientations_are_the_same_patient_and_labels_go_back(tmp_path, name):
    hu = trunk((9, 20, 26))
    labels = np.zeros(hu.shape, np.uint16)
    labels[marker(hu.shape)] = 19
    labels[:2, 3:7, :] = 24
    for order, flips in ORIENTATIONS:
        array, lps = turned(hu.T, lps_affine(), order, flips)
        volume = read(WRITERS[name](tmp_path / name, array, lps))
        assert np.array_equal(volume.hu, hu)
        assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-3)
        back = to_source_grid(labels, volume)
        assert np.array_equal(back, turned(labels.T, lps_affine(), order, flips)[0])
        assert np.allclose(volume.source.grid.affine, lps, atol=1e-4)
        for label in (19, 24):
            there = volume.source.grid.to_lps(np.argwhere(back == label)).mean(axis=0)
            here = volume.grid.to_lps(np.argwhere(labels == label)).mean(axis=0)
            assert np.allclose(there, here, atol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    orientation=st.sampled_from(ORIENTATIONS),
    name=st.sampled_from(sorted(WRITERS)),
    turns=st.tuples(*[st.floats(-30, 30)] * 3),
)
def test_oblique_volumes_keep_centroids_through_reading_and_writing_back(
    tmp_path_factory, orientation, name, turns
):
    hu = trunk((9, 20, 26))
    a, b, c = np.radians(turns)
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    lps = lps_affine()
    lps[:3] = rz @ ry @ rx @ lps[:3]
    expected = lps[:3, :3] @ np.argwhere(marker(hu.shape)).mean(axis=0)[::-1] + lps[:3, 3]
    array, turned_lps = turned(hu.T, lps, *orientation)
    volume = read(WRITERS[name](tmp_path_factory.mktemp("v") / name, array, turned_lps))
    assert np.allclose(centre_of_marker(volume), expected, atol=1e-2)
    assert not volume.source.resampled
    bright = (volume.hu > MARKER_EDGE_HU).astype(np.uint16)
    back = to_source_grid(bright, volume)
    assert back.shape == array.shape
    assert np.array_equal(back > 0, array > MARKER_EDGE_HU)


def test_a_sheared_nifti_is_straightened_and_labels_go_back(tmp_path):
    hu = trunk((24, 48, 56))
    volume = read(save_nifti(tmp_path / "a.nii", hu.T.copy(), lps_affine(shear=0.35)))
    z, y, x = np.argwhere(marker(hu.shape)).mean(axis=0)
    expected = ORIGIN + SPACING * [x, y, z] + [0, 0.35 * SPACING[2] * z, 0]
    assert np.allclose(centre_of_marker(volume), expected, atol=0.25)
    gram = volume.grid.affine[:3, :3].T @ volume.grid.affine[:3, :3]
    assert np.allclose(gram, np.diag(np.diag(gram)), atol=1e-6)
    assert volume.source.resampled
    assert "sheared_grid" in {note.code for note in volume.quality}
    back = to_source_grid((volume.hu > MARKER_EDGE_HU).astype(np.uint16), volume)
    there = hu.T > MARKER_EDGE_HU
    assert 2 * (back[there] > 0).sum() / (back.sum() + there.sum()) > 0.95


def test_nifti_without_a_place_is_read_and_said(tmp_path):
    image = nib.Nifti1Image(trunk().T, None)
    image.header.set_sform(None, 0)
    image.header.set_qform(None, 0)
    nib.save(image, tmp_path / "a.nii")
    notes = {note.code: note.severity for note in read(tmp_path / "a.nii").quality}
    assert notes["orientation_assumed"] == "critical"


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32])
def test_wide_numbers_beyond_int16_nan_and_infinity_become_honest_hu(tmp_path, dtype):
    hu = trunk()
    wide = hu.astype(dtype)
    wide[0, 0, :4] = 70_000
    if np.issubdtype(dtype, np.floating):
        wide[0, 1, :4], wide[0, 2, :4], wide[0, 3, :4] = np.nan, np.inf, 0.4
    volume = read(save_nifti(tmp_path / "a.nii.gz", wide.T, lps_affine()))
    assert volume.hu.dtype == np.int16
    assert (volume.hu[0, 0, :4] == 32767).all()
    assert np.array_equal(volume.hu[1:], hu[1:])
    if np.issubdtype(dtype, np.floating):
        assert (volume.hu[0, 1:3, :4] == -1024).all()
        assert volume.source.padding_fraction == pytest.approx(8 / hu.size)


def test_a_scaled_nifti_is_brought_to_hu(tmp_path):
    hu = trunk()
    image = nib.Nifti1Image(((hu.T.astype(int) + 10) * 2).astype(np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, -10)
    nib.save(image, tmp_path / "a.nii")
    assert np.array_equal(np.sort(read(tmp_path / "a.nii").hu.ravel()), np.sort(hu.ravel()))


def test_a_fourth_axis_of_one_is_dropped(tmp_path):
    hu = trunk()
    nib.save(nib.Nifti1Image(hu.T[..., None], np.diag([-1.0, -1, 1, 1]) @ lps_affine()), tmp_path / "a.nii")
    assert np.array_equal(read(tmp_path / "a.nii").hu, hu)


def test_metres_are_brought_to_millimetres(tmp_path):
    image = nib.Nifti1Image(
        trunk().T, np.diag([-1.0, -1, 1, 1]) @ np.diag([1e-3, 1e-3, 1e-3, 1]) @ lps_affine()
    )
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "a.nii")
    assert read(tmp_path / "a.nii").grid.spacing_mm == pytest.approx([2.0, 0.9, 0.8], rel=1e-4)


def test_the_name_does_not_matter_but_the_content(tmp_path):
    save_nifti(tmp_path / "a.nii", trunk().T, lps_affine())
    (tmp_path / "scan.bin").write_bytes((tmp_path / "a.nii").read_bytes())
    assert read(tmp_path / "scan.bin").source.kind == "nifti"
    (tmp_path / "scan.gz").write_bytes(gzip.compress((tmp_path / "a.nii").read_bytes()))
    assert np.array_equal(read(tmp_path / "scan.gz").hu, trunk())


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2"])
def test_nrrd_in_ras_and_every_encoding(tmp_path, encoding):
    hu = trunk()
    path = save_nrrd(tmp_path / "a.nrrd", hu.T, lps_affine(), "right-anterior-superior", encoding=encoding)
    volume = read(path)
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)
    assert volume.source.kind == "nrrd"


def test_nrrd_without_directions_is_read_and_said(tmp_path):
    nrrd.write(str(tmp_path / "a.nrrd"), trunk().T, {"spacings": SPACING}, index_order="F")
    volume = read(tmp_path / "a.nrrd")
    assert volume.grid.spacing_mm == pytest.approx(SPACING[::-1])
    assert "orientation_assumed" in {note.code for note in volume.quality}


def test_a_truncated_nrrd_is_refused(tmp_path):
    path = save_nrrd(tmp_path / "a.nrrd", trunk().T, lps_affine())
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match="truncated"):
        read(path)


def test_an_nrrd_does_not_reach_outside_its_folder(tmp_path):
    (tmp_path / "secret.raw").write_bytes(trunk().tobytes())
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.nhdr").write_text(
        "NRRD0004\ntype: short\ndimension: 3\nsizes: 56 48 24\nendian: little\nencoding: raw\n"
        "data file: ../secret.raw\n\n"
    )
    with pytest.raises(InputError, match="outside its folder"):
        read(folder / "a.nhdr")


@pytest.mark.parametrize(("compressed", "beside"), [(True, None), (False, "a.raw"), (True, "a.zraw")])
def test_metaimage_compressed_and_beside(tmp_path, compressed, beside):
    hu = trunk()
    path = save_metaimage(tmp_path / "a.mhd", hu.T, lps_affine(), compressed=compressed, beside=beside)
    volume = read(path)
    assert np.array_equal(volume.hu, hu)
    assert np.allclose(centre_of_marker(volume), true_centre(hu.shape), atol=1e-6)
    assert volume.source.kind == "mha"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_truncated_metaimage_is_refused(tmp_path, compressed):
    path = save_metaimage(tmp_path / "a.mha", trunk().T, lps_affine(), compressed=compressed)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError, match=r"truncated|damaged"):
        read(path)


@pytest.mark.parametrize("where", ["/etc/passwd", "../a.raw", "LIST", "slice%03d.raw", "gone.raw"])
def test_a_metaimage_whose_voxels_are_elsewhere_is_refused(tmp_path, where):
    folder = tmp_path / "in"
    folder.mkdir()
    path = save_metaimage(folder / "a.mhd", trunk().T, lps_affine())
    path.write_bytes(path.read_bytes().replace(b"LOCAL", where.encode()))
    with pytest.raises(InputError):
        read(path)


def test_a_volume_file_is_listed_as_one_series(tmp_path):
    (one,) = list_series(save_nifti(tmp_path / "a.nii", trunk().T, lps_affine()))
    assert one.chosen
    assert one.shape == (56, 48, 24)
    assert one.spacing_mm == pytest.approx((0.8, 0.9, 2.0))
