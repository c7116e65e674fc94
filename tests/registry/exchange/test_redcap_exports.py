"""Exports as REDCap makes them: longitudinal, repeating, raw and labelled, with codes for what is missing.

The files are written by hand in the shape of published exports; the people in them are invented.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from thecal.errors import InputError
from thecal.registry.exchange.drafts import Incoming
from thecal.registry.exchange.fields import fields_of
from thecal.registry.exchange.mapping import Mapping, read_mapping
from thecal.registry.exchange.redcap_dictionary import read_dictionary, write_dictionary
from thecal.registry.exchange.redcap_heads import codes_of, same_event, same_form, variable_names
from thecal.registry.exchange.redcap_in import read_redcap
from thecal.registry.exchange.texts import from_text

HERE = Path(__file__).with_name("redcap")


def _read(data: Path, mapping: Mapping | None = None) -> Incoming:
    return read_redcap(data, HERE / "dictionary.csv", mapping or read_mapping(HERE / "mapping.toml"))


@pytest.mark.parametrize("form", ["raw", "labelled"])
def test_a_longitudinal_project_with_repeating_instruments_is_read(form: str) -> None:
    incoming = _read(HERE / f"longitudinal_{form}.csv")
    assert incoming.problems == []
    first, second = incoming.cases
    assert (first.patient.sex, first.patient.age_years) == ("F", 71)
    [done] = first.procedures
    assert (done.kind, done.level, done.on, done.volume_ml) == ("VP", "T12", date(2024, 3, 12), 4.5)
    assert done.notes == "first line\nsecond line"
    assert [leak.compartment for leak in first.leaks] == ["epidural"]
    assert first.deficit.present == "yes"
    assert [(o.days, o.side, o.as_written, o.on) for o in first.outcomes if o.scale == "mrc"] == [
        (1, "left", "2", date(2024, 3, 13)),
        (1, "right", "1", date(2024, 3, 13)),
        (30, "left", "4-", date(2024, 4, 11)),
    ]
    assert [o.choice for o in first.outcomes if o.scale == "walking"] == ["none", "aided"]
    # NI and -99 say that nothing is known.
    assert (second.patient.sex, second.patient.age_years) == ("O", None)
    assert [(p.level, p.volume_ml) for p in second.procedures] == [("L1", None)]
    assert second.leaks == ()
    assert second.deficit.present == "no"


@pytest.mark.parametrize(("form", "name"), [("raw", "adverse_events"), ("labelled", "Adverse Events")])
def test_rows_and_boxes_that_nothing_reads_are_said(form: str, name: str) -> None:
    left = _read(HERE / f"longitudinal_{form}.csv").not_taken
    assert f"1 rows of the instrument {name}" in left
    assert {"leak____99", "remark", "ae_kind", "ae_days"} <= set(left)
    assert not any("omplete" in name for name in left)


def test_a_case_is_not_read_from_every_event(tmp_path: Path) -> None:
    text = (HERE / "mapping.toml").read_text(encoding="utf-8").replace('event = "baseline_arm_1"\n', "")
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="a row for each event: say with event"):
        _read(HERE / "longitudinal_raw.csv", read_mapping(tmp_path / "m.toml"))


def test_a_label_of_several_variables_is_told_apart_by_order_or_not_at_all() -> None:
    variables = read_dictionary(HERE / "dictionary.csv")
    names = variable_names(["Comment", "Date", "Comment", "Date"], variables, {"op_note"}, "data.csv")
    assert names == ["remark", "op_dt", "op_note", "fu_date"]
    assert variable_names(["Comment"], variables, {"age"}, "data.csv") == ["Comment"]
    with pytest.raises(InputError, match="'Comment', the label of several variables"):
        variable_names(["Comment"], variables, {"op_note"}, "data.csv")


def test_a_code_of_missing_data_is_one_only_where_not_anything_may_be_written() -> None:
    variables = read_dictionary(HERE / "dictionary.csv")
    assert codes_of("age", variables)["NI"] == ""
    assert codes_of("sex", variables)["UNK"] == ""
    assert codes_of("leak____99", variables) | {} == {
        **dict.fromkeys([w for w in codes_of("age", variables)], ""),
        **{"Not assessed": "1", "Checked": "1", "Unchecked": "0"},
    }
    assert codes_of("remark", variables) == {}
    assert codes_of("mrc_l", variables) == {}


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("baseline_arm_1", "Baseline"),
        ("baseline_arm_2", "Baseline (Arm 2: Surgery)"),
        ("screening__enrollm_arm_1", "Screening & Enrollment"),
        ("28_day_followup_arm_1", "28 Day Followup"),
    ],
)
def test_an_event_is_known_by_its_label(name: str, label: str) -> None:
    assert same_event(name, label)
    assert same_event(name, name)
    assert not same_event("other_arm_1", label)


def test_an_instrument_is_known_by_its_label() -> None:
    assert same_form("follow_up", "Follow-Up")
    assert not same_form("follow_up", "Follow-Up at Home")
    assert not same_form("follow_up", "")


def test_of_a_time_the_day_is_taken() -> None:
    field = fields_of("procedures")["on"]
    for text in ("2024-03-12 08:30", "2024-03-12T08:30:15", "2024-03-12"):
        assert from_text(field, text) == date(2024, 3, 12)
    with pytest.raises(InputError, match="must be a date"):
        from_text(field, "2024-03-12 later")


def test_this_programs_own_project_comes_back_from_redcap_as_redcap_writes_it(tmp_path: Path) -> None:
    """With a mark before the text, carets between cells, states of the forms, and codes of missing data."""
    with (tmp_path / "d.csv").open("w", encoding="utf-8-sig", newline="") as stream:
        write_dictionary(stream)
    lines = (
        "record_id^redcap_repeat_instrument^redcap_repeat_instance^redcap_survey_identifier"
        "^patient_age_years^patient_sex^patient_timestamp^patient_complete^procedures_kind^procedures_level"
        "^procedures_on^procedures_notes^procedures_complete",
        "A1^^^^70^UNK^[not completed]^2^^^^^",
        "A1^procedures^1^^^^^^VP^T12^2024-03-12^NA^2",
        "A2^^^^ASKU^M^^0^^^^^",
    )
    (tmp_path / "data.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8-sig", newline="")
    incoming = read_redcap(tmp_path / "data.csv", tmp_path / "d.csv")
    assert (incoming.problems, incoming.not_taken) == ([], [])
    first, second = incoming.cases
    assert (first.patient.age_years, first.patient.sex) == (70, None)
    assert (first.procedures[0].on, first.procedures[0].notes) == (date(2024, 3, 12), "NA")
    assert (second.patient.age_years, second.patient.sex) == (None, "M")
