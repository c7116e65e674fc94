"""What goes wrong with an archive is told in one sentence, with status 2, and nothing is left half done."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from fakes import certificate, dimse, web
from orthanc import Orthanc, free_port, why_absent
from pydicom.dataset import Dataset
from results import FILES, stand_in

from thecal.cli import run
from thecal.dicom.network.address import Caller
from thecal.dicom.network.door import open_door
from thecal.dicom.network.tls import server_tls

SECRET = "correct-horse"


@pytest.fixture
def wrong(tmp_path: Path, scan: Path, capsys: pytest.CaptureFixture[str]):
    """Run a command that must fail; what it says."""

    def failed(*words: str) -> str:
        before = sorted(tmp_path.iterdir())
        assert run(list(words)) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert len(err.strip().splitlines()) == 1, err
        assert err.endswith(".\n")
        assert sorted(tmp_path.iterdir()) == before, "something was left behind"
        for said in ("Doe", "secret-42", SECRET, str(pydicom.dcmread(next(scan.iterdir())).StudyInstanceUID)):
            assert said not in err
        return err

    return failed


def pull(archive: str, tmp_path: Path, *more: str) -> list[str]:
    return ["pull", archive, "--accession", "A77", "--out", str(tmp_path / "out"), *more]


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}/dicom-web", "dicom://127.0.0.1:{}/PACS"])
def test_nobody_there(wrong, scan: Path, tmp_path: Path, form: str) -> None:
    archive = form.format(free_port())
    assert "does not answer" in wrong(*pull(archive, tmp_path))
    assert "does not answer" in wrong("push", str(scan), archive)


def test_a_host_that_does_not_exist(wrong, tmp_path: Path) -> None:
    assert "does not answer" in wrong(*pull("dicom://no-such-host.invalid:104/PACS", tmp_path))


@pytest.mark.parametrize(
    "archive",
    [
        *(
            "pacs",
            "ftp://pacs/x",
            "http://",
            "dicom://pacs/PACS",
            "dicom://pacs:104",
            "dicom://pacs:99999/PACS",
        ),
        "dicom://pacs:104/A-TITLE-THAT-IS-LONG",
    ],
)
def test_what_is_no_address(wrong, tmp_path: Path, archive: str) -> None:
    assert any(said in wrong(*pull(archive, tmp_path)) for said in ("no address", "no AE title"))


@pytest.mark.parametrize("archive", ["https://me:{}@pacs/dicom-web", "dicom://me:{}@pacs:104/PACS"])
def test_a_password_on_the_command_line_is_refused_and_not_repeated(
    wrong, tmp_path: Path, archive: str
) -> None:
    assert "THECAL_PASSWORD" in wrong(*pull(archive.format(SECRET), tmp_path))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Say which study"),
        (["--accession", "*"], "without wildcards"),
        (["--study", "Doe^Jane"], "--study is not a UID"),
        (["--accession", "1", "--aet", "much-too-long-for-a-title"], "no AE title"),
        (["--accession", "1", "--ca", "missing.pem"], "is not a file"),
    ],
)
def test_options_that_cannot_be_used(wrong, tmp_path: Path, words: list[str], said: str) -> None:
    assert said in wrong("pull", "dicom://127.0.0.1:1/PACS", "--out", str(tmp_path / "out"), *words)


def test_a_folder_that_holds_something_is_not_pulled_into(wrong, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    assert "is not empty" in wrong(*pull("dicom://127.0.0.1:1/PACS", tmp_path))
    assert (tmp_path / "out" / "mine").read_text() == "keep"


def test_nothing_to_push(wrong, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("{}")
    assert "no DICOM file" in wrong("push", str(tmp_path), "dicom://127.0.0.1:1/PACS")
    assert "does not exist" in wrong("push", str(tmp_path / "missing"), "dicom://127.0.0.1:1/PACS")


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_study_that_the_archive_does_not_hold(wrong, orthanc: Orthanc, tmp_path: Path, way: str) -> None:
    assert "holds no study" in wrong(*pull(getattr(orthanc, way), tmp_path))


def test_several_studies_of_one_number(wrong, orthanc: Orthanc, tmp_path: Path, scan: Path, capsys) -> None:
    for k in (1, 2):
        for path in scan.iterdir():
            ds = pydicom.dcmread(path)
            ds.StudyInstanceUID = f"1.2.3.{k}"
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ds.SOPInstanceUID[:50]}.{k}"
            ds.SeriesInstanceUID = f"1.2.3.{k}.1"
            ds.save_as(tmp_path / f"{k}-{path.name}")
    assert run(["push", str(tmp_path), orthanc.web]) == 0
    capsys.readouterr()
    assert "2 studies of the archive match" in wrong(*pull(orthanc.web, tmp_path))


def test_a_wrong_title(wrong, orthanc: Orthanc, scan: Path, tmp_path: Path) -> None:
    archive = orthanc.dimse.replace("ORTHANC", "OTHER")
    assert "it is not called OTHER" in wrong(*pull(archive, tmp_path))
    assert "it is not called OTHER" in wrong("push", str(scan), archive)


def test_an_archive_that_does_not_know_us(wrong, scan: Path) -> None:
    with dimse(callers=["FRIEND"]) as archive:
        assert "does not know us as THECAL" in wrong("push", str(scan), archive)
        assert "does not know us as STRANGER" in wrong("push", str(scan), archive, "--aet", "STRANGER")


def test_the_wrong_kind_of_port(wrong, orthanc: Orthanc, tmp_path: Path) -> None:
    told = wrong(*pull(f"dicom://127.0.0.1:{orthanc.http_port}/ORTHANC", tmp_path))
    assert "no DICOM archive" in told
    assert "does not answer" in wrong(*pull(f"http://127.0.0.1:{orthanc.dicom_port}/dicom-web", tmp_path))


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "THECAL_USER"),
        (403, "does not allow"),
        (404, "nothing at that address"),
        (500, "a fault of its own"),
    ],
)
def test_an_archive_that_says_no(wrong, scan: Path, tmp_path: Path, status: int, said: str) -> None:
    with web(lambda *_: (status, "text/plain", b"Doe^Jane secret-42")) as archive:
        assert said in wrong(*pull(archive, tmp_path))
        assert said in wrong("push", str(scan), archive)


def test_a_web_server_that_is_no_archive(wrong, scan: Path, tmp_path: Path) -> None:
    with web(lambda *_: (200, "text/html", b"<html>Welcome</html>")) as archive:
        assert "not DICOMweb" in wrong(*pull(archive, tmp_path))


@pytest.fixture
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A segmentation and a structured report."""
    home = tmp_path_factory.mktemp("home")
    stand_in(home)
    return home / "results"


def test_some_of_the_files_are_refused_by_dimse(wrong, results: Path) -> None:
    taken = []

    def store(event: Any) -> int:
        if event.request.AffectedSOPClassUID == FILES["segmentation.dcm"]:
            return 0xA700
        taken.append(event.request.AffectedSOPInstanceUID)
        return 0

    with dimse(store=store) as archive:
        told = wrong("push", str(results), archive)
    assert "took 1 of 2 files" in told
    assert "no room (status A700)" in told
    assert len(taken) == 1


def test_a_class_that_the_archive_does_not_take(wrong, results: Path) -> None:
    with dimse(store=lambda event: 0, classes=[FILES["report.dcm"]]) as archive:
        told = wrong("push", str(results), archive)
    assert "took 1 of 2 files" in told
    assert "does not take objects of this class" in told


def test_an_archive_that_takes_nothing(wrong, results: Path) -> None:
    with dimse(store=lambda event: 0, classes=[]) as archive:
        assert "takes none of what was proposed" in wrong("push", str(results), archive)


def test_an_archive_that_breaks_off(wrong, results: Path) -> None:
    def store(event: Any) -> int:
        event.assoc.abort()
        return 0

    with dimse(store=store) as archive:
        assert "broke off in the middle" in wrong("push", str(results), archive)


@pytest.mark.parametrize("status", [200, 202, 409])
def test_some_of_the_files_are_refused_by_the_web(wrong, results: Path, status: int) -> None:
    answers = iter([status, 200])

    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        if method == "GET":
            return 204, "", b""
        code = next(answers)
        failed = {"00081150": {"vr": "UI", "Value": ["1.2"]}, "00081197": {"vr": "US", "Value": [0xA700]}}
        body = {"00081198": {"vr": "SQ", "Value": [failed]}} if next_is_first.pop(0) else {}
        return code, "application/dicom+json", json.dumps(body).encode()

    next_is_first = [True, False]
    with web(answer) as archive:
        told = wrong("push", str(results), archive)
    assert "took 1 of 2 files" in told


def known_images(count: int) -> list[Dataset]:
    """What an archive says that it holds, at each level."""
    said = []
    for level in ("STUDY", "SERIES", *["IMAGE"] * count):
        one = Dataset()
        one.QueryRetrieveLevel, one.StudyInstanceUID, one.SeriesInstanceUID = level, "1.2.3", "1.2.3.4"
        if level == "STUDY":
            one.AccessionNumber = "A77"
        if level == "IMAGE":
            one.SOPInstanceUID = f"1.2.3.4.{len(said)}"
            one.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
        said.append(one)
    return said


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_an_archive_that_ignores_what_is_asked_for_gives_nobody_else_s_study(
    wrong, tmp_path: Path, way: str
) -> None:
    other = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}, "00080050": {"vr": "SH", "Value": ["B88"]}}
    body = json.dumps([other]).encode()
    (study,) = (one for one in known_images(1) if one.QueryRetrieveLevel == "STUDY")
    study.AccessionNumber = "B88"
    with (
        web(lambda *_: (200, "application/dicom+json", body)) as by_web,
        dimse(find=[study]) as by_dimse,
    ):
        archive = by_web if way == "web" else by_dimse
        assert "holds no study" in wrong(*pull(archive, tmp_path))
        assert "holds no study" in wrong("pull", archive, "--study", "1.2.4", "--out", str(tmp_path / "out"))


@pytest.mark.parametrize("told", ["5 of them fail", "only 3 are sent", "it breaks off"])
def test_a_study_that_does_not_come_whole_by_dimse_is_not_there_at_all(
    wrong, tmp_path: Path, scan: Path, told: str
) -> None:
    images = [pydicom.dcmread(path) for path in sorted(scan.iterdir())[:3]]

    def get(event: Any) -> Iterator[Any]:
        yield 8 if told == "5 of them fail" else 3
        for image in images:
            if told == "it breaks off" and image is images[1]:
                event.assoc.abort()
                return
            yield 0xFF00, image
        for _ in range(5 if told == "5 of them fail" else 0):
            yield 0xA702, None

    with dimse(find=known_images(8), get=get) as archive:
        said = wrong(*pull(archive, tmp_path))
    assert any(
        words in said for words in ("could not send", "sent 0 of the 8", "refuses the fetching", "broke off")
    )


def test_a_study_that_does_not_come_whole_by_the_web_is_not_there_at_all(
    wrong, tmp_path: Path, scan: Path
) -> None:
    one = {"0020000D": {"vr": "UI", "Value": ["1.2.3"]}, "0020000E": {"vr": "UI", "Value": ["1.2.3.4"]}}
    one["00080050"] = {"vr": "SH", "Value": ["A77"]}
    image = one | {"00080018": {"vr": "UI", "Value": ["1.2.3.4.5"]}}
    part = b"--x\r\nContent-Type: application/dicom\r\n\r\n" + next(scan.iterdir()).read_bytes() + b"\r\n"

    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        if "instances" in path:
            return 200, "application/dicom+json", json.dumps([image]).encode()
        if "series/" in path:
            return 200, 'multipart/related; type="application/dicom"; boundary=x', part
        return 200, "application/dicom+json", json.dumps([one]).encode()

    with web(answer, breaks_off=True) as archive:
        assert "broke off" in wrong(*pull(archive, tmp_path))


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate of the test, is not installed.")
    return certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, pem: Path) -> Iterator[Orthanc]:
    """An archive with a password on the web, and TLS with certificates on both sides for DIMSE.

    No HTTPS: Debian 12's Orthanc falls over at the first such connection.
    """
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    archive = Orthanc(
        tmp_path_factory.mktemp("guarded"),
        AuthenticationEnabled=True,
        RegisteredUsers={"me": SECRET},
        DicomTlsEnabled=True,
        DicomTlsCertificate=str(pem.with_suffix(".crt")),
        DicomTlsPrivateKey=str(pem.with_suffix(".key")),
        DicomTlsTrustedCertificates=str(pem.with_suffix(".crt")),
    ).start()
    yield archive
    archive.stop()


def test_a_password_from_the_environment(
    wrong, guarded: Orthanc, scan: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["push", str(scan), guarded.web]
    assert "THECAL_USER" in wrong(*words)
    monkeypatch.setenv("THECAL_USER", "me")
    assert "THECAL_PASSWORD is not set" in wrong(*words)
    monkeypatch.setenv("THECAL_PASSWORD", "wrong")
    assert "does not know these" in wrong(*words)
    monkeypatch.setenv("THECAL_PASSWORD", SECRET)
    assert run(words) == 0
    assert SECRET not in "".join(capsys.readouterr())


def test_a_password_from_a_netrc_file(
    wrong, guarded: Orthanc, scan: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    words = ["push", str(scan), guarded.web]
    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    assert "cannot be read" in wrong(*words)
    netrc.write_text(f"machine 127.0.0.1 login me passwort {SECRET}")
    assert "line 1" in wrong(*words)
    netrc.write_text(f"machine 127.0.0.1 login me password {SECRET}")
    assert run(words) == 0


def test_a_token_from_the_environment(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THECAL_TOKEN", SECRET)
    seen = []

    def answer(method: str, path: str, headers: Any) -> tuple[int, str, bytes]:
        seen.append(headers["Authorization"])
        return 200, "application/dicom+json", b"{}"

    with web(answer) as archive:
        assert run(["push", str(results), archive]) == 0
    assert set(seen) == {f"Bearer {SECRET}"}


def test_the_web_by_tls(
    wrong, results: Path, pem: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a user names wins over what the environment names.
    other = certificate(tmp_path, "other").with_suffix(".crt")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    with web(lambda *_: (200, "application/dicom+json", b"{}"), pem=pem) as archive:
        assert archive.startswith("https")
        assert "not trusted" in wrong("push", str(results), archive)
        (tmp_path / "no.pem").write_text("no certificate")
        assert "PEM" in wrong("push", str(results), archive, "--ca", str(tmp_path / "no.pem"))
        assert run(["push", str(results), archive, "--ca", str(pem.with_suffix(".crt"))]) == 0


def test_dimse_by_tls(
    wrong, guarded: Orthanc, scan: Path, pem: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "not trusted" in wrong("push", str(scan), guarded.secure)
    (tmp_path / "no.pem").write_text("no certificate")
    assert "PEM" in wrong("push", str(scan), guarded.secure, "--ca", str(tmp_path / "no.pem"))
    trusting = ["--ca", str(pem.with_suffix(".crt"))]
    assert "--cert" in wrong("push", str(scan), guarded.secure, *trusting)
    known = [*trusting, "--cert", str(pem)]
    assert run(["push", str(scan), guarded.secure, *known]) == 0
    assert run(["pull", guarded.secure, "--accession", "A77", "--out", str(tmp_path / "ct"), *known]) == 0
    capsys.readouterr()
    assert "dicoms://" in wrong("push", str(scan), guarded.dimse)


def test_a_listener_behind_tls(wrong, scan: Path, pem: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = []

    def receive(event: Any) -> int:
        taken.append(event.request.AffectedSOPInstanceUID)
        return 0

    authority = pem.with_suffix(".crt")
    secure = server_tls(Caller("THECAL", authority, pem))
    door = open_door(receive, ae_title="THECAL", host="127.0.0.1", port=0, ssl_context=secure)
    try:
        address = f"dicoms://127.0.0.1:{door.server_address[1]}/THECAL"
        assert "--cert" in wrong("push", str(scan), address, "--ca", str(authority))
        assert taken == []
        assert run(["push", str(scan), address, "--ca", str(authority), "--cert", str(pem)]) == 0
        assert len(taken) == 8
    finally:
        door.shutdown()


def test_tls_where_there_is_none(wrong, orthanc: Orthanc, scan: Path) -> None:
    assert "does not speak TLS" in wrong("push", str(scan), orthanc.secure)
