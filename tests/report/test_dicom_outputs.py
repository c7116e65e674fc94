"""SEG and SR say in the archive what the label maps and report.json say in the folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archived import archived, as_read, nifti_centroids
from scans import write_enhanced

from thecal.report.build import build_report
from thecal.report.dicom_outputs import write_dicom_outputs
from thecal.volume import Grid

OBLIQUE = np.array([[0.936, -0.290, 0.199], [0.312, 0.944, -0.093], [-0.161, 0.150, 0.975]])
OBLIQUE = np.linalg.svd(OBLIQUE)[0] @ np.linalg.svd(OBLIQUE)[2]
LAYOUTS = {
    "axial": {},
    "feet first, left right turned": {"flips": (True, False, True)},
    "oblique": {"turn": OBLIQUE},
    "oblique and flipped": {"turn": OBLIQUE, "flips": (True, True, False)},
    "gantry tilted": {"tilt": 0.7},
    "gantry tilted, flipped": {"tilt": -0.7, "flips": (True, False, False)},
    "sagittal slices": {"order": (2, 0, 1), "flips": (False, True, False)},
    "one slice lost": {"lost": (60,)},
}


@pytest.fixture(scope="module")
def report(leaking):
    return build_report(leaking.volume, leaking.spine, leaking.cement, leaking.leakage)


@pytest.fixture(scope="module")
def axial(leaking, tmp_path_factory):
    return archived(leaking, tmp_path_factory.mktemp("axial"))


def put(case, report, folder: Path, **options):
    folder.mkdir(exist_ok=True)
    write_dicom_outputs(folder, case.volume, case.spine, case.leakage, report, **options)
    return pydicom.dcmread(folder / "segmentation.dcm"), pydicom.dcmread(folder / "report.dcm")


def segment_values(number_to_id):
    """Where a segment's voxels stand in the label maps."""
    kind, _, value = number_to_id.removeprefix("thecal-").partition("-")
    return {
        "deposit": ("cement", value),
        "vertebra": ("anatomy", value),
        "sac": ("anatomy", 60),
        "canal": ("anatomy", 0),
    }[kind]


def centroids(seg) -> dict[str, np.ndarray]:
    """Centroid in LPS mm of each segment by its tracking id, from each frame's own place."""
    shared = seg.SharedFunctionalGroupsSequence[0]
    row = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient[:3], float)
    column = np.array(shared.PlaneOrientationSequence[0].ImageOrientationPatient[3:], float)
    down, across = (float(v) for v in shared.PixelMeasuresSequence[0].PixelSpacing)
    names = {int(s.SegmentNumber): str(s.TrackingID) for s in seg.SegmentSequence}
    points: dict[str, list[np.ndarray]] = {name: [] for name in names.values()}
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        at = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)
        identified = "SegmentIdentificationSequence" in frame
        for value in [1] if identified else [v for v in np.unique(pixels) if v]:
            r, c = np.nonzero(pixels == value)
            number = (
                int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber) if identified else value
            )
            points[names[int(number)]].append(at + np.outer(c * across, row) + np.outer(r * down, column))
    return {name: np.concatenate(found).mean(0) for name, found in points.items()}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_segment_lies_where_the_label_map_has_it(leaking, report, tmp_path, layout):
    case = archived(leaking, tmp_path / "ct", **LAYOUTS[layout])
    seg, _ = put(case, report, tmp_path / "out")
    truth = nifti_centroids(case, tmp_path)
    found = centroids(seg)
    assert {
        "thecal-deposit-1",
        "thecal-deposit-4",
        "thecal-vertebra-19",
        "thecal-canal",
        "thecal-sac",
    } <= set(found)
    half = case.volume.grid.spacing_mm.max() / 2
    for name, at in found.items():
        kind, value = segment_values(name)
        assert np.linalg.norm(at - truth[kind, int(value)]) < half, name


@pytest.mark.parametrize("layout", ["axial", "gantry tilted", "one slice lost"])
def test_every_frame_lies_on_the_plane_of_the_image_it_names(leaking, report, tmp_path, layout):
    case = archived(leaking, tmp_path / "ct", **LAYOUTS[layout])
    seg, _ = put(case, report, tmp_path / "out")
    images = {str(i.SOPInstanceUID): i for i in map(pydicom.dcmread, (tmp_path / "ct").iterdir())}
    for frame in seg.PerFrameFunctionalGroupsSequence:
        item = frame.DerivationImageSequence[0].SourceImageSequence[0]
        image = images[item.ReferencedSOPInstanceUID]
        turned = np.array(image.ImageOrientationPatient, float)
        normal = np.cross(turned[:3], turned[3:])
        apart = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float) - np.array(
            image.ImagePositionPatient, float
        )
        assert abs(apart @ normal) < 1e-3
        # The crop's corner is the centre of one of the image's own pixels.
        for axis, spacing in ((turned[:3], image.PixelSpacing[1]), (turned[3:], image.PixelSpacing[0])):
            pixels = apart @ axis / float(spacing)
            assert pixels == pytest.approx(round(pixels), abs=1e-3)


def test_a_vertebra_keeps_its_cement_and_the_canal_its_sac(axial, report, tmp_path):
    seg, _ = put(axial, report, tmp_path)
    counts = dict.fromkeys((int(s.SegmentNumber) for s in seg.SegmentSequence), 0)
    for frame, pixels in zip(seg.PerFrameFunctionalGroupsSequence, seg.pixel_array, strict=True):
        number = int(frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber)
        counts[number] += int(pixels.sum())
        assert pixels.any()
    by_name = {str(s.TrackingID): counts[int(s.SegmentNumber)] for s in seg.SegmentSequence}
    labels = axial.spine.labels
    assert by_name["thecal-vertebra-19"] == np.count_nonzero(labels == 19)
    assert by_name["thecal-canal"] == np.count_nonzero((labels == 60) | (labels == 61))
    assert by_name["thecal-sac"] == np.count_nonzero(labels == 60)
    assert by_name["thecal-deposit-1"] == np.count_nonzero(axial.leakage.deposit_labels == 1)
    assert seg.SegmentsOverlap == "YES"


def test_frames_are_cropped_to_the_spine_unless_a_viewer_needs_them_whole(axial, report, tmp_path):
    cropped, _ = put(axial, report, tmp_path / "cropped")
    whole, _ = put(axial, report, tmp_path / "whole", whole_frames=True)
    columns, rows, _ = axial.volume.source.images[0].plane.shape
    assert (whole.Rows, whole.Columns) == (rows, columns)
    assert cropped.Rows * cropped.Columns < rows * columns
    item = whole.PerFrameFunctionalGroupsSequence[0].DerivationImageSequence[0].SourceImageSequence[0]
    assert item.SpatialLocationsPreserved == "YES"
    for name, at in centroids(whole).items():
        assert at == pytest.approx(centroids(cropped)[name], abs=1e-6)
    assert cropped.SOPInstanceUID != whole.SOPInstanceUID


def test_a_label_map_gives_each_voxel_to_cement_before_bone_and_sac(axial, report, tmp_path):
    seg, _ = put(axial, report, tmp_path, form="labelmap")
    assert seg.SegmentationType == "LABELMAP"
    names = {str(s.TrackingID): int(s.SegmentNumber) for s in seg.SegmentSequence if s.SegmentNumber}
    count = {name: int((seg.pixel_array == number).sum()) for name, number in names.items()}
    labels, deposits = axial.spine.labels, axial.leakage.deposit_labels
    for deposit in (1, 2, 3, 4):
        assert count[f"thecal-deposit-{deposit}"] == np.count_nonzero(deposits == deposit)
    assert count["thecal-sac"] == np.count_nonzero((labels == 60) & (deposits == 0))
    assert count["thecal-canal"] == np.count_nonzero((labels == 61) & (deposits == 0))
    assert count["thecal-vertebra-19"] == np.count_nonzero((labels == 19) & (deposits == 0))


def test_frames_of_a_multi_frame_file_are_named_by_their_own_numbers(leaking, report, tmp_path):
    slices = leaking.volume.hu[::2, ::2, ::2]
    order = [*range(1, len(slices), 2), *range(0, len(slices), 2)]
    path = write_enhanced(tmp_path / "ct.dcm", slices, spacing=(2.0, 2.0, 2.0), order=order)
    affine = np.zeros((4, 4))
    affine[[2, 1, 0], [0, 1, 2]] = 2.0
    affine[:, 3] = [-20.0, -150.0, 300.0, 1.0]
    labels, deposits = leaking.spine.labels[::2, ::2, ::2], leaking.leakage.deposit_labels[::2, ::2, ::2]
    case = as_read(leaking, path, Grid(slices.shape, affine), labels, deposits)
    seg, _ = put(case, report, tmp_path / "out")
    truth = nifti_centroids(case, tmp_path)
    for name, at in centroids(seg).items():
        kind, value = segment_values(name)
        assert at == pytest.approx(truth[kind, int(value)], abs=1.0)
    places = pydicom.dcmread(path).PerFrameFunctionalGroupsSequence
    for frame in seg.PerFrameFunctionalGroupsSequence:
        item = frame.DerivationImageSequence[0].SourceImageSequence[0]
        named = places[int(item.ReferencedFrameNumber) - 1].PlanePositionSequence[0].ImagePositionPatient
        assert frame.PlanePositionSequence[0].ImagePositionPatient[2] == pytest.approx(float(named[2]))


def test_a_zip_gives_the_same_outputs_as_its_folder(axial, leaking, report, tmp_path):
    packed = tmp_path / "ct.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(axial.path.iterdir()):
            archive.write(path, f"study/{path.name}")
    zipped = as_read(leaking, packed, axial.spine.grid, axial.spine.labels, axial.leakage.deposit_labels)
    put(axial, report, tmp_path / "folder")
    put(zipped, report, tmp_path / "zip")
    for name in ("segmentation.dcm", "report.dcm"):
        assert (tmp_path / "folder" / name).read_bytes() == (tmp_path / "zip" / name).read_bytes()


def test_the_same_findings_are_the_same_bytes_and_others_another_object(axial, report, tmp_path):
    one, one_sr = put(axial, report, tmp_path / "one")
    put(axial, report, tmp_path / "two")
    for name in ("segmentation.dcm", "report.dcm"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    louder = report.model_copy(update={"canal": report.canal.model_copy(update={"cement_ml": 9.0})})
    same_seg, other_sr = put(axial, louder, tmp_path / "three")
    assert same_seg.SOPInstanceUID == one.SOPInstanceUID
    assert other_sr.SOPInstanceUID != one_sr.SOPInstanceUID


def test_patient_study_and_dates_are_those_of_the_images(axial, report, tmp_path):
    image = pydicom.dcmread(next(axial.path.iterdir()))
    for output in put(axial, report, tmp_path):
        for keyword in (
            "PatientName",
            "PatientID",
            "PatientBirthDate",
            "PatientSex",
            "StudyInstanceUID",
            "StudyDate",
            "StudyTime",
            "StudyID",
            "AccessionNumber",
            "ReferringPhysicianName",
        ):
            assert output[keyword].value == image[keyword].value, keyword
        assert output.ContentDate == "20240229"
        assert "InstanceCreationDate" not in output
        assert output.SeriesInstanceUID != image.SeriesInstanceUID
    assert pydicom.dcmread(tmp_path / "segmentation.dcm").FrameOfReferenceUID == "1.2.3.4"


def items(container, concept: str):
    """The content items of a name, at any depth."""
    for item in container.get("ContentSequence", []):
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].CodeValue == concept:
            yield item
        yield from items(item, concept)


def groups(sr) -> dict[str, pydicom.Dataset]:
    return {next(items(g, "112039")).TextValue: g for g in items(sr, "125007")}


def number(group, concept: str, derivation: str | None = None) -> tuple[float, str]:
    for item in items(group, concept):
        derived = next(items(item, "121401"), None)
        if (derived.ConceptCodeSequence[0].CodeValue if derived else None) == derivation:
            value = item.MeasuredValueSequence[0]
            unit = value.MeasurementUnitsCodeSequence[0]
            assert unit.CodingSchemeDesignator == "UCUM"
            return float(value.NumericValue), str(unit.CodeValue)
    raise AssertionError(f"{concept} is not measured")


def test_each_deposit_is_measured_as_in_the_report_and_tied_to_its_segment(axial, report, tmp_path):
    seg, sr = put(axial, report, tmp_path)
    found = groups(sr)
    names = {str(s.TrackingID): s for s in seg.SegmentSequence}
    for deposit in report.deposits:
        group = found[f"thecal-deposit-{deposit.id}"]
        assert group.ContentTemplateSequence[0].TemplateIdentifier == "1411"
        assert number(group, "118565006") == (deposit.volume_ml, "mL")
        assert number(group, "118565006", "386136009") == (deposit.volume_sd_ml, "mL")
        assert number(group, "112181") == (deposit.mean_hu, "[hnsf'U]")
        reference = next(items(group, "121191")).ReferencedSOPSequence[0]
        segment = names[f"thecal-deposit-{deposit.id}"]
        assert reference.ReferencedSOPInstanceUID == seg.SOPInstanceUID
        assert int(reference.ReferencedSegmentNumber) == int(segment.SegmentNumber)
        assert segment.TrackingUID == next(items(group, "112040")).UID
        assert deposit.compartment in segment.SegmentLabel
    t12 = found["thecal-vertebra-19"]
    assert next(items(t12, "121071")).ConceptCodeSequence[0].CodeValue == "23215003"
    assert number(t12, "HEIGHT_ANTERIOR") == (15.0, "mm")


def test_what_was_not_measured_is_left_out(axial, report, tmp_path):
    unmeasured = [v.model_copy(update={"trabecular_hu": None}) for v in report.vertebrae]
    _, sr = put(axial, report.model_copy(update={"vertebrae": unmeasured}), tmp_path)
    assert not list(items(sr, "TRABECULAR_HU"))
    assert list(items(sr, "BODY_VOLUME"))


def test_only_signs_that_were_assessed_are_findings(axial, report, tmp_path):
    _, silent = put(axial, report, tmp_path / "silent")
    finding = next(items(silent, "DURA_FINDING")).ConceptCodeSequence[0]
    assert finding.CodeValue == "NOT_ASSESSABLE"
    assert not list(items(silent, "LAYERING"))
    signs = [
        s.model_copy(update={"state": "present"}) if s.name == "layering" else s
        for s in report.intradural.signs
    ]
    dura = report.intradural.model_copy(update={"signs": signs, "finding": "probable", "probability": 0.97})
    _, seen = put(axial, report.model_copy(update={"intradural": dura}), tmp_path / "seen")
    assert next(items(seen, "LAYERING")).ConceptCodeSequence[0].CodeValue == "PRESENT"
    assert next(items(seen, "DURA_FINDING")).ConceptCodeSequence[0].CodeValue == "PROBABLE"
    assert not list(items(seen, "ROOT_OUTLINES"))


def test_the_structured_report_is_a_draft_and_says_research_use(axial, report, tmp_path):
    _, sr = put(axial, report, tmp_path)
    assert (sr.VerificationFlag, sr.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    said = [item.TextValue for item in items(sr, "121106")]
    assert said[0].startswith("Research use only.")
    assert set(said[1:]) == {q.message for q in report.quality if q.severity in ("critical", "warning")}
