"""A vertebra is found in a picture, or it is said why not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from watched_vertebra import Watched

from thecal.fluoro.frame import Frame
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import reprojection_error_mm
from thecal.fluoro.registration.find import register


def test_a_lateral_picture_that_is_8_mm_and_7_degrees_off_is_found_within_a_millimetre(
    watched: Watched,
) -> None:
    truth = Pose.about(watched.model.centre, [4.0, -4.0, 4.0], [3.0, 5.0, -5.0])
    frame = watched.show(watched.lateral, truth)
    found = register(watched.model, frame, watched.lateral)
    start = reprojection_error_mm(watched.model.points, watched.lateral, truth, Pose.still())
    error = reprojection_error_mm(watched.model.points, watched.lateral, truth, found.pose)
    assert not found.lost
    assert start > 5.0
    assert error < 1.0
    assert found.error_mm < 1.0


def test_a_needle_over_the_vertebra_does_not_pull_it(watched: Watched) -> None:
    truth = Pose.about(watched.model.centre, [-3.0, 3.0, 2.0], [4.0, -3.0, 4.0])
    frame = watched.show(watched.ap, truth, needle=True)
    found = register(watched.model, frame, watched.ap)
    assert not found.lost
    assert reprojection_error_mm(watched.model.points, watched.ap, truth, found.pose) < 1.0


def test_a_picture_turned_upside_down_is_another_patient_and_lost(watched: Watched) -> None:
    frame = watched.show(watched.lateral, Pose.still())
    other = replace(frame, pixels=np.ascontiguousarray(frame.pixels[::-1, ::-1]))
    found = register(watched.model, other, watched.lateral)
    assert found.lost
    assert "does not look like" in found.why or "above or below" in found.why


def test_an_inverted_picture_is_lost_and_said_to_be_inverted(watched: Watched) -> None:
    frame = watched.show(watched.lateral, Pose.still())
    found = register(watched.model, replace(frame, pixels=255 - frame.pixels), watched.lateral)
    assert found.lost
    assert "inverted" in found.why


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((256, 256), np.uint8), "black"),
        (np.full((256, 256), 4095, np.uint16), "black or empty"),
        (np.zeros((128, 256), np.uint8), "128 x 256"),
    ],
)
def test_a_picture_without_content_is_lost_with_the_reason(
    watched: Watched, pixels: np.ndarray, words: str
) -> None:
    found = register(watched.model, Frame(0, 0.0, pixels), watched.lateral)
    assert found.lost
    assert words in found.why
    assert found.confidence == 0.0


def test_a_vertebra_beside_the_picture_is_lost(watched: Watched) -> None:
    far = Pose.about(watched.model.centre, [0, 0, 0], [0.0, 0.0, 90.0])
    frame = watched.show(watched.lateral, Pose.still())
    found = register(watched.model, frame, watched.lateral, far)
    assert found.lost
    assert "outside" in found.why
