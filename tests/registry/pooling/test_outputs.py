"""The page, the forest plot and the figures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from thecal.registry.literature.library import library
from thecal.registry.pooling.outputs import OUR_FILES, write_pool
from thecal.registry.pooling.pool import Question, pool
from thecal.terms import RESEARCH_USE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pool")
    write_pool(out, pool(library().incidence, Question(what="B")))
    return out


def test_all_files_are_written(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == sorted(OUR_FILES)
    with Image.open(folder / "forest.png") as picture:
        assert picture.width > 1000


def test_page_and_picture_say_research_only(folder: Path) -> None:
    page = (folder / "pool.html").read_text(encoding="utf-8")
    assert page.count(RESEARCH_USE) >= 3
    assert RESEARCH_USE in (folder / "forest.svg").read_text(encoding="utf-8")


def test_the_page_loads_nothing(folder: Path) -> None:
    page = (folder / "pool.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#|data:)', page)


def test_page_and_figures_agree(folder: Path) -> None:
    figures = json.loads((folder / "pool.json").read_text(encoding="utf-8"))
    page = (folder / "pool.html").read_text(encoding="utf-8")
    assert figures["schema"] == "thecal.pool/1"
    assert f"{100 * figures['pooled']['rate']:.1f} %" in page
    for study in figures["studies"]:
        assert study["name"] in page
    for warning in figures["warnings"]:
        assert warning.replace("'", "&#39;") in page
    for one in figures["left_out"]:
        assert one["reason"] in page


def test_a_single_study_has_a_page_too(tmp_path: Path) -> None:
    write_pool(tmp_path, pool(library().incidence, Question(procedure="KP")))
    page = (tmp_path / "pool.html").read_text(encoding="utf-8")
    assert "A single study is not pooled" in page
    assert json.loads((tmp_path / "pool.json").read_text())["pooled"] is None
