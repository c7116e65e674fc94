"""What is chosen for a watch reaches the picture model."""

from __future__ import annotations

import pytest
from stand_in import frames, toy_target

from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel


@pytest.mark.parametrize(("tip", "behind"), [(None, None), ("behind", True), ("past", False)])
def test_where_the_lateral_view_showed_the_tip_is_known_on_the_ap_view(tip, behind):
    model = PlannedModel(toy_target(), WatchOptions(view="ap", tip=tip), None)
    (frame,) = frames(1)
    assert model._begun(frame).tip_behind_wall is behind
