"""``thecal listen`` as it runs: its own process, a sender over the network, an archive, and a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from orthanc import Orthanc, free_port
from pynetdicom import AE
from results import FILES, STUDY, calls, result_uids, stages
from scans import trunk, write_series

from thecal.cli import run
from thecal.cli.listen import assess_study
from thecal.dicom.network.inbox import Inbox
from thecal.dicom.network.listener import Listener, Plan

HERE = Path(__file__).parent
WITHIN_S = 60.0


class Listening:
    """A listener in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.box, self.home = folder / "box", folder / "home"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"dicom://127.0.0.1:{self.port}/THECAL"

    def start(self, *words: str, real: bool = False) -> Listening:
        program = [str(HERE / "listen_with_stand_in.py"), str(self.home)]
        if real:
            program = ["-c", "from thecal.cli import main; main()", "listen"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, "--dir", str(self.box), "--port", str(self.port), *words],
                stderr=log,
                stdout=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parent)])},
            )
        self.wait_for(lambda: self.log().count("listening as") == self.log().count("|start|") + 1)
        with (self.folder / "log").open("a") as log:
            log.write("|start|\n")
        return self

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text() if path.exists() else ""

    def wait_for(self, there: Callable[[], object]) -> None:
        until = time.monotonic() + WITHIN_S
        while not there():
            assert time.monotonic() < until, self.log()
            assert self.process is None or self.process.poll() is None, self.log()
            time.sleep(0.02)

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        status = self.process.wait(timeout=WITHIN_S)
        self.process = None
        return status


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Listening]:
    made = Listening(tmp_path / "listener")
    made.folder.mkdir()
    yield made
    if made.process is not None:
        made.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_series(tmp_path_factory.mktemp("images"), trunk((6, 16, 16)), StudyInstanceUID=STUDY)


def send(
    address: str, images: list[Path], *, title: str = "SCANNER", called: str = "THECAL"
) -> list[int | None]:
    """Send images one by one; the status of each, None where the listener was gone."""
    port = int(address.split(":")[2].split("/")[0])
    entity = AE(title)
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.2")
    link = entity.associate("127.0.0.1", port, ae_title=called)
    if not link.is_established:
        return []
    statuses = []
    for image in images:
        answer = link.send_c_store(image) if link.is_established else {}
        statuses.append(answer.Status if "Status" in answer else None)
    if link.is_established:
        link.release()
    return statuses


def test_killed_while_images_come_it_has_kept_what_it_said(
    listening: Listening, orthanc: Orthanc, images: list[Path]
) -> None:
    words = ("--quiet", "0.5", "--push", orthanc.web)
    listening.start("--quiet", "3600", "--push", orthanc.web)
    assert send(listening.address, images[:4]) == [0] * 4
    listening.end(signal.SIGKILL)
    assert len(list(listening.box.glob("studies/*/images/*.dcm"))) == 4
    listening.start("--quiet", "3600", "--push", orthanc.web)
    assert send(listening.address, images) == [0] * len(images)
    listening.end(signal.SIGKILL)
    listening.start(*words)
    listening.wait_for(lambda: stages(listening.box) == ["pushed"])
    assert set(orthanc.instances()) == result_uids(6)
    assert calls(listening.home) == [6]
    assert listening.end(signal.SIGTERM) == 0
    listening.start(*words)
    time.sleep(1.0)
    assert calls(listening.home) == [6], "nothing is done again"
    assert STUDY not in listening.log()
    assert "Doe" not in listening.log()


def test_killed_in_the_middle_of_an_assessment_it_begins_again_and_the_first_one_ends(
    listening: Listening, orthanc: Orthanc, images: list[Path]
) -> None:
    listening.start("--quiet", "0.1", "--push", orthanc.dimse)
    (listening.home / "sleep").write_text("30")
    send(listening.address, images)
    listening.wait_for(lambda: calls(listening.home) == [6])
    listening.end(signal.SIGKILL)
    (listening.home / "sleep").unlink()
    listening.start("--quiet", "0.1", "--push", orthanc.dimse)
    listening.wait_for(lambda: stages(listening.box) == ["pushed"])
    assert calls(listening.home) == [6, 6]
    assert set(orthanc.instances()) == result_uids(6)
    assert sorted(p.name for p in listening.box.iterdir()) == ["incoming", "lock", "studies", "work"]
    assert list((listening.box / "work").iterdir()) == []


def test_only_ct_images_are_taken(
    listening: Listening, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listening.start("--quiet", "3600")
    results = listening.home / "results"
    assert sorted(p.name for p in results.iterdir()) == sorted(FILES)
    assert run(["push", str(results), listening.address]) == 2
    assert "takes none of what was proposed" in capsys.readouterr().err
    assert list((listening.box / "studies").iterdir()) == []


def test_only_known_senders_and_its_own_name_are_let_in(listening: Listening, images: list[Path]) -> None:
    listening.start("--quiet", "3600", "--from", "SCANNER", "--from", "PACS")
    assert send(listening.address, images[:1], title="STRANGER") == []
    assert send(listening.address, images[:1], called="OTHER") == []
    assert send(listening.address, images[:1], title="PACS") == [0]


def test_the_real_command_sets_aside_what_is_no_spine_and_dies_with_its_children(
    listening: Listening, images: list[Path]
) -> None:
    listening.start("--quiet", "0.1", real=True)
    send(listening.address, images)
    listening.wait_for(lambda: "assessing 6 images" in listening.log())
    children = Path(f"/proc/{listening.process.pid}/task/{listening.process.pid}/children")
    found: list[str] = []
    listening.wait_for(lambda: found.extend(children.read_text().split()) or found)
    listening.end(signal.SIGKILL)
    listening.process = None
    listening.wait_for(lambda: not any(_lives(int(child)) for child in found))
    listening.start("--quiet", "0.1", real=True)
    listening.wait_for(lambda: stages(listening.box) == ["set aside"])
    assert "No spinal canal was found" in listening.log()
    assert list(listening.box.glob("studies/*/results/*/report.html"))
    assert listening.end(signal.SIGTERM) == 0


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--quiet", "-1"], "--quiet"),
        (["--port", "70000"], "--port"),
        (["--from", "a-title-much-too-long"], "no AE title"),
        (["--push", "pacs"], "no address"),
        (["--anatomy", "nosuch"], "neither a backend"),
        (["--intradural-prior", "1.5"], "no probability between 0 and 1"),
    ],
)
def test_options_that_cannot_be_used(
    tmp_path: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["listen", "--dir", str(tmp_path / "box"), *words]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "box").exists()


def test_the_options_of_an_assessment_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[Plan] = []

    class Kept(Listener):
        def __init__(self, inbox: Inbox, plan: Plan) -> None:
            super().__init__(inbox, plan)
            planned.append(plan)
            self.stopping.set()

    monkeypatch.setattr("thecal.dicom.network.listener.Listener", Kept)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    words = ["--intradural-prior", "0.02", "--seg", "labelmap", "--whole-frames", "--identified"]
    assert run(["listen", "--dir", str(tmp_path / "box"), "--port", "0", *words]) == 0
    command = planned[0].assess(tmp_path / "images", tmp_path / "report")
    asked: list[list[str]] = []
    monkeypatch.setattr("thecal.cli.run", lambda words: asked.append(words) or 0)
    with pytest.raises(SystemExit):
        assess_study(list(command[command.index("thecal.cli.listen:assess_study") + 1 :]))
    assert asked[0][:4] == ["assess", str(tmp_path / "images"), "--out", str(tmp_path / "report")]
    assert "--intradural-prior=0.02" in asked[0]
    assert asked[0][asked[0].index("--seg") + 1] == "labelmap"
    assert {"--whole-frames", "--identified"} <= set(asked[0])
    assert "--pdf" not in asked[0]


@pytest.mark.slow
def test_a_leak_that_is_sent_comes_back_as_segmentation_report_key_images_and_document(
    listening: Listening, orthanc: Orthanc, tmp_path: Path
) -> None:
    made = [
        "--levels",
        "T12-L1",
        "--fov",
        "110",
        "--spacing",
        "1.0,1.0,1.5",
        "--leak",
        "epidural@T12:0.3ml:left",
    ]
    assert run(["phantom", "make", "--out", str(tmp_path / "patient"), *made]) == 0
    listening.start("--quiet", "1", "--push", orthanc.web, "--pdf", real=True)
    assert run(["push", str(tmp_path / "patient" / "dicom"), listening.address]) == 0
    listening.wait_for(lambda: stages(listening.box) == ["pushed"])
    assert sorted(orthanc.instances().values()) == ["DOC", *["OT"] * 4, "SEG", "SR"]
    (result,) = listening.box.glob("studies/*/results/*")
    assert {"report.json", "report.html", "report.pdf", "segmentation.dcm", "report.dcm"} <= {
        p.name for p in result.iterdir()
    }
