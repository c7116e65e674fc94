"""Grades of a breach and what a way leaves."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.leakage.pedicles import Pedicle
from thecal.leakage.tracks.clearance import other_breach
from thecal.leakage.tracks.grading import gertzbein_robbins, published_angle

PEDICLE = Pedicle(np.array([12.0, 4.0]), np.array([4.0, 7.0]))


@pytest.mark.parametrize(
    ("mm", "grade"), [(0.0, "A"), (0.5, "B"), (1.99, "B"), (2.0, "C"), (4.0, "D"), (5.9, "D"), (6.0, "E")]
)
def test_gertzbein_robbins_grades(mm: float, grade: str) -> None:
    assert gertzbein_robbins(mm) == grade


def test_a_level_that_is_not_known_has_no_published_angle() -> None:
    assert published_angle(None) is None
    assert published_angle("T12") == -4.0


def line(left: float, cranial: float) -> np.ndarray:
    return np.stack([np.full(21, left), np.linspace(-20.0, 20.0, 21), np.full(21, cranial)], axis=1)


@pytest.mark.parametrize(
    ("left", "cranial", "breach", "mm"),
    [
        (12.0, 4.0, "none", 0.0),
        (17.0, 4.0, "lateral", 2.5),
        (12.0, 12.0, "superior", 2.5),
        (12.0, -5.0, "inferior", 3.5),
        (15.0, 4.0, "none", 0.0),
    ],
)
def test_where_a_way_leaves_its_pedicle(left: float, cranial: float, breach: str, mm: float) -> None:
    assert other_breach(PEDICLE, 1, line(left, cranial)) == (breach, pytest.approx(mm))
    mirrored = Pedicle(PEDICLE.centre_mm * (-1.0, 1.0), PEDICLE.half_mm)
    assert other_breach(mirrored, -1, line(-left, cranial)) == (breach, pytest.approx(mm))
