"""Simulated pictures: true AP and true lateral, dense things dark, sides where the operator has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thecal.needle.pictures.shots import C_ARM, angles_of, ap_shot, lateral_shot

DEPTH_MM = 30.0


@pytest.fixture(scope="module")
def shots(case):
    return tuple(f(case.volume, case.spine, case.vertebra, DEPTH_MM) for f in (ap_shot, lateral_shot))


@given(
    st.floats(-179.0, 179.0),
    st.floats(-60.0, 60.0),
)
def test_angles_lead_back_to_the_direction_of_the_detector(primary, secondary):
    view = C_ARM.view((0.0, 0.0, 0.0), primary, secondary)
    again = angles_of(view.normal)
    np.testing.assert_allclose(again, (primary, secondary), atol=1e-6)


def test_on_the_ap_picture_front_and_back_of_the_body_lie_over_each_other(case, shots):
    # Endplates edge-on and the spinous process in the midline: the beam runs along the vertebra's own axis.
    ap, _ = shots
    line = case.vertebra.frame.to_lps([(0.0, y, 0.0) for y in (-30.0, 0.0, 30.0)])
    pixels = ap.view.project(line)
    np.testing.assert_allclose(pixels, pixels[:1].repeat(3, 0), atol=1e-6)


def test_on_the_lateral_picture_left_and_right_lie_over_each_other(case, shots):
    _, lateral = shots
    line = case.vertebra.frame.to_lps([(x, DEPTH_MM / 2 - 12.0, 0.0) for x in (-20.0, 0.0, 20.0)])
    pixels = lateral.view.project(line)
    np.testing.assert_allclose(pixels, pixels[:1].repeat(3, 0), atol=1e-6)


def test_her_left_is_on_the_left_of_the_ap_picture_as_the_operator_of_a_prone_patient_stands(case, shots):
    ap, lateral = shots
    left, right, up, front = case.vertebra.frame.to_lps(
        [(9.0, 0, 0), (-9.0, 0, 0), (0, 0, 9.0), (0, 20.0, 0)]
    )
    middle = ap.view.project(case.vertebra.frame.origin)
    assert ap.view.project(left)[1] < middle[1] < ap.view.project(right)[1]
    assert ap.view.project(up)[0] < middle[0]
    assert lateral.view.project(front)[1] < lateral.view.project(case.vertebra.frame.origin)[1]
    assert abs(abs(ap.primary_deg) - 180.0) < 5.0
    assert abs(lateral.primary_deg - 90.0) < 5.0


def test_bone_is_darker_than_what_lies_beside_it(case, shots):
    for shot in shots:
        row, column = np.rint(shot.view.project(case.vertebra.frame.to_lps((0.0, 12.0, 0.0)))).astype(int)
        bone = shot.image[row - 6 : row + 7, column - 6 : column + 7].mean()
        disc = case.vertebra.frame.to_lps((0.0, 12.0, 16.0))
        r, c = np.rint(shot.view.project(disc)).astype(int)
        soft = shot.image[r - 2 : r + 3, c - 6 : c + 7].mean()
        assert bone < soft
        assert shot.image.min() >= 0.0
        assert shot.image.max() <= 1.0
