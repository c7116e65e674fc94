"""A vertebra is followed while the patient breathes and the table moves, and found again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from watched_vertebra import Watched

from thecal.fluoro.projection.view import Pose
from thecal.fluoro.registration.bone_model import reprojection_error_mm
from thecal.fluoro.registration.find import Registration
from thecal.fluoro.registration.follow import Tracker


def _moved(watched: Watched, up: float, table: float = 0.0) -> Pose:
    return Pose.about(watched.model.centre, [0.2 * up, 0, 0], [0.0, table, up])


def test_breathing_and_a_table_move_of_15_mm_are_followed_within_a_millimetre(watched: Watched) -> None:
    tracker = Tracker(watched.model, watched.lateral, Registration(Pose.still(), 0.3, 0.9, False, ""))
    ways = [(0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (3.0, 15.0), (1.0, 15.0)]
    for number, (up, table) in enumerate(ways):
        pose = _moved(watched, up, table)
        found = tracker.follow(watched.show(watched.lateral, pose, number=number, seed=number))
        assert not found.lost
        assert reprojection_error_mm(watched.model.points, watched.lateral, pose, found.pose) < 1.0


def test_after_black_and_inverted_pictures_the_vertebra_is_found_again(watched: Watched) -> None:
    tracker = Tracker(watched.model, watched.lateral, Registration(Pose.still(), 0.3, 0.9, False, ""))
    frame = watched.show(watched.lateral, Pose.still())
    assert not tracker.follow(frame).lost
    black = tracker.follow(replace(frame, number=1, pixels=np.zeros_like(frame.pixels)))
    assert black.lost
    assert "black" in black.why
    inverted = tracker.follow(replace(frame, number=2, pixels=255 - frame.pixels))
    assert inverted.lost
    assert "inverted" in inverted.why
    pose = _moved(watched, 3.0)
    again = tracker.follow(watched.show(watched.lateral, pose, number=3, seed=3))
    assert not again.lost
    assert reprojection_error_mm(watched.model.points, watched.lateral, pose, again.pose) < 1.0


def test_new_cement_that_is_masked_does_not_pull(watched: Watched) -> None:
    tracker = Tracker(watched.model, watched.lateral, Registration(Pose.still(), 0.3, 0.9, False, ""))
    tracker.follow(watched.show(watched.lateral, Pose.still()))
    pose = _moved(watched, 2.0)
    frame = watched.show(watched.lateral, pose, number=1, seed=1)
    pixels, cement = frame.pixels.copy(), np.zeros(frame.pixels.shape, bool)
    row, column = watched.lateral.project(pose.apply(watched.model.centre)).astype(int)
    cement[row - 10 : row + 6, column - 34 : column - 14] = True
    pixels[cement] = 5
    found = tracker.follow(replace(frame, pixels=pixels), ignore=cement)
    assert not found.lost
    assert reprojection_error_mm(watched.model.points, watched.lateral, pose, found.pose) < 1.0
