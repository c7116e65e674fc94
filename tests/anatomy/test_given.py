from __future__ import annotations

from pathlib import Path

import nibabel
import numpy as np
import pytest
from label_spine import LabelSpine, label_spine

from thecal.anatomy.backends.given import Given, to_contract
from thecal.anatomy.backends.on_grid import onto_grid
from thecal.anatomy.find import find_spine, parse_level, pin_level
from thecal.anatomy.spine import Part
from thecal.errors import InputError, SpineNotFound
from thecal.frames import CanalFrame
from thecal.volume import Grid, Volume, resample

BACK = np.array([0.0, 15.0, 0.0])
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def built() -> LabelSpine:
    return label_spine([21, 20, 19, 18], spacing=2.0)


def save_nifti(path: Path, labels: np.ndarray, grid: Grid) -> Path:
    nibabel.save(nibabel.Nifti1Image(labels, RAS @ grid.affine), path)
    return path


def levels(spine) -> list[str | None]:
    return [v.level for v in spine.vertebrae]


def test_a_nifti_label_map_names_the_vertebrae_and_splits_body_from_arch(
    built: LabelSpine, tmp_path: Path
) -> None:
    spine = Given(save_nifti(tmp_path / "l.nii.gz", built.labels, built.volume.grid)).find(built.volume)
    assert levels(spine) == ["L2", "L1", "T12", "T11"]
    assert all(v.level_source == "given" for v in spine.vertebrae)
    for v, centre in zip(spine.vertebrae, built.centres, strict=True):
        body = spine.grid.to_lps(np.argwhere(spine.body_mask(v)))
        assert np.linalg.norm(body.mean(0) - centre) < 2.5
        assert body[:, 1].max() < -8 + 2.5
        arch = (spine.labels == v.id) & (spine.parts == Part.ARCH)
        assert arch.sum() > 0.2 * len(body)
        assert np.linalg.norm(v.frame.origin - (centre + BACK)) < 2.5


def test_discs_that_the_label_map_lacks_are_filled_in(built: LabelSpine, tmp_path: Path) -> None:
    spine = Given(save_nifti(tmp_path / "l.nii", built.labels, built.volume.grid)).find(built.volume)
    for name, below in ((120, 0), (119, 1), (118, 2)):
        disc = spine.grid.to_lps(np.argwhere(spine.labels == name))
        middle = built.centres[below] + [0, 0, 16]
        assert np.linalg.norm(disc.mean(0) - middle) < 3.0
        volume_ml = (spine.labels == name).sum() * spine.grid.voxel_mm3 / 1000
        assert 3.0 < volume_ml < 9.0  # pi x 20 x 15 x 8 mm is 7.5 mL


def test_a_label_map_on_another_grid_gives_the_same_spine(built: LabelSpine, tmp_path: Path) -> None:
    fine = built.volume.grid
    turned = fine.affine[:, [2, 0, 1, 3]].copy()
    turned[:3, 0] *= -1
    turned[:3, 3] = fine.to_lps([0, 0, fine.shape[2] - 1])
    labels = np.flip(built.labels.transpose(2, 0, 1), 0).astype(np.int16)
    grid = Grid(labels.shape, turned)
    same = onto_grid(labels.astype(np.uint16), grid, fine)
    assert np.array_equal(same, built.labels)
    coarse = Grid(
        (60, 50, 80), np.array([[0, 0, 2.2, -88], [0, 2.2, 0, -57], [2.4, 0, 0, -15], [0, 0, 0, 1.0]])
    )
    moved = resample(built.labels, fine, coarse, order=0, fill=0)
    spine = Given(save_nifti(tmp_path / "c.nii.gz", moved, coarse)).find(built.volume)
    assert levels(spine) == ["L2", "L1", "T12", "T11"]
    for v, centre in zip(spine.vertebrae, built.centres, strict=True):
        assert np.linalg.norm(v.frame.origin - (centre + BACK)) < 3.5


def test_nrrd_in_any_of_the_patient_spaces(built: LabelSpine, tmp_path: Path) -> None:
    import nrrd

    grid = built.volume.grid
    for space, signs in (("left-posterior-superior", [1, 1, 1]), ("right-anterior-superior", [-1, -1, 1])):
        header = {
            "space": space,
            "space directions": (np.diag(signs) @ grid.affine[:3, :3]).T,
            "space origin": np.array(signs) * grid.affine[:3, 3],
        }
        path = tmp_path / f"{space}.nrrd"
        nrrd.write(str(path), built.labels, header)
        assert levels(Given(path).find(built.volume)) == ["L2", "L1", "T12", "T11"]


def test_without_a_canal_label_it_is_found_through_the_rings_of_the_vertebrae(
    built: LabelSpine, tmp_path: Path
) -> None:
    bare = np.where(built.labels >= 60, 0, built.labels).astype(np.uint16)
    spine = Given(save_nifti(tmp_path / "b.nii.gz", bare, built.volume.grid)).find(built.volume)
    assert "canal_from_bone" in [q.code for q in spine.quality]
    inside = spine.grid.to_lps(np.argwhere(spine.canal_mask()))
    assert np.abs(inside[:, :2].mean(0)).max() < 2.0
    truth = (built.labels[spine.box] == 60) | (built.labels[spine.box] == 61)
    rows = spine.canal_mask().any(axis=(1, 2))[:, None, None]
    both = (truth & spine.canal_mask()).sum()
    assert 2 * both / ((truth & rows).sum() + spine.canal_mask().sum()) > 0.85


def test_label_100_is_the_cord_of_verse_and_not_a_disc(built: LabelSpine) -> None:
    verse = np.where(built.labels == 61, 0, built.labels)
    verse = np.where(verse == 60, 100, verse).astype(np.uint16)
    labels, cord, notes = to_contract(verse)
    assert cord is not None
    assert cord.sum() == (built.labels == 60).sum()
    assert 100 not in np.unique(labels)
    assert "label_100_is_cord" in [q.code for q in notes]


def test_totalsegmentators_ids_are_renumbered_by_name(built: LabelSpine) -> None:
    own = np.zeros_like(built.labels)
    for theirs, ours in ((30, 21), (31, 20), (32, 19), (33, 18), (79, 60)):
        own[built.labels == ours] = theirs
    labels, cord, _ = to_contract(own)
    assert set(np.unique(labels)) == {0, 18, 19, 20, 21}
    assert cord is not None
    assert cord.any()


def test_a_label_map_of_another_place_is_refused(built: LabelSpine, tmp_path: Path) -> None:
    grid = built.volume.grid
    away = grid.affine.copy()
    away[2, 3] += 2000
    path = save_nifti(tmp_path / "away.nii.gz", built.labels, Grid(grid.shape, away))
    with pytest.raises(InputError, match="outside the scan"):
        Given(path).find(built.volume)


def test_a_label_map_without_vertebrae_is_refused(built: LabelSpine, tmp_path: Path) -> None:
    only = np.where(built.labels == 60, 60, 0).astype(np.uint16)
    with pytest.raises(InputError, match="no vertebra"):
        Given(save_nifti(tmp_path / "n.nii.gz", only, built.volume.grid)).find(built.volume)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x.nii.gz", b"not a nifti", "cannot be read as NIfTI"),
        ("x.nrrd", b"not a nrrd", "cannot be read as NRRD"),
        ("x.txt", b"hello", "not a label map"),
        ("x.dcm", b"\0" * 128 + b"DICM" + b"junk", "DICOM"),
    ],
)
def test_a_file_that_is_no_label_map_is_refused_in_one_sentence(
    built: LabelSpine, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        Given(path).find(built.volume)


def test_values_that_are_no_labels_are_refused(built: LabelSpine, tmp_path: Path) -> None:
    grid = built.volume.grid
    path = save_nifti(tmp_path / "f.nii.gz", built.labels.astype(np.float32) + 0.5, grid)
    with pytest.raises(InputError, match="not whole numbers"):
        Given(path).find(built.volume)
    path = save_nifti(tmp_path / "s.nii.gz", built.labels.astype(np.int16) - 5, grid)
    with pytest.raises(InputError, match="below 0"):
        Given(path).find(built.volume)


def test_a_dicom_segmentation_is_read_by_its_segments_names(built: LabelSpine, tmp_path: Path) -> None:
    path = save_seg(tmp_path / "seg.dcm", built)
    spine = Given(path).find(built.volume)
    assert levels(spine) == ["L2", "L1", "T12", "T11"]
    assert spine.canal_mask().any()


def save_seg(path: Path, built: LabelSpine) -> Path:
    import highdicom as hd
    from pydicom.sr.codedict import codes
    from pydicom.uid import CTImageStorage, generate_uid

    grid = built.volume.grid
    source = []
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    for z in range(grid.shape[0]):
        ds = hd.utils.Dataset() if hasattr(hd.utils, "Dataset") else __import__("pydicom").Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
        ds.file_meta = __import__("pydicom").dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = study, series, frame
        ds.PatientID = ds.PatientName = ds.PatientBirthDate = ds.PatientSex = ds.AccessionNumber = ""
        ds.StudyID = ds.StudyDate = ds.StudyTime = ds.ReferringPhysicianName = ""
        ds.PositionReferenceIndicator = ""
        ds.Modality = "CT"
        ds.InstanceNumber = z + 1
        ds.Rows, ds.Columns = grid.shape[1:]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.ImagePositionPatient = [float(v) for v in grid.to_lps([z, 0, 0])]
        ds.PixelSpacing = [float(grid.spacing_mm[1]), float(grid.spacing_mm[2])]
        ds.SliceThickness = float(grid.spacing_mm[0])
        source.append(ds)
    names = {21: "L2", 20: "vertebra L1", 19: "T12", 18: "T11", 60: "thecal sac", 61: "canal outside the sac"}
    masks = np.stack([built.labels == i for i in names], axis=-1).astype(np.uint8)
    described = [
        hd.seg.SegmentDescription(
            segment_number=k + 1,
            segment_label=name,
            segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=codes.SCT.Bone,
            algorithm_type=hd.seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for k, name in enumerate(names.values())
    ]
    hd.seg.Segmentation(
        source_images=source,
        pixel_array=masks,
        segmentation_type=hd.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=generate_uid(),
        series_number=2,
        sop_instance_uid=generate_uid(),
        instance_number=1,
        manufacturer="test",
        manufacturer_model_name="test",
        software_versions="1",
        device_serial_number="1",
    ).save_as(path)
    return path


def test_a_level_pin_renumbers_vertebrae_and_discs(built: LabelSpine, tmp_path: Path) -> None:
    path = save_nifti(tmp_path / "l.nii.gz", built.labels, built.volume.grid)
    z = built.centres[2][2]
    spine = find_spine(built.volume, anatomy=str(path), level=f"L1@{z}")
    assert levels(spine) == ["L3", "L2", "L1", "T12"]
    before = Given(path).find(built.volume)
    assert np.array_equal(spine.labels == 22, before.labels == 21)
    assert np.array_equal(spine.labels == 120, before.labels == 119)
    assert "level_pinned" in [q.code for q in spine.quality]


def test_a_level_pin_where_no_vertebra_is_found_is_refused(built: LabelSpine, tmp_path: Path) -> None:
    spine = Given(save_nifti(tmp_path / "l.nii.gz", built.labels, built.volume.grid)).find(built.volume)
    with pytest.raises(InputError, match="No vertebral body"):
        pin_level(spine, "T12", 4000.0)


@pytest.mark.parametrize("text", ["T12", "T12@", "@3", "T19@3", "T12@abc", "L7@1", "sacrum@3", "T12@1@2"])
def test_nonsense_levels_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="not of the form"):
        parse_level(text)


def test_levels_are_read_with_signs_and_decimals() -> None:
    assert parse_level("T12@-700.5") == ("T12", -700.5)
    assert parse_level("l1@12") == ("L1", 12.0)


def test_an_unknown_backend_that_is_no_file_is_refused(built: LabelSpine) -> None:
    with pytest.raises(InputError, match="neither a backend"):
        find_spine(built.volume, anatomy="/nowhere/at/all.nii.gz")


def test_bodies_without_arches_take_the_canal_from_the_scan(
    monkeypatch: pytest.MonkeyPatch, built: LabelSpine, tmp_path: Path
) -> None:
    line = np.stack([[0.0, 0.0, z] for z in np.linspace(-12, 130, 60)])
    seen = CanalFrame.through(line)
    monkeypatch.setattr("thecal.anatomy.canal.find_course", lambda _: (seen, None, None))
    y = built.volume.grid.to_lps([[0, j, 0] for j in range(built.labels.shape[1])])[:, 1]
    bodies = np.where((built.labels < 60) & (y < -8)[:, None], built.labels, 0).astype(np.uint16)
    path = save_nifti(tmp_path / "bodies.nii.gz", bodies, built.volume.grid)
    spine = Given(path).find(built.volume)
    found = spine.grid.to_lps(np.argwhere(spine.canal_mask()))
    assert np.abs(found[:, 0].mean()) < 1.5
    assert found[:, 2].min() > -5
    assert levels(spine) == ["L2", "L1", "T12", "T11"]


def _no_course(_: Volume) -> None:
    raise SpineNotFound("no canal in the scan")


def test_an_empty_ring_of_labels_is_no_spine(
    monkeypatch: pytest.MonkeyPatch, built: LabelSpine, tmp_path: Path
) -> None:
    bodies = np.where(built.labels == 20, 20, 0).astype(np.uint16)
    y = built.volume.grid.to_lps([[0, j, 0] for j in range(bodies.shape[1])])[:, 1]
    bodies[:, y > -10] = 0
    path = save_nifti(tmp_path / "bodies.nii.gz", bodies, built.volume.grid)
    monkeypatch.setattr("thecal.anatomy.canal.find_course", _no_course)
    blank = Volume.from_array(np.full_like(built.volume.hu, 40), built.volume.grid)
    with pytest.raises(SpineNotFound, match="no spinal canal"):
        Given(path).find(blank)


def test_a_volume_of_array_and_labels_touching_its_edge_are_incomplete(
    built: LabelSpine, tmp_path: Path
) -> None:
    keep = (slice(12, built.volume.hu.shape[0]), *(slice(0, n) for n in built.volume.hu.shape[1:]))
    cut = Volume.from_array(built.volume.hu[keep], built.volume.grid.crop(keep))
    spine = Given(save_nifti(tmp_path / "l.nii.gz", built.labels[keep], cut.grid)).find(cut)
    assert not spine.vertebrae[0].complete
    assert all(v.complete for v in spine.vertebrae[1:])
