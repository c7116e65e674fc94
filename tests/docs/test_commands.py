"""Every command and every Python block in the README and the documentation is executed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from orthanc import Orthanc, free_port, why_absent
from pages import PAGES, ROOT, Block, blocks
from warm_thecal import Warm

# The tutorial's patient in small: two vertebrae whole, a leak, T12 at the same kind of place.
SMALL_PATIENT = (
    "thecal phantom make --seed 1 --age 70 --levels T12-L1 --fov 90 --spacing 1.0,1.0,2.0 "
    "--fracture T12:crush --leak epidural@T12:0.3ml:left --out patient"
)
# A patient before anybody touched her; a vertebra more, for the fluoroscope sees her neighbours.
SMALL_BEFORE = (
    "thecal phantom make --seed 3 --levels T11-L1 --fov 110 --spacing 1.2,1.2,2.0 --fracture T12:crush "
    "--out before"
)
# What a page says, and what is run in its place. The left sides are checked to stand in a page.
STAND_INS = {
    # No test installs: it asks make what it would do.
    "make demo": f"make --dry-run -C {ROOT} demo",
    "make test": f"make --dry-run -C {ROOT} test",
    "make check": f"make --dry-run -C {ROOT} check",
    ".venv/bin/thecal": "thecal",
    " CT": " patient/dicom",
    # The plug-in's entry point is put beside it from the page's own pyproject.toml.
    "pip install --no-deps --editable .": 'export PYTHONPATH="$PWD"',
}
# Left out where the founding case itself is run.
SMALLER = {
    "thecal phantom founding-case --before --out before": SMALL_BEFORE,
    "thecal phantom founding-case --out patient": "test -d patient",
    "thecal phantom founding-case --revised --out patient-later": "cp -r patient patient-later",
    "T12@79.6": "T12@54.7",
}
MADE_BY_THE_PAGE = "tutorial.md"
# The page of archives talks to one, which holds the small patient under this number.
OF_ARCHIVES = "archive.md"
ACCESSION = "4711"
ARCHIVES = {
    "https://pacs.example.org/dicom-web": "{web}",
    "dicom://pacs.example.org:104/PACS": "{dimse}",
    "--move-port 11113": "--move-port {move_port}",
    # Listens until it is stopped.
    "thecal listen": f"{sys.executable} {Path(__file__).parent / 'until_listening.py'} thecal listen",
    "--port 11112": "--port {free_port}",
}
HALF_BODY_MM = 11.0
FIRST_ON_PATH: list[str] = []
EXECUTABLE = [page for page in PAGES if any(block.language in ("bash", "python") for block in blocks(page))]


@pytest.fixture(scope="session", autouse=True)
def warm() -> Iterator[None]:
    """``thecal`` is the warm one for every command here."""
    process = Warm()
    FIRST_ON_PATH.append(str(process.folder))
    yield
    FIRST_ON_PATH.clear()
    process.stop()


@pytest.fixture(scope="session")
def small_patient(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    _run(SMALL_PATIENT, folder, "the small patient")
    return folder / "patient"


@pytest.mark.pages
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "page", [page for page in EXECUTABLE if page.name != OF_ARCHIVES], ids=lambda page: page.name
)
def test_a_reader_can_run_every_block_of_the_page(page: Path, tmp_path: Path, small_patient: Path) -> None:
    shutil.copytree(small_patient, tmp_path / "patient")
    _run_page(page, tmp_path, STAND_INS | SMALLER)
    if page.name == MADE_BY_THE_PAGE:
        _names_the_true_level(tmp_path)


@pytest.mark.pages
@pytest.mark.timeout(600)
def test_a_reader_can_talk_to_an_archive(tmp_path: Path, small_patient: Path) -> None:
    absent = why_absent()
    if absent:
        pytest.skip(absent)
    page = next(page for page in EXECUTABLE if page.name == OF_ARCHIVES)
    shutil.copytree(small_patient, tmp_path / "patient")
    for path in (tmp_path / "patient" / "dicom").glob("*.dcm"):
        image = pydicom.dcmread(path)
        image.AccessionNumber = ACCESSION
        image.save_as(path)
    archive = Orthanc(tmp_path / "orthanc").start()
    try:
        _run(f"thecal push patient/dicom {archive.web}", tmp_path, "the archive")
        places = {
            "web": archive.web,
            "dimse": archive.dimse,
            "move_port": archive.move_port,
            "free_port": free_port(),
        }
        _run_page(page, tmp_path, STAND_INS | {said: run.format(**places) for said, run in ARCHIVES.items()})
        assert sorted(set(archive.instances().values())) == ["CT", "DOC", "OT", "SEG", "SR"]
    finally:
        archive.stop()


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_tutorial_works_on_the_founding_case_itself(tmp_path: Path) -> None:
    page = next(page for page in EXECUTABLE if page.name == MADE_BY_THE_PAGE)
    _run_page(page, tmp_path, STAND_INS)
    _names_the_true_level(tmp_path)


@pytest.mark.parametrize("said", sorted(STAND_INS | SMALLER | ARCHIVES))
def test_a_stand_in_stands_for_something_that_a_page_says(said: str) -> None:
    assert any(said in block.text for page in PAGES for block in blocks(page) if block.language == "bash")


def _names_the_true_level(folder: Path) -> None:
    """The height that the tutorial gives for T12 lies in T12."""
    truth = json.loads((folder / "patient" / "truth.json").read_text())
    found = json.loads((folder / "report-pinned" / "report.json").read_text())
    (true_z,) = [v["origin_mm"][2] for v in truth["vertebrae"] if v["level"] == "T12"]
    (called_z,) = [v["centre_mm"][2] for v in found["vertebrae"] if v["level"] == "T12"]
    assert abs(true_z - called_z) < HALF_BODY_MM


def _run_page(page: Path, folder: Path, stand_ins: dict[str, str]) -> None:
    for block in blocks(page):
        where = f"{page.name}, line {block.line}"
        if block.title:
            (folder / block.title).write_text(block.text, encoding="utf-8")
            if block.title == "pyproject.toml":
                _register(block, folder)
        elif block.language == "python":
            (folder / "block.py").write_text(block.text, encoding="utf-8")
            _run(f"{sys.executable} -W error::DeprecationWarning block.py", folder, where)
        elif block.language == "bash":
            command = block.text
            for said, run in stand_ins.items():
                command = command.replace(said, run)
            _run(command, folder, where)


def _run(command: str, folder: Path, where: str) -> None:
    path = os.pathsep.join([*FIRST_ON_PATH, str(Path(sys.executable).parent), os.environ["PATH"]])
    # So many processes start here that each must not compile the libraries anew.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{where}:\n{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def _register(block: Block, folder: Path) -> None:
    """What an installer does with the entry points of a ``pyproject.toml``."""
    project = tomllib.loads(block.text)["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
