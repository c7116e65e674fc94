"""SEG and SR say in the archive what the label maps and report.json say in the folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from archived import LAYOUTS, as_read, nifti_centroids, place_of

from thecal.report.dicom_outputs import write_dicom_outputs


@pytest.fixture(scope="module")
def report(shelf):
    return shelf.report


@pytest.fixture(scope="module")
def axial(shelf):
    return shelf["axial"][0]


def put(case, report, folder: Path, **options):
    folder.mkdir(exist_ok=True)
    write_dicom_outputs(folder, case.volume, case.spine, case.leakage, report, **options)
    return pydicom.dcmread(folder / "segmentation.dcm"), pydicom.dcmread(folder / "report.dcm")


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


@pytest.mark.parametrize("layout", [*LAYOUTS, "multi-frame"])
def test_every_segment_lies_where_the_label_map_has_it(shelf, layout):
    case, folder = shelf[layout]
    truth = nifti_centroids(case, folder)
    found = centroids(pydicom.dcmread(folder / "segmentation.dcm"))
    assert {"thecal-deposit-1", "thecal-deposit-4", "thecal-vertebra-19", "thecal-canal"} <= set(found)
    half = case.volume.grid.spacing_mm.max() / 2
    for name, at in found.items():
        assert np.linalg.norm(at - truth[place_of(name)]) < half, name


@pytest.mark.parametrize("layout", ["axial", "oblique", "tilted", "one slice lost"])
def test_every_frame_lies_on_the_plane_of_the_image_it_names(shelf, layout):
    _, folder = shelf[layout]
    images = {str(i.SOPInstanceUID): i for i in map(pydicom.dcmread, (folder / "ct").iterdir())}
    for frame in pydicom.dcmread(folder / "segmentation.dcm").PerFrameFunctionalGroupsSequence:
        item = frame.DerivationImageSequence[0].SourceImageSequence[0]
        image = images[item.ReferencedSOPInstanceUID]
        turned = np.array(image.ImageOrientationPatient, float)
        apart = corner(frame) - np.array(image.ImagePositionPatient, float)
        assert abs(apart @ np.cross(turned[:3], turned[3:])) < 1e-3
        # Right-angled stacks keep to the images' pixels, too.
        for axis, spacing in ((turned[:3], image.PixelSpacing[1]), (turned[3:], image.PixelSpacing[0])):
            pixels = apart @ axis / float(spacing)
            assert layout == "tilted" or pixels == pytest.approx(round(pixels), abs=1e-3)


def corner(frame) -> np.ndarray:
    return np.array(frame.PlanePositionSequence[0].ImagePositionPatient, float)


def test_frames_of_a_tilted_stack_stand_straight_over_each_other(shelf):
    _, folder = shelf["tilted"]
    seg = pydicom.dcmread(folder / "segmentation.dcm")
    turned = seg.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient
    frames = seg.PerFrameFunctionalGroupsSequence
    for axis in (turned[:3], turned[3:]):
        along = [corner(frame) @ np.array(axis, float) for frame in frames]
        assert np.ptp(along) < 1e-3


def test_whole_frames_of_a_tilted_stack_are_pixels_of_the_images(shelf, report, tmp_path):
    case, folder = shelf["tilted"]
    whole, _ = put(case, report, tmp_path, whole_frames=True)
    images = {str(i.SOPInstanceUID): i for i in map(pydicom.dcmread, (folder / "ct").iterdir())}
    for frame in whole.PerFrameFunctionalGroupsSequence:
        item = frame.DerivationImageSequence[0].SourceImageSequence[0]
        named = images[item.ReferencedSOPInstanceUID]
        assert (named.Rows, named.Columns) == (whole.Rows, whole.Columns)
        assert corner(frame) == pytest.approx(np.array(named.ImagePositionPatient, float), abs=1e-3)
    truth = nifti_centroids(case, tmp_path)
    for name, at in centroids(whole).items():
        assert np.linalg.norm(at - truth[place_of(name)]) < 1.0, name


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


def test_frames_of_a_multi_frame_file_are_named_by_their_own_numbers(shelf):
    _, folder = shelf["multi-frame"]
    seg = pydicom.dcmread(folder / "segmentation.dcm")
    places = pydicom.dcmread(folder / "ct.dcm").PerFrameFunctionalGroupsSequence
    for frame in seg.PerFrameFunctionalGroupsSequence:
        item = frame.DerivationImageSequence[0].SourceImageSequence[0]
        named = places[int(item.ReferencedFrameNumber) - 1]
        assert corner(frame)[2] == pytest.approx(corner(named)[2])


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
    unread = [s.model_copy(update={"state": "not_assessable"}) for s in report.intradural.signs]
    unsaid = {"signs": unread, "finding": "not_assessable", "probability": None}
    dura = report.intradural.model_copy(update=unsaid)
    _, silent = put(axial, report.model_copy(update={"intradural": dura}), tmp_path / "silent")
    finding = next(items(silent, "DURA_FINDING")).ConceptCodeSequence[0]
    assert finding.CodeValue == "NOT_ASSESSABLE"
    assert not list(items(silent, "LAYERING"))
    signs = [s.model_copy(update={"state": "present"}) if s.name == "layering" else s for s in unread]
    said = {"finding": "probable", "probability": 0.97, "interval": (0.81, 0.99), "prior": 0.02}
    dura = report.intradural.model_copy(update={"signs": signs, **said})
    _, seen = put(axial, report.model_copy(update={"intradural": dura}), tmp_path / "seen")
    assert next(items(seen, "LAYERING")).ConceptCodeSequence[0].CodeValue == "PRESENT"
    assert next(items(seen, "DURA_FINDING")).ConceptCodeSequence[0].CodeValue == "PROBABLE"
    assert not list(items(seen, "ROOT_OUTLINES"))
    canal = groups(seen)["thecal-canal"]
    told = ("122157", "PROBABILITY_LOW", "PROBABILITY_HIGH", "PRIOR")
    assert [number(canal, name) for name in told] == [(0.97, "1"), (0.81, "1"), (0.99, "1"), (0.02, "1")]
    assert not any(list(items(silent, name)) for name in told)


def test_the_structured_report_is_a_draft_and_says_research_use(axial, report, tmp_path):
    _, sr = put(axial, report, tmp_path)
    assert (sr.VerificationFlag, sr.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    said = [item.TextValue for item in items(sr, "121106")]
    assert said[0].startswith("Research use only.")
    assert set(said[1:]) == {q.message for q in report.quality if q.severity in ("critical", "warning")}
