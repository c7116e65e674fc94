"""Archives as they are: each speaks its own DICOMweb or DIMSE; no image or result is lost unseen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pydicom
import pytest
from fakes import dimse, web
from pydicom.dataset import Dataset
from results import STUDY, stand_in
from scans import trunk, write_series

from thecal.cli import run

JSON = "application/dicom+json"


@pytest.fixture(scope="module")
def two_series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six images in two series of one study."""
    files = []
    for name, series in (("a", "1.2.3.1"), ("b", "1.2.3.2")):
        folder = tmp_path_factory.mktemp(name)
        files += write_series(
            folder,
            trunk((3, 16, 16)),
            StudyInstanceUID=STUDY,
            SeriesInstanceUID=series,
            AccessionNumber="A77",
        )
    for number, path in enumerate(files):
        data = pydicom.dcmread(path)
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.9.{number}"
        data.save_as(path)
    return files


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation and a structured report."""
    home = tmp_path_factory.mktemp("home")
    stand_in(home)
    return home / "results"


class Shelf:
    """A DICOMweb server that holds images; what it does otherwise than others is told by its attributes."""

    def __init__(self, files: list[Path]) -> None:
        self.held = [pydicom.dcmread(file) for file in files]
        self.bytes = {pydicom.dcmread(file).SOPInstanceUID: file.read_bytes() for file in files}
        self.page = 1000
        self.pages = True
        self.accepts: Callable[[str], bool] = lambda accept: True
        self.kind = 'multipart/related; type="application/dicom"; boundary=x'
        self.first = b"\r\n--x\r\n"
        self.bare = False
        self.asked: list[str] = []

    def __call__(self, method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        parts = urlsplit(path)
        self.asked.append(path)
        options = parse_qs(parts.query)
        if parts.path.endswith("/studies"):
            return self._found([self.held[0]], options)
        if parts.path.endswith("/instances"):
            return self._found(self.held, options)
        if not self.accepts(headers["Accept"]):
            return 406, "text/plain", b"no"
        series = parts.path.rsplit("/", 1)[-1]
        images = [self.bytes[d.SOPInstanceUID] for d in self.held if d.SeriesInstanceUID == series]
        if self.bare:
            return 200, "application/dicom", images[0]
        head = b"Content-Type: application/dicom\r\n\r\n"
        body = self.first + b"\r\n--x\r\n".join(head + image for image in images) + b"\r\n--x--"
        return 200, self.kind, body

    def _found(self, held: list[Dataset], options: dict[str, list[str]]) -> tuple[int, str, bytes]:
        offset = int(options.get("offset", ["0"])[0]) if self.pages else 0
        some = held[offset : offset + self.page]
        names = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "AccessionNumber")
        told = []
        for one in some:
            short = Dataset()
            for name in names:
                setattr(short, name, one[name].value)
            told.append(short.to_json_dict())
        return (200, f"{JSON}; charset=utf-8", json.dumps(told).encode()) if told else (204, "", b"")


def pulled(archive: str, out: Path) -> int:
    status = run(["pull", archive, "--accession", "A77", "--out", str(out)])
    return len(list(out.rglob("*.dcm"))) if status == 0 else -status


def test_a_study_whose_search_comes_in_pages_is_pulled_whole(two_series: list[Path], tmp_path: Path) -> None:
    shelf = Shelf(two_series)
    shelf.page = 2
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == 6


def test_a_server_that_knows_no_pages_is_not_asked_for_ever(two_series: list[Path], tmp_path: Path) -> None:
    shelf = Shelf(two_series)
    shelf.pages = False
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == 6
    assert len(shelf.asked) < 10


def test_a_server_that_refuses_a_second_page_has_said_all(two_series: list[Path], tmp_path: Path) -> None:
    shelf = Shelf(two_series)

    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        return (400, "text/plain", b"offset?") if "offset=" in path else shelf(method, path, headers)

    with web(answer) as archive:
        assert pulled(archive, tmp_path / "study") == 6


def test_a_server_that_gives_only_its_default_is_asked_for_that(
    two_series: list[Path], tmp_path: Path
) -> None:
    shelf = Shelf(two_series)
    shelf.accepts = lambda accept: "transfer-syntax" not in accept
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == 6


@pytest.mark.parametrize(
    ("kind", "first"),
    [
        ("multipart/related; boundary=x", b"--x\r\n"),
        ('Multipart/Related;boundary="x";type="application/dicom"', b"\r\n--x\r\n"),
        ("multipart/related; type=application/dicom; boundary=x", b"\r\n--x\r\n"),
    ],
)
def test_envelopes_of_many_kinds_are_opened(
    two_series: list[Path], tmp_path: Path, kind: str, first: bytes
) -> None:
    shelf = Shelf(two_series)
    shelf.kind, shelf.first = kind, first
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == 6


def test_one_image_without_an_envelope(two_series: list[Path], tmp_path: Path) -> None:
    shelf = Shelf(two_series[:1])
    shelf.bare = True
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == 1


def test_an_answer_without_a_content_type_is_said_to_be_none(
    two_series: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = Shelf(two_series)
    shelf.kind = ""
    with web(shelf) as archive:
        assert pulled(archive, tmp_path / "study") == -2
    assert "not DICOMweb" in capsys.readouterr().err
    assert not (tmp_path / "study").exists()


def failed(reason: int) -> bytes:
    item = {"00081150": {"vr": "UI", "Value": ["1.2"]}, "00081197": {"vr": "US", "Value": [reason]}}
    return json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()


XML = (
    b'<?xml version="1.0"?><NativeDicomModel><DicomAttribute tag="00081198" vr="SQ"><Item number="1">'
    b'<DicomAttribute tag="00081197" vr="US"><Value number="1">42752</Value></DicomAttribute></Item>'
    b"</DicomAttribute></NativeDicomModel>"
)


@pytest.mark.parametrize(
    ("status", "kind", "body", "said"),
    [
        (202, f"{JSON}; charset=utf-8", failed(0xA700), "no room"),
        (202, "", failed(0xA700), "no room"),
        (202, "application/dicom+xml;charset=UTF-8", XML, "no room"),
        (409, JSON, failed(0xA900), "not of the class"),
        (200, "text/html", b"<!DOCTYPE html><html>Sign in</html>", "not DICOMweb"),
        (301, "text/html", b"", "elsewhere"),
        (429, "text/plain", b"", "too busy"),
    ],
)
def test_what_was_not_stored_is_never_told_as_pushed(
    results: Path, capsys: pytest.CaptureFixture[str], status: int, kind: str, body: bytes, said: str
) -> None:
    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes, dict[str, str]]:
        if method == "GET":
            return 200, JSON, b"[]", {}
        return (
            status,
            kind,
            body,
            {"Location": "https://pacs.example.org/rs/studies"} if status == 301 else {},
        )

    with web(answer) as archive:
        assert run(["push", str(results), archive]) == 2
    assert said in capsys.readouterr().err


def test_pushing_again_is_no_fault_where_the_archive_refuses_what_it_holds(results: Path) -> None:
    held = [pydicom.dcmread(path) for path in results.glob("*.dcm")]

    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        if method == "POST":
            return 409, f"{JSON}; charset=utf-8", failed(45070)
        found = []
        for one in held:
            short = Dataset()
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
                setattr(short, name, one[name].value)
            found.append(short.to_json_dict())
        return 200, JSON, json.dumps(found).encode()

    with web(answer) as archive:
        assert run(["push", str(results), archive]) == 0


@pytest.mark.parametrize("status", [0x0000, 0x0001, 0x0107, 0x0116, 0xB000, 0xB007, 0xB605, 0x0111])
def test_stored_with_a_warning_or_there_already_is_stored(results: Path, status: int) -> None:
    with dimse(store=lambda event: status) as archive:
        assert run(["push", str(results), archive]) == 0


def test_a_peer_without_c_get_is_told_and_how_to_have_it_move(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], two_series: list[Path]
) -> None:
    found = known(two_series)
    with dimse(find=found, gets=False, store=lambda event: 0) as archive:
        assert pulled(archive, tmp_path / "study") == -2
    told = capsys.readouterr().err
    assert "does not know C-GET" in told
    assert "--move-port" in told


def test_a_peer_that_ends_with_a_warning_but_sent_all_is_believed(
    tmp_path: Path, two_series: list[Path]
) -> None:
    def get(event: Any) -> Iterator[Any]:
        series = event.identifier.SeriesInstanceUID
        images = [pydicom.dcmread(file) for file in two_series]
        mine = [image for image in images if image.SeriesInstanceUID == series]
        yield len(mine)
        for image in mine:
            yield 0xFF00, image
        yield 0xB000, None

    with dimse(find=known(two_series), get=get) as archive:
        assert pulled(archive, tmp_path / "study") == 6


def known(files: list[Path]) -> list[Dataset]:
    """What a C-FIND of each level gives for these files."""
    found = []
    for level, names in (
        ("STUDY", ("StudyInstanceUID", "AccessionNumber")),
        ("SERIES", ("StudyInstanceUID", "SeriesInstanceUID")),
        ("IMAGE", ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")),
    ):
        told = set()
        for file in files:
            image = pydicom.dcmread(file)
            key = tuple(str(image[name].value) for name in names)
            if key in told:
                continue
            told.add(key)
            one = Dataset()
            one.QueryRetrieveLevel = level
            for name, value in zip(names, key, strict=True):
                setattr(one, name, value)
            found.append(one)
    return found
