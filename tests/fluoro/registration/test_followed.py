"""A vertebra once found is followed while the patient breathes and the table moves."""

from __future__ import annotations

import numpy as np
from watched_vertebra import Watched

from thecal.fluoro.frame import Frame
from thecal.fluoro.front.log_picture import BIN
from thecal.fluoro.front.monitor import Monitor
from thecal.fluoro.projection.view import Pose

FPS = 3.0
BEFORE = 18


def _moved(watched: Watched, up: float, table: float = 0.0) -> Pose:
    return Pose.about(watched.model.centre, [0.2 * up, 0, 0], [0.0, 0.3 * table, up + table])


def test_breathing_and_a_table_move_of_15_mm_are_followed_within_a_millimetre(watched: Watched) -> None:
    view = watched.lateral
    monitor = Monitor(watched.target, view, pose=Pose.still())
    ways = [(2.0 * np.sin(0.7 * n), 0.0) for n in range(BEFORE)]
    ways += [(0.0, 0.0), (2.0, 0.0), (4.0, 0.0), (3.0, 15.0), (1.0, 15.0)]
    first = view.project(watched.model.points)
    half = (BIN - 1) / 2.0
    for number, (up, table) in enumerate(ways):
        pose = _moved(watched, up, table)
        shown = watched.show(view, pose, number=number, seed=number)
        reading = monitor.see(Frame(number, number / FPS, shown.pixels))
        if number < BEFORE:
            continue
        assert reading.level != "lost"
        at = monitor.move.to_picture((first - half) / BIN) * BIN + half
        away = np.linalg.norm(at - view.project(pose.apply(watched.model.points)), axis=-1)
        pixel_mm = np.linalg.norm(view.along_row) / view.magnification(watched.model.centre)
        assert away.mean() * pixel_mm < 1.0
