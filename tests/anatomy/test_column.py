"""Discs: one between each two bodies, none within one, cement or not."""

from __future__ import annotations

import numpy as np
import pytest
from canal_reading import Read
from label_spine import BODY_HEIGHT, SEGMENT

from thecal.anatomy.column import Disc, find_discs, pedicle_signal
from thecal.phantom.patient import Case
from thecal.terms import DISC_OFFSET


@pytest.fixture(scope="module")
def discs(treated_canal: Read) -> list[Disc]:
    c = treated_canal
    return find_discs(c.hu, c.missing, c.grid, c.frame, c.theta, c.wall, c.seen)


def test_a_disc_lies_between_each_two_bodies_and_none_within(discs: list[Disc], treated: Case) -> None:
    ids = [i for i in np.unique(treated.labels) if DISC_OFFSET < i < 200]
    truth = [treated.grid.to_lps(np.argwhere(treated.labels == i)).mean(axis=0) for i in ids]
    inner = treated.grid.to_lps([[3, 0, 0], [treated.grid.shape[0] - 4, 0, 0]])[:, 2]
    expected = sorted(float(c[2]) for c in truth if inner[0] < c[2] < inner[1])
    assert len(expected) >= 2
    assert [float(d.centre[2]) for d in discs] == pytest.approx(expected, abs=3.0)


def test_discs_are_told_from_below_upward(discs: list[Disc]) -> None:
    assert [d.s_mm for d in discs] == sorted(d.s_mm for d in discs)
    assert all(d.normal[2] > 0.7 for d in discs)


def test_a_disc_stands_square_to_the_bodies_beside_it(discs: list[Disc], treated: Case) -> None:
    for disc in discs:
        near = min(treated.spine.vertebrae, key=lambda v, d=disc: abs(float((v.frame.origin - d.centre)[2])))
        assert np.rad2deg(np.arccos(disc.normal @ near.frame.cranial)) < 14


def test_pedicles_close_the_canals_sides_once_a_vertebra(canal: Read) -> None:
    signal = pedicle_signal(canal.frame, canal.theta, canal.seen)
    z = canal.frame.points[:, 2]
    for i in range(3):
        at_pedicle = np.abs(z - (i * SEGMENT + BODY_HEIGHT / 2 + 4.5)) < 4
        at_foramen = np.abs(z - (i * SEGMENT + 2)) < 3
        assert signal[at_pedicle].mean() > signal[at_foramen].mean() + 0.4
