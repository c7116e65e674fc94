"""Getting ready asks nothing of the user's pictures."""

from __future__ import annotations

from stand_in import toy_target

from thecal.fluoro.frame import Frame
from thecal.fluoro.reading import Reading
from thecal.fluoro.stream import warm_up as module
from thecal.fluoro.stream.options import WatchOptions
from thecal.fluoro.stream.planned_model import PlannedModel


def test_walls_clicked_on_a_picture_of_1024_rows_do_not_keep_a_live_watch_from_getting_ready(monkeypatch):
    read: list[Reading] = []
    see = PlannedModel.see

    def seen(self: PlannedModel, frame: Frame) -> Reading:
        read.append(see(self, frame))
        return read[-1]

    monkeypatch.setattr(PlannedModel, "see", seen)
    monkeypatch.setattr(module, "PICTURES", 3)
    clicked = WatchOptions(view="lateral", walls=(700.0, 900.0, 690.0, 760.0))
    module.warm_up(toy_target(), clicked, None)
    assert len(read) == 3
    assert not any("outside the picture" in reading.why for reading in read)
