"""Strength as doctors write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.errors import InputError
from thecal.registry.case import Outcome
from thecal.registry.grades import GRADES, grade_value, left_right, one_grade

grades = st.sampled_from(GRADES)


@pytest.mark.parametrize(
    ("written", "grade"),
    [
        ("4+", "4+"),
        ("4-", "4-"),
        ("4 −", "4-"),
        ("2⁺", "2+"),
        ("2⁻", "2-"),
        ("4/5", "4"),
        ("4 +/5", "4+"),
        ("4+/5", "4+"),
        ("4- / 5", "4-"),
        ("0/5", "0"),
        ("5/5", "5"),
        ("IV", "4"),
        ("iv+", "4+"),
        ("Ⅳ", "4"),
        ("III/V", "3"),
        ("M3", "3"),
        ("MRC 4-", "4-"),
        ("grade 2", "2"),
        ("4.0", "4"),
        ("4级", "4"),
        ("４＋", "4+"),
    ],
)
def test_a_grade_is_read_as_doctors_write_it(written: str, grade: str) -> None:
    read = one_grade(f" {written} ")
    assert read.grade == grade
    assert read.as_written == written


@pytest.mark.parametrize(
    "written", ["", "6", "5+", "0-", "0+", "4.5", "3-4", "4++", "good", "NT", "/5", "4/", "4/5/5", "-1", "IX"]
)
def test_what_is_no_grade_is_refused_in_one_sentence(written: str) -> None:
    with pytest.raises(InputError, match="is no grade of strength"):
        one_grade(written)


def test_two_grades_about_a_stroke_are_not_taken_for_one() -> None:
    with pytest.raises(InputError, match="left and right"):
        one_grade("5/2")


def test_the_founding_papers_pairs_are_left_and_right() -> None:
    left, right = left_right("5/2")
    assert (left.value, right.value) == (5.0, 2.0)
    assert [g.grade for g in left_right("2+ / 4-")] == ["2+", "4-"]


@pytest.mark.parametrize("written", ["5", "5/2/1", "Mild improvement", "5 2"])
def test_a_pair_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(InputError, match=r"not two grades|no grade"):
        left_right(written)


def test_plus_and_minus_are_a_third_of_a_grade_by_convention() -> None:
    assert grade_value("4+") == 4.33
    assert grade_value("4-") == 3.67


def test_a_long_note_in_the_strengths_column_is_not_repeated_whole() -> None:
    with pytest.raises(InputError) as told:
        one_grade("Mrs Somebody of Somewhere could not be examined that day")
    assert "that day" not in str(told.value)


@given(grades, grades)
def test_numbers_keep_the_order_of_the_grades(one: str, other: str) -> None:
    a, b = one_grade(one), one_grade(other)
    assert (a.rank < b.rank) == (a.value < b.value)


@given(grades, grades, st.sampled_from(["/", " / ", "／"]))
def test_a_written_pair_reads_back(left: str, right: str, stroke: str) -> None:
    assert [g.grade for g in left_right(f"{left}{stroke}{right}")] == [left, right]


@given(grades, st.sampled_from(["", "/5", " /5", "级"]))
def test_a_grade_of_five_is_the_grade(grade: str, of_five: str) -> None:
    read = one_grade(grade + of_five)
    assert read.grade == grade
    assert Outcome(scale="mrc", as_written=read.as_written, value=read.value).value == read.value


@given(st.text(max_size=60))
def test_anything_is_a_grade_or_one_sentence(text: str) -> None:
    said = []
    try:
        assert one_grade(text).grade in GRADES
    except InputError as told:
        said = str(told).splitlines()
    assert len(said) <= 1
