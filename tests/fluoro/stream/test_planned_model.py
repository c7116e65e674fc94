"""What is chosen for a watch reaches the picture model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from stand_in import frames, toy_target

from thecal.errors import InputError
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel, put_in
from thecal.fluoro.target import Needle
from thecal.volume import Grid


@pytest.mark.parametrize(("tip", "behind"), [(None, None), ("behind", True), ("past", False)])
def test_where_the_lateral_view_showed_the_tip_is_known_on_the_ap_view(tip, behind):
    model = PlannedModel(toy_target(), WatchOptions(view="ap", tip=tip), None)
    (frame,) = frames(1)
    assert model._begun(frame).tip_behind_wall is behind


@pytest.mark.parametrize(
    ("said", "left"),
    [(None, ["one", "left", "right"]), ("one", ["one"]), ("left", ["left"]), ("both", ["left", "right"])],
)
def test_of_the_planned_needles_those_that_are_put_in_are_looked_for(said, left):
    planned = tuple(
        Needle(side, (0.0, 0.0, 0.0), (0.0, 9.0, 0.0), 3.0, name)
        for side, name in (("left", "one"), ("left", "left"), ("right", "right"))
    )
    target = replace(toy_target(), needles=planned)
    assert [needle.name for needle in put_in(target, WatchOptions(needle=said)).needles] == left
    with pytest.raises(InputError, match=r"the plan of .* holds one"):
        put_in(replace(target, needles=planned[:1]), WatchOptions(needle="both"))


def test_a_plan_from_slices_of_5_mm_is_not_watched():
    target = toy_target()
    affine = target.grid.affine.copy()
    affine[:3, 0] *= 5.0 / target.grid.spacing_mm[0]
    thick = replace(target, grid=Grid(target.grid.shape, affine))
    with pytest.raises(InputError, match=r"slices of 5\.0 mm; cement is watched .* 3 mm or less"):
        PlannedModel(thick, WatchOptions(view="lateral"), None)
