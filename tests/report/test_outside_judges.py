"""What goes to the archive, before judges that share no code with its writer: dciodvfy, dcsrdump, dcmqi."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import nrrd
import numpy as np
import pytest
from archived import nifti_centroids, place_of

from thecal.report.archive_pictures import write_key_images, write_pdf_document
from thecal.report.axial import axial_picture
from thecal.report.dicom_outputs import write_dicom_outputs

# dciodvfy knows no private scheme by name, and cannot.
PRIVATE = "Unrecognized defined term <99THECAL> for value 1 of attribute <Coding Scheme Designator>"
# Of a scan that states no patient.
NO_PATIENT = "needed to build DICOMDIR"
# It does not count label map segmentations (2024) among those whose segments a report may name.
NO_LABEL_MAPS = "Shall not be present for Referenced SOP Class that is not segmentation"


def ask(judge: str, *words: str | Path) -> str:
    """Everything that a judge says; skips where it does not run on this machine."""
    program = Path(sys.executable).parent / judge
    if not program.exists():
        pytest.skip(f"{judge} is not installed here")
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def complaints(path: Path, *but: str) -> list[str]:
    lines = ask("dciodvfy", path).splitlines()
    return [
        line
        for line in lines
        if line.startswith(("Error", "Warning")) and not any(known in line for known in (PRIVATE, *but))
    ]


@pytest.mark.parametrize("layout", ["axial", "oblique", "tilted", "one slice lost", "multi-frame"])
def test_dciodvfy_finds_no_error_and_nothing_to_warn_of(shelf, layout):
    _, folder = shelf[layout]
    absent = (NO_PATIENT,) if layout == "multi-frame" else ()
    assert complaints(folder / "segmentation.dcm", *absent) == []
    assert complaints(folder / "report.dcm", *absent) == []


@pytest.mark.parametrize("layout", ["axial", "multi-frame"])
def test_dciodvfy_finds_no_error_in_key_images_and_document(shelf, tmp_path, layout):
    case, _ = shelf[layout]
    write_key_images(tmp_path, case.volume, {"axial": axial_picture(case.volume, case.spine, case.leakage)})
    absent = (NO_PATIENT,) if layout == "multi-frame" else ()
    for identified in (False, True):
        write_pdf_document(tmp_path, case.volume, b"%PDF-1.4 odd", identified=identified)
        for name in ("key_image_axial.dcm", "report_pdf.dcm"):
            assert complaints(tmp_path / name, *absent) == []


@pytest.mark.parametrize("options", [{"form": "labelmap"}, {"whole_frames": True}], ids=str)
def test_dciodvfy_finds_no_error_in_the_other_forms(shelf, tmp_path, options):
    case, _ = shelf["axial"]
    write_dicom_outputs(tmp_path, case.volume, case.spine, case.leakage, shelf.report, **options)
    assert complaints(tmp_path / "segmentation.dcm") == []
    assert complaints(tmp_path / "report.dcm", NO_LABEL_MAPS) == []


@pytest.mark.parametrize(
    "layout",
    [
        *("oblique", "oblique and flipped", "tilted", "tilted and flipped", "sagittal", "coronal"),
        *("feet first", "multi-frame"),
    ],
)
def test_dcmqi_puts_every_segment_where_the_label_map_has_it(shelf, tmp_path, layout):
    case, folder = shelf[layout]
    ask(
        "segimage2itkimage",
        *("--inputDICOM", folder / "segmentation.dcm", "--outputDirectory", tmp_path, "-t", "nrrd"),
    )
    truth = nifti_centroids(case, tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text(encoding="utf-8"))
    segments = [segment for group in meta["segmentAttributes"] for segment in group]
    assert len(segments) == 11
    for segment in segments:
        voxels, header = nrrd.read(str(tmp_path / f"{segment['labelID']}.nrrd"))
        index = np.argwhere(voxels > 0).mean(0)
        at = header["space origin"] + index @ header["space directions"]
        apart = np.linalg.norm(at - truth[place_of(segment["TrackingIdentifier"])])
        assert apart < case.volume.grid.spacing_mm.max() / 2


def test_dcmqi_reads_the_measurements_of_each_deposit(shelf, tmp_path):
    _, folder = shelf["axial"]
    ask("tid1500reader", "--inputDICOM", folder / "report.dcm", "--outputMetadata", tmp_path / "sr.json")
    groups = json.loads((tmp_path / "sr.json").read_text(encoding="utf-8"))["Measurements"]
    by_name = {group["TrackingIdentifier"]: group for group in groups}
    for deposit in shelf.report.deposits:
        group = by_name[f"thecal-deposit-{deposit.id}"]
        assert group["ReferencedSegment"] == deposit.id
        volumes = [
            float(m["value"])
            for m in group["measurementItems"]
            if m["quantity"]["CodeValue"] == "118565006" and "derivationModifier" not in m
        ]
        assert volumes == [pytest.approx(deposit.volume_ml)]


def test_dcsrdump_prints_the_tree_with_its_templates(shelf):
    _, folder = shelf["axial"]
    said = ask("dcsrdump", folder / "report.dcm")
    assert '(126000,DCM,"Imaging Measurement Report")' in said
    assert said.count("(DCMR,1411)") == 4 + 5 + 1
    assert '(DURA_FINDING,99THECAL,"Cement inside the dura")' in said
