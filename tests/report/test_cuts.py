"""Cuts are true to scale and the right way round."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from thecal.report.cuts import axial_cut, sagittal_cut, sagittal_view


def test_on_the_axial_cut_the_patients_left_is_right_and_the_front_is_up(leaking):
    canal = leaking.spine.canal
    points = axial_cut(canal, 80.0).points
    assert (points[0, -1] - points[0, 0])[0] > 80
    assert (points[-1, 0] - points[0, 0])[1] > 80


@settings(max_examples=10, deadline=None)
@given(at=st.floats(5, 160))
def test_the_axial_cut_is_normal_to_the_canal_and_true_to_scale(leaking, at):
    canal = leaking.spine.canal
    cut = axial_cut(canal, at)
    i = int(canal.frame.index(at))
    assert np.abs((cut.points - canal.frame.points[i]) @ canal.frame.cranial[i]).max() < 1e-9
    across = np.linalg.norm(cut.points[0, -1] - cut.points[0, 0])
    assert across == pytest.approx(cut.across[-1] - cut.across[0])


def test_the_sagittal_cut_holds_the_canals_curve(leaking):
    canal = leaking.spine.canal
    view = sagittal_view(canal)
    cut = sagittal_cut(view, float(view.height_mm[0]), float(view.height_mm[-1]))
    placed = view.place(canal.frame.points)
    rows = np.clip(np.searchsorted(-cut.up, -placed[:, 1]), 0, len(cut.up) - 1)
    columns = np.clip(np.searchsorted(cut.across, placed[:, 0]), 0, len(cut.across) - 1)
    gap = np.linalg.norm(cut.points[rows, columns] - canal.frame.points, axis=1)
    assert gap.max() < 0.6


def test_heights_in_the_sagittal_picture_are_true(leaking):
    t12 = leaking.spine.vertebrae[2].frame
    view = sagittal_view(leaking.spine.canal)
    top, bottom = view.place(t12.to_lps([[0, 0, 12.5], [0, 0, -12.5]]))
    assert np.linalg.norm(top - bottom) == pytest.approx(25.0, abs=0.1)


def test_a_cut_shows_the_deposit_where_it_is(leaking):
    canal = leaking.spine.canal
    epidural = leaking.leakage.deposits[1]
    cut = axial_cut(canal, leaking.leakage.worst.at_mm)
    ids = cut.sample(leaking.leakage.deposit_labels, leaking.spine.grid, order=0, fill=0)
    rows, columns = np.nonzero(ids == epidural.id)
    assert cut.up[rows].min() > 0
    assert abs(cut.across[columns].mean()) < 3
