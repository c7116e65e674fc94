"""The founding paper's patient out of an archive, assessed, back into it, and again after her revision."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pydicom
import pytest
from orthanc import Orthanc, why_absent

from thecal.cli import run
from thecal.phantom.founding import founding_case, revised_founding_case
from thecal.phantom.write import write_scan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ACCESSIONS = ("2024-1", "2024-2")
TREATED, MID_BODY_MM = "T12", 14.0


class Course:
    """Both scans through the archive, as ``thecal`` commands; what each left behind."""

    def __init__(self, folder: Path, archive: Orthanc) -> None:
        self.folder, self.archive = folder, archive
        case = founding_case()
        self.truth = revised_founding_case()
        treated = next(v for v in case.spine.vertebrae if v.level == TREATED)
        self.level = f"{TREATED}@{treated.frame.to_lps([0.0, MID_BODY_MM, 0.0])[2]:.1f}"
        for volume, number in zip((case.volume, self.truth.after), ACCESSIONS, strict=True):
            scan = write_scan(volume, folder / f"scanner-{number}", "dicom")
            for path in scan.glob("*.dcm"):
                image = pydicom.dcmread(path)
                image.AccessionNumber = number
                image.save_as(path)
            self.do("push", scan, archive.web)
            self.do("pull", archive.web, "--accession", number, "--out", folder / number)
        self.do("assess", folder / ACCESSIONS[0], "--level", self.level, "--pdf", "--out", folder / "report")
        self.do("push", folder / "report", archive.dimse)
        both = [folder / number for number in ACCESSIONS]
        self.do("compare", *both, "--level", self.level, "--out", folder / "compared")
        self.report = self.read("report/report.json")
        self.compared = self.read("compared/compare.json")

    def do(self, *words: object) -> None:
        assert run([str(word) for word in words]) == 0

    def read(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    folder = tmp_path_factory.mktemp("course")
    archive = Orthanc(folder / "orthanc").start()
    try:
        made = Course(folder, archive)
        made.held = Counter(archive.instances().values())
    finally:
        archive.stop()
    return made


def test_segmentation_report_key_images_and_page_lie_in_the_archive_beside_the_images(course: Course) -> None:
    images = sum(len(list((course.folder / f"scanner-{n}" / "dicom").glob("*.dcm"))) for n in ACCESSIONS)
    # Key images: axial, along the canal, through the bones, and the signs.
    assert course.held == {"CT": images, "SEG": 1, "SR": 1, "OT": 5, "DOC": 1}


def test_cement_is_found_inside_and_outside_the_sac_at_the_treated_level(course: Course) -> None:
    found = {(d["compartment"], d["level"]) for d in course.report["deposits"]}
    assert {("intradural", "T12"), ("intradural", "L1")} <= found
    assert "epidural" in {compartment for compartment, _ in found}
    assert course.report["canal"]["max_occlusion"]["level"] == "T12"


def test_the_signs_of_the_paper_are_read_and_stand_on_the_page(course: Course) -> None:
    state = {sign["name"]: sign["state"] for sign in course.report["intradural"]["signs"]}
    # Her ways hold no cement, and run in part through the canal: one is found by its ends in arch and body.
    assert {state[name] for name in ("medial_puncture", "layering", "multilevel_spread")} == {"present"}
    page = (course.folder / "report" / "report.html").read_text(encoding="utf-8")
    for name in state:
        assert name.replace("_", " ") in page
    drawn = pydicom.dcmread(course.folder / "report" / "key_image_signs.dcm").ImageComments
    assert "layering" in drawn
    assert "multilevel spread" in drawn or "spread over" in drawn


def test_the_plan_opens_t12_and_discusses_a_fixation_from_t11_to_l1(course: Course) -> None:
    plan = course.report["revision"]
    assert "T12" in plan["levels"]
    assert "T12" in plan["laminectomy_levels"]
    assert plan["durotomy"]["length_mm"] > 10.0
    assert plan["fixation"]["asked"]
    assert {plan["fixation_levels"][0], plan["fixation_levels"][-1]} == {"T11", "L1"}
    assert "to discuss" in plan["remarks"][0]


def test_what_was_taken_out_and_what_stayed_is_found(course: Course) -> None:
    truth, told = course.truth, {row["compartment"]: row for row in course.compared["compartments"]}
    canal = [
        k for k, compartment in enumerate(truth.compartments) if compartment in ("epidural", "intradural")
    ]
    before, after = (sum(ml[k] for k in canal) for ml in (truth.before_ml, truth.after_ml))
    removed = sum(told[c]["removed_ml"] for c in ("epidural", "intradural"))
    left = sum(told[c]["residual_ml"] for c in ("epidural", "intradural"))
    assert removed == pytest.approx(before - after, rel=0.05)
    assert left == pytest.approx(after, abs=0.06)
    assert course.compared["new_deposits"] == []
    states = {(d["compartment"], d["state"]) for d in course.compared["deposits"]}
    assert ("intradural", "gone") in states
    assert {state for compartment, state in states if compartment == "epidural"} & {"partly_removed", "left"}


def test_the_screws_put_in_since_are_neither_cement_nor_a_fracture(course: Course) -> None:
    told = {row["compartment"]: row for row in course.compared["compartments"]}
    assert abs(told["intravertebral"]["removed_ml"]) < 0.05 * told["intravertebral"]["before_ml"]
    assert not any(v["fractured_since"] for v in course.compared["vertebrae"])


def test_cement_inside_the_dura_is_probable(course: Course) -> None:
    assert course.report["intradural"]["finding"] == "probable"
