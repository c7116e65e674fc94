"""A study goes into an archive and comes out of it as it was, by either protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from orthanc import OUR_AET, Orthanc
from scans import trunk, write_series

from thecal.cli import run
from thecal.dicom import read
from thecal.dicom.encapsulated_pdf import make_encapsulated_pdf
from thecal.dicom.originals import originals_of
from thecal.dicom.secondary_capture import Capture, make_captures

WAYS = ("web", "dimse")


def images(folder: Path) -> dict[str, pydicom.Dataset]:
    return {str(d.SOPInstanceUID): d for d in map(pydicom.dcmread, sorted(folder.rglob("*.dcm")))}


def pulled(orthanc: Orthanc, way: str, out: Path, *more: str) -> int:
    return run(["pull", getattr(orthanc, way), "--out", str(out), *more])


@pytest.mark.parametrize("there", WAYS)
@pytest.mark.parametrize("back", [*WAYS, "move"])
def test_a_study_comes_out_of_the_archive_as_it_went_in(
    orthanc: Orthanc, scan: Path, tmp_path: Path, there: str, back: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["push", str(scan), getattr(orthanc, there)]) == 0
    assert capsys.readouterr().out.startswith("8 files pushed")
    more = ["--move-port", str(orthanc.move_port)] if back == "move" else []
    way = "dimse" if back == "move" else back
    assert pulled(orthanc, way, tmp_path / "ct", "--accession", "A77", *more) == 0
    sent, got = images(scan), images(tmp_path / "ct")
    assert set(sent) == set(got)
    for uid, image in sent.items():
        assert np.array_equal(image.pixel_array, got[uid].pixel_array)
        assert {e.tag: e.value for e in image} == {e.tag: e.value for e in got[uid]}
    assert len(orthanc.rest("instances")) == len(sent)


@pytest.mark.parametrize("way", WAYS)
def test_pushing_again_changes_nothing(orthanc: Orthanc, scan: Path, way: str) -> None:
    for _ in range(2):
        assert run(["push", str(scan), getattr(orthanc, way)]) == 0
    assert set(orthanc.instances()) == set(images(scan))


@pytest.mark.parametrize("way", WAYS)
def test_one_series_of_a_study_can_be_had_alone(
    orthanc: Orthanc, scan: Path, tmp_path: Path, way: str
) -> None:
    write_series(tmp_path / "other", trunk((3, 20, 24)), uid="1.2.3.4.5")
    run(["push", str(scan), orthanc.web])
    run(["push", str(tmp_path / "other"), orthanc.web])
    study = next(iter(images(scan).values())).StudyInstanceUID
    assert pulled(orthanc, way, tmp_path / "out", "--study", study, "--series", "1.2.3.4.5") == 0
    assert set(images(tmp_path / "out")) == set(images(tmp_path / "other"))
    assert len([p for p in (tmp_path / "out").iterdir() if p.is_dir()]) == 1


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.90"])
def test_images_keep_their_compression(orthanc: Orthanc, tmp_path: Path, way: str, syntax: str) -> None:
    def packed(dataset: pydicom.Dataset, k: int) -> None:
        if syntax == "1.2.840.10008.1.2":
            dataset.file_meta.TransferSyntaxUID = syntax
        elif syntax.endswith("5"):
            dataset.compress(syntax, generate_instance_uid=False)
        else:
            from pydicom.uid import JPEG2000Lossless

            dataset.compress(JPEG2000Lossless, generate_instance_uid=False)

    write_series(tmp_path / "ct", trunk((3, 64, 64)), edit=packed)
    assert run(["push", str(tmp_path / "ct"), getattr(orthanc, way)]) == 0
    sent = images(tmp_path / "ct")
    study = next(iter(sent.values())).StudyInstanceUID
    assert pulled(orthanc, way, tmp_path / "out", "--study", study) == 0
    got = images(tmp_path / "out")
    assert set(got) == set(sent)
    for uid, image in sent.items():
        assert np.array_equal(image.pixel_array, got[uid].pixel_array)
        if syntax != "1.2.840.10008.1.2":
            assert got[uid].file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize("way", WAYS)
def test_key_images_and_document_go_in_and_come_out_and_the_ct_is_still_what_is_read(
    orthanc: Orthanc, scan: Path, tmp_path: Path, way: str
) -> None:
    originals = originals_of(read(scan).source)
    picture = np.full((40, 30, 3), 200, np.uint8)
    made = [
        *make_captures([Capture("axial", picture, "A cut.")], originals, version="1"),
        make_encapsulated_pdf(b"%PDF-1.4", "A page", originals, version="1", identified=False),
    ]
    (tmp_path / "report").mkdir()
    for number, data in enumerate(made):
        data.save_as(tmp_path / "report" / f"{number}.dcm", enforce_file_format=True)
    assert run(["push", str(scan), getattr(orthanc, way)]) == 0
    assert run(["push", str(tmp_path / "report"), getattr(orthanc, way)]) == 0
    assert sorted(orthanc.instances().values()) == ["CT"] * 8 + ["DOC", "OT"]
    assert pulled(orthanc, way, tmp_path / "out", "--accession", "A77") == 0
    got = images(tmp_path / "out")
    assert len(got) == 10
    assert np.array_equal(got[made[0].SOPInstanceUID].pixel_array, picture)
    assert bytes(got[made[1].SOPInstanceUID].EncapsulatedDocument).startswith(b"%PDF-1.4")
    assert read(tmp_path / "out").source.series_uid == originals.source.series_uid


def test_names_on_disk_hold_no_uid(orthanc: Orthanc, scan: Path, tmp_path: Path) -> None:
    run(["push", str(scan), orthanc.web])
    pulled(orthanc, "web", tmp_path / "out", "--accession", "A77")
    names = " ".join(str(p.relative_to(tmp_path)) for p in (tmp_path / "out").rglob("*"))
    for image in images(scan).values():
        for uid in (image.SOPInstanceUID, image.SeriesInstanceUID, image.StudyInstanceUID):
            assert uid not in names


def test_our_title_for_the_move_is_the_one_the_archive_knows(
    orthanc: Orthanc, scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["push", str(scan), orthanc.web])
    port = str(orthanc.move_port)
    capsys.readouterr()
    words = ["--accession", "A77", "--move-port", port, "--aet", "NOBODY"]
    assert pulled(orthanc, "dimse", tmp_path / "out", *words) == 2
    assert "NOBODY" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    words[-1] = OUR_AET
    assert pulled(orthanc, "dimse", tmp_path / "out", *words) == 0
