"""Two clicks on the walls give the size of a picture whose pixel pitch nobody stated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from watched_vertebra import Watched

from thecal.fluoro.front.log_picture import BIN
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.view import Pose
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel


def test_a_film_of_a_smaller_field_than_the_usual_is_watched_by_the_walls_as_clicked(
    watched: Watched,
) -> None:
    """A field of 14 cm: by the usual one, of 20 cm, the vertebra would be drawn by a third too small."""
    view = CArm(pitch_mm=0.55, shape=(256, 256)).view(watched.model.centre, 90.0)
    target = watched.target
    walls = target.frame.to_lps([(0.0, 0.0, 0.0), (0.0, target.depth_mm, 0.0)])
    seen = view.project(walls)
    clicked = WatchOptions(view="lateral", walls=tuple(np.round(seen).ravel()))
    frame = watched.show(view, Pose.still())
    model = PlannedModel(target, clicked, None)
    assert any(words.startswith("pixel pitch") for words in model.assumed)
    assert model.see(frame).why.startswith("Taking the picture before cement")
    drawn = model._monitor._place.view.project(walls) * BIN + (BIN - 1) / 2
    np.testing.assert_allclose(drawn, seen, atol=1.5)
    lost = PlannedModel(target, replace(clicked, walls=None), None).see(frame)
    assert lost.level == "lost"
    assert "so assumed: source to detector 1000 mm, source to patient 620 mm, pixel pitch 0.8 mm" in lost.why
