"""``thecal similar``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thecal.cli import EXIT_INPUT, run
from thecal.registry.literature.as_case import as_case
from thecal.registry.literature.library import library
from thecal.terms import RESEARCH_USE


@pytest.fixture
def case_file(tmp_path: Path) -> Path:
    """Chen YJ 2006 as a case of one's own, with days."""
    case = as_case(library().case("chen2006"))
    timed = [o.model_copy(update={"days": 0 if i < 2 else 120}) for i, o in enumerate(case.outcomes)]
    path = tmp_path / "case.json"
    path.write_text(case.model_copy(update={"outcomes": tuple(timed)}).model_dump_json(), encoding="utf-8")
    return path


def test_a_case_finds_its_like_with_reasons(case_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["similar", str(case_file)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(RESEARCH_USE)
    assert "Chen YJ 2006: woman of 90, T12 and L1, osteoporotic" in text
    assert "near: the same levels, T12 and L1; cement inside the dura in both" in text
    assert "done: No operation" in text
    assert "become of another" in text


def test_a_machine_reads_distances_trait_by_trait(
    case_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["similar", str(case_file), "--json", "--at-most", "2"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["searched"] == 12
    assert len(answer["near"]) == 2
    assert answer["near"][0]["distance"] == 0.0
    assert {part["trait"] for part in answer["near"][0]["compared"]} >= {"level", "strength"}


def test_an_assessment_finds_the_published_cases(stages, ct_path, tmp_path, capsys) -> None:
    out = tmp_path / "report"
    assert run(["assess", str(ct_path), "--out", str(out)]) == 0
    capsys.readouterr()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<h2>Cases like this</h2>" in page
    for asked in (out, out / "report.json"):
        assert run(["similar", str(asked)]) == 0
        sentence = capsys.readouterr().out.splitlines()[1]
        assert sentence in page


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"schema": "thecal.report/1"}', "Field required"),
        ('{"patient": {"pseudonym": "x", "age_years": 300}}', "patient.age_years"),
        ("[]", "a case holds patient"),
    ],
)
def test_a_file_that_is_neither_gets_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
) -> None:
    path = tmp_path / "it.json"
    path.write_text(text, encoding="utf-8")
    assert run(["similar", str(path)]) == EXIT_INPUT
    told = capsys.readouterr()
    assert sentence in told.err
    assert told.err.count("\n") == 1


def test_a_name_without_a_registry_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["similar", "case-7"]) == EXIT_INPUT
    assert "no report.json, no folder with one, and no case as JSON" in capsys.readouterr().err


def test_the_cases_of_a_registry_are_compared_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = pytest.importorskip("thecal.registry.store")
    place = tmp_path / "registry.sqlite"
    published = [as_case(library().case(name)) for name in ("liao2025", "lin2015")]
    with store.init_store(place) as kept:
        for number, case in enumerate(published, start=1):
            patient = case.patient.model_copy(update={"pseudonym": f"case-{number}"})
            kept.add(case.model_copy(update={"patient": patient}), who="a test")
    asked = ["similar", "case-2", "--registry", str(place), "--at-most", "20", "--json"]
    assert run(asked) == 0
    answer = json.loads(capsys.readouterr().out)
    own = [one["name"] for one in answer["near"] if one["own"]]
    assert answer["searched"] == 13
    assert own in ([], ["case-1"])
    assert "Lin 2015" in [one["name"] for one in answer["near"]]
    assert run(["similar", "case-9", "--registry", str(place)]) == EXIT_INPUT
    assert "no case of the registry" in capsys.readouterr().err
