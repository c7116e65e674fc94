"""The strength curve shows each side and muscle, and says what it leaves out."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from registry_cases import DAY_OF_CEMENT, founding, simple

from thecal.errors import InputError
from thecal.registry.case import Case, Outcome
from thecal.registry.pictures.strength_curve import Curve, curves, draw_strength, untimed
from thecal.terms import RESEARCH_USE


def _with(*more: Outcome) -> Case:
    case = founding()
    return case.model_copy(update={"outcomes": (*case.outcomes, *more)})


def test_each_side_has_its_curve_in_time() -> None:
    later = Outcome(scale="mrc", as_written="0", value=0.0, side="right", muscle="quadriceps", days=0.5)
    assert curves(_with(later)) == [
        Curve("quadriceps", "left", ((0.0, 2.0, "2"), (30.0, 4.0, "4"))),
        Curve("quadriceps", "right", ((0.0, 1.0, "1"), (0.5, 0.0, "0"), (1.0, 2.33, "2+"))),
    ]


def test_a_date_is_counted_from_the_procedure() -> None:
    dated = Outcome(scale="mrc", as_written="3", value=3.0, on=DAY_OF_CEMENT.replace(day=11))
    assert Curve(None, None, ((10.0, 3.0, "3"),)) in curves(_with(dated))


def test_a_grade_without_a_time_is_counted_and_not_drawn(tmp_path: Path) -> None:
    case = _with(Outcome(scale="mrc", as_written="3", value=3.0))
    assert len(untimed(case)) == 1
    assert untimed(founding()) == []
    assert draw_strength(case, tmp_path / "s.svg") == 4
    assert "1 grade without a time not shown" in " ".join((tmp_path / "s.svg").read_text().split())


@pytest.mark.parametrize("ending", [".png", ".svg", ".html"])
def test_the_picture_says_what_it_is_for(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"strength{ending}"
    draw_strength(founding(), path)
    first = path.read_bytes()
    draw_strength(founding(), path)
    assert path.read_bytes() == first
    if ending == ".png":
        with Image.open(path) as picture:
            assert picture.size[0] > 1000
        return
    text = path.read_text(encoding="utf-8")
    assert RESEARCH_USE.split(".")[0] in text
    assert "2+" in text
    assert "http" not in text.replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "http://creativecommons.org", ""
    )


def test_a_case_without_grades_has_no_curve(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no strength"):
        draw_strength(simple(1), tmp_path / "s.png")
    with pytest.raises(InputError, match=r"ends in \.png"):
        draw_strength(founding(), tmp_path / "s.jpg")
    assert list(tmp_path.iterdir()) == []
