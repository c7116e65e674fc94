"""The same phantom patient before and after a revision."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.revised import RevisedPair, Revision, revised_pair
from thecal.phantom.spine_model import draw_spine


@pytest.fixture(scope="module")
def pair() -> RevisedPair:
    move = np.eye(4)
    move[:3, 3] = (10.0, -20.0, 30.0)
    return revised_pair(
        9201,
        "T12-L1",
        [
            DepositSpec("intravertebral", "T12", 1.5, "midline"),
            DepositSpec("epidural", "T12", 0.4, "right"),
            DepositSpec("intradural", "T12", 0.2, "midline"),
        ],
        Revision(gone=(3,), cut_above=((2, 0.5),), laminae=("T12",), screws=("L1",)),
        spacing_before=(2.0, 1.0, 1.0),
        spacing_after=(2.0, 1.2, 1.2),
        move=move,
        fov_mm=100.0,
    )


def test_what_was_taken_out_is_gone_and_the_rest_is_the_same(pair):
    assert pair.after_ml[2] == 0.0
    assert 0.0 < pair.after_ml[1] < pair.before_ml[1]
    assert pair.after_ml[0] == pytest.approx(pair.before_ml[0], rel=0.02)


def test_what_is_new_and_what_broke_since_is_on_the_later_scan_alone():
    deposits = [DepositSpec("intravertebral", "T12", 1.0, "midline")]
    added = (DepositSpec("intradural", "T12", 0.2, "midline"),)
    made = revised_pair(
        9202,
        "T12",
        deposits,
        Revision(added=added, collapsed={"T11": "crush"}),
        spacing_before=(3.0, 1.5, 1.5),
        spacing_after=(3.0, 1.5, 1.5),
        fov_mm=100.0,
    )
    assert made.compartments == ("intravertebral", "intradural")
    assert made.before_ml[1] == 0.0
    assert made.after_ml[1] == pytest.approx(0.2, rel=0.1)
    assert made.after_ml[0] == pytest.approx(made.before_ml[0], rel=0.02)


def test_a_later_fracture_leaves_the_vertebrae_below_as_they_are():
    before = {v.level: v for v in draw_spine(9203, "T11-L1", fractures={"T12": "wedge"}).vertebrae}
    later = draw_spine(9203, "T11-L1", fractures={"T12": "wedge"}, collapsed={"T11": "crush"}).vertebrae
    after = {v.level: v for v in later}
    for level in ("T12", "L1", "L2"):
        assert after[level].heights == before[level].heights
        assert np.array_equal(after[level].frame.origin, before[level].frame.origin)
    assert max(after["T11"].heights) < 0.8 * max(before["T11"].heights)


def test_the_screws_are_the_brightest_of_the_later_scan_only(pair):
    ceiling = pair.after.source.hu_clipped_at or 32767
    assert int(pair.after.hu.max()) >= min(ceiling, 5500)
    assert int(pair.before.hu.max()) < 5000


def test_the_patient_lies_elsewhere(pair):
    middle = [v.grid.to_lps((np.array(v.grid.shape) - 1) / 2) for v in (pair.before, pair.after)]
    assert middle[1] - middle[0] == pytest.approx([10.0, -20.0, 30.0], abs=2.5)
