"""The page on the literature shows what the commands print, and the weights that are used."""

from __future__ import annotations

import re

import pytest
from pages import ROOT, blocks

from thecal.cli import run
from thecal.registry.literature.library import library
from thecal.registry.similar.nearest import NEAR, WEIGHTS

PAGE = ROOT / "docs" / "literature.md"
TEXT = PAGE.read_text(encoding="utf-8")


def test_the_pooled_figures_on_the_page_are_those_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    shown = next(b.text for b in blocks(PAGE) if b.language == "text" and "Pooled:" in b.text)
    assert run(["literature", "pool"]) == 0
    assert shown in capsys.readouterr().out


def test_the_weights_on_the_page_are_those_in_use() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ([\d.]+) \| ", TEXT, re.MULTILINE)
    shown = {name.replace("in the canal outside", "outside"): float(weight) for name, weight in rows}
    assert shown == WEIGHTS
    assert f"up to a distance of {NEAR:g}" in TEXT


def test_every_case_and_study_in_conflict_is_named_on_the_page() -> None:
    for case in library().cases:
        assert not case.conflicts or case.name in TEXT, case.name
    for words in ("Ding 2020", "26 of 3,175", "129 leaks in 297", "Martin 2012", "1.08 %"):
        assert words in TEXT
