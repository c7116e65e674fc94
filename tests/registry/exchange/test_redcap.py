# ruff: noqa: E501
"""Cases through REDCap: this program's own dictionary, and somebody else's."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from case_values import registries
from hypothesis import given, settings

from thecal.errors import InputError
from thecal.registry.case import Case
from thecal.registry.exchange.mapping import read_mapping
from thecal.registry.exchange.redcap_dictionary import read_dictionary, write_dictionary
from thecal.registry.exchange.redcap_heads import SYSTEM
from thecal.registry.exchange.redcap_in import read_redcap
from thecal.registry.exchange.redcap_out import write_redcap

DICTIONARY = """"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels"
id,basis,,text,"Patient number",
sex,basis,,radio,"<b>Sex</b>","1, Female | 2, Male"
age,basis,,text,"Age at operation",
op,basis,,text,"Date of the operation",
where,basis,,checkbox,"Leak","1, Epidural | 2, Disc"
lost,basis,,yesno,"Deficit",
q,follow_up,,text,"Quadriceps L/R",
walk,follow_up,,dropdown,"Walking","0, cannot | 1, with help | 2, alone"
day,follow_up,,text,"Days since the operation",
"""
RAW = """id,redcap_repeat_instrument,redcap_repeat_instance,sex,age,op,where___1,where___2,lost,basis_complete,q,walk,day
P1,,,1,70,2024-05-31,1,0,1,2,,,
P1,follow_up,1,,,,,,,,2/1,0,1
P1,follow_up,2,,,,,,,,4/4-,1,30
P2,,,2,81,2024-06-02,0,0,0,2,,,
"""
LABELLED = """Patient number,Repeat Instrument,Repeat Instance,Sex,Age at operation,Date of the operation,Leak (choice=Epidural),Leak (choice=Disc),Deficit,Complete?,Quadriceps L/R,Walking,Days since the operation
P1,,,Female,70,2024-05-31,Checked,Unchecked,Yes,Complete,,,
P1,Follow Up,1,,,,,,,,2/1,cannot,1
P1,Follow Up,2,,,,,,,,4/4-,with help,30
P2,,,Male,81,2024-06-02,Unchecked,Unchecked,No,Complete,,,
"""
MAPPING = """
[[table]]
rows = "case"
pseudonym = "id"
[table.columns]
sex = { field = "patient.sex", values = { 1 = "F", 2 = "M" } }
age = "patient.age_years"
op = "procedures.1.on"
where___1 = { field = "leaks.1.compartment", values = { 1 = "epidural", 0 = "" } }
where___2 = { field = "leaks.2.compartment", values = { 1 = "intradiscal", 0 = "" } }
lost = { field = "deficit.present", values = { 1 = "yes", 0 = "no" } }
[table.constants]
"procedures.1.kind" = "VP"
"procedures.1.level" = "T12"

[[table]]
rows = "visit"
instrument = "follow_up"
pseudonym = "id"
[table.columns]
q = { scale = "mrc", muscle = "quadriceps", side = "left/right", days_from = "day" }
walk = { scale = "walking", values = { 0 = "none", 1 = "aided", 2 = "independent" }, days_from = "day" }
"""


def _read(data: str, tmp_path: Path):
    for name, text in {"d.csv": DICTIONARY, "data.csv": data, "m.toml": MAPPING}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return read_redcap(tmp_path / "data.csv", tmp_path / "d.csv", read_mapping(tmp_path / "m.toml"))


def test_the_projects_own_dictionary_gives_the_same_cases_back() -> None:
    @settings(max_examples=60)
    @given(registries())
    def back(cases: list[Case]) -> None:
        with TemporaryDirectory() as folder:
            data, dictionary = Path(folder) / "data.csv", Path(folder) / "dictionary.csv"
            with data.open("w", encoding="utf-8", newline="") as stream:
                assert write_redcap(cases, stream) == len(cases)
            with dictionary.open("w", encoding="utf-8", newline="") as stream:
                write_dictionary(stream)
            incoming = read_redcap(data, dictionary)
        assert incoming.problems == []
        assert incoming.not_taken == []
        assert incoming.cases == cases

    back()


def test_every_choice_in_the_dictionary_is_the_registrys_own_word(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_dictionary(stream)
    variables = read_dictionary(path)
    assert variables["procedures_kind"].choices == {k: k for k in ("VP", "KP", "conservative")}
    assert variables["leaks_intradural"].choices["not_detected"] == "not detected"
    with path.open(encoding="utf-8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert (
        next(line for line in lines if line["Variable / Field Name"] == "patient_name")["Identifier?"] == "y"
    )


@pytest.mark.parametrize("data", [RAW, LABELLED], ids=["raw", "labelled"])
def test_somebody_elses_project_is_read_raw_and_labelled(data: str, tmp_path: Path) -> None:
    incoming = _read(data, tmp_path)
    assert incoming.problems == []
    first, second = incoming.cases
    assert (first.patient.sex, first.patient.age_years) == ("F", 70.0)
    assert first.procedures[0].on == date(2024, 5, 31)
    assert [leak.compartment for leak in first.leaks] == ["epidural"]
    assert first.deficit is not None
    assert first.deficit.present == "yes"
    strengths = [(o.days, o.side, o.as_written, o.value) for o in first.outcomes if o.scale == "mrc"]
    assert strengths == [
        (1, "left", "2", 2.0),
        (1, "right", "1", 1.0),
        (30, "left", "4", 4.0),
        (30, "right", "4-", 3.67),
    ]
    assert [o.choice for o in first.outcomes if o.scale == "walking"] == ["none", "aided"]
    assert second.leaks == ()


def test_a_project_of_ones_own_needs_a_mapping(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(DICTIONARY, encoding="utf-8")
    (tmp_path / "data.csv").write_text(RAW, encoding="utf-8")
    with pytest.raises(InputError, match="needs a mapping"):
        read_redcap(tmp_path / "data.csv", tmp_path / "d.csv")


def test_a_file_that_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(RAW, encoding="utf-8")
    with pytest.raises(InputError, match="no REDCap data dictionary"):
        read_dictionary(tmp_path / "d.csv")


def test_redcaps_own_columns_are_not_said_to_be_left_out(tmp_path: Path) -> None:
    assert set(SYSTEM.values()).isdisjoint(_read(RAW, tmp_path).not_taken)


def test_the_anal_examination_can_be_chosen_as_a_scale(tmp_path: Path) -> None:
    with (tmp_path / "dictionary.csv").open("w", encoding="utf-8", newline="") as stream:
        write_dictionary(stream)
    choices = read_dictionary(tmp_path / "dictionary.csv")["outcomes_scale"].choices
    assert choices["anal_contraction"] == "anal contraction"
    assert choices["anal_pressure"] == "anal pressure"
