"""The site draws the data model itself."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

import pytest
from pages import ROOT, blocks

MODEL = ROOT / "docs" / "data-model.md"
FUNCTIONS = {
    "thecal.dicom.read": "thecal.dicom",
    "find_spine": "thecal.anatomy.find",
    "find_cement": "thecal.cement.find",
    "find_leakage": "thecal.leakage.find",
    "write_report": "thecal.report.write",
    "target_of": "thecal.fluoro.target",
    "Monitor": "thecal.fluoro.front.monitor",
}


@pytest.fixture(scope="module")
def hooks() -> ModuleType:
    found = importlib.util.spec_from_file_location("site_hooks", ROOT / "docs" / "hooks.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_data_model_opens_with_its_picture(hooks: ModuleType) -> None:
    page = hooks.on_page_markdown(MODEL.read_text(encoding="utf-8"))
    assert "```mermaid" not in page
    boxes = [page.index(f"<b>{value}</b>") for value in ("Volume", "Spine", "Cement", "Leakage", "Report")]
    assert boxes == sorted(boxes)


def test_every_arrow_of_the_data_model_is_a_function(hooks: ModuleType) -> None:
    diagrams = [block.text for block in blocks(MODEL) if block.language == "mermaid"]
    named = {by for diagram in diagrams for _, by, _ in hooks.ARROW.findall(diagram)}
    assert named == set(FUNCTIONS)
    for name, module in FUNCTIONS.items():
        assert callable(getattr(importlib.import_module(module), name.rpartition(".")[2]))


def test_a_diagram_that_is_no_chain_is_refused(hooks: ModuleType) -> None:
    with pytest.raises(ValueError, match="single chain"):
        hooks.chain("flowchart LR\n  A -->|f| B\n  C -->|g| D\n")
