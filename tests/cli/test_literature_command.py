"""``thecal literature``."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from thecal.cli import EXIT_INPUT, run
from thecal.terms import RESEARCH_USE


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["literature", *words]) == 0
    return capsys.readouterr().out


def names(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    return [case["name"] for case in json.loads(said(capsys, "list", "--json", *words))]


def test_all_cases_are_listed_with_their_conflicts(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "list")
    assert text.startswith(RESEARCH_USE)
    assert "Shapiro 2003: woman of 64, L2" in text
    assert "conflict: strength “5/2” (Liao 2025): The paper's own abstract has the left leg weak" in text
    assert "12 of 12 published cases." in text


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--level", "t12"], ["Liao 2025", "Chen YJ 2006", "Sabuncuoğlu 2008"]),
        (["--sex", "M"], ["Grelat 2018", "Sabuncuoğlu 2008"]),
        (["--operation", "none"], ["Chen YJ 2006"]),
        (["--operation", "corpectomy"], ["Kulkarni 2013"]),
        (["--compartment", "epidural", "--level", "L2"], ["Shapiro 2003"]),
        (["--sex", "M", "--conflicts"], ["Grelat 2018"]),
        (["--certainty", "R", "--level", "T12"], ["Chen YJ 2006"]),
    ],
)
def test_cases_are_chosen_by_what_is_known_of_them(
    capsys: pytest.CaptureFixture[str], words: list[str], wanted: list[str]
) -> None:
    assert names(capsys, *words) == wanted


def test_studies_are_listed_with_counts_and_conflicts(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "list", "--studies")
    assert "104/176 = 59.1 %" in text
    assert "104/176 is 59.1 %, not 58.5 %" in text
    disputed = json.loads(said(capsys, "list", "--studies", "--conflicts", "--json"))
    assert all(row["conflict"] for row in disputed)
    canal = json.loads(said(capsys, "list", "--what", "canal", "--json"))
    assert {row["what"] for row in canal} == {"canal"}


def test_a_case_is_shown_as_printed_and_as_understood(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "show", "kulkarni")
    assert "bladder, not stated: “Urinary retention” = impaired [S] Liao 2025, Table 1" in text
    assert "conflict: The paper's own abstract has incontinence at the beginning" in text
    assert json.loads(said(capsys, "show", "kulkarni", "--json"))["case"]["patient"]["age_years"] == 48


def test_a_study_is_shown_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert "64/80 = 80.0 %" in said(capsys, "show", "Venmans 2011")


def test_bibtex_and_tables_are_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert said(capsys, "export", "--format", "bibtex").startswith("@article{liao2025,")
    said(capsys, "export", "--format", "csv", "--table", "case_values", "--out", str(tmp_path / "values.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "values.csv").read_text(encoding="utf-8"))))
    assert {"as_printed", "understood", "conflict"} <= set(rows[0])


def test_leaks_are_pooled_for_people_and_machines(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = said(capsys, "pool", "--what", "B", "--out", str(tmp_path))
    assert "Pooled: 27.4 %" in text
    assert "A further study:" in text
    assert "without JOSR 2021:" in text
    assert (tmp_path / "pool.html").exists()
    figures = json.loads(said(capsys, "pool", "--what", "B", "--json"))
    assert f"{100 * figures['pooled']['rate']:.1f}" == "27.4"
    assert figures["research_use"] == RESEARCH_USE


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["list", "--level", "Q9"], "Q9 is no level: T12, L1 and the like are."),
        (["list", "--compartment", "lung"], "--compartment is one of intravertebral, intradiscal"),
        (["list", "--what", "lung"], "--what is one of any, canal"),
        (["show", "Nobody"], "No published case is called Nobody"),
        (["pool", "--what", "lung"], "No study counts lung"),
        (["export", "--format", "csv", "--out", "/nowhere/at/all.csv"], "cannot be written"),
    ],
)
def test_bad_words_get_one_sentence(
    capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    assert run(["literature", *words]) == EXIT_INPUT
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
