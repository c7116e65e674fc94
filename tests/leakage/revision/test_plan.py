"""What a revision would have to reach, on a spine whose every answer is arithmetic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import CANAL_CENTRE, CANAL_Y, FAT, PITCH, ball, box, in_canal, toy

from thecal.anatomy.spine import Part
from thecal.leakage.find import find_leakage
from thecal.leakage.revision.pedicle_size import sizes_of
from thecal.leakage.revision.plan import DUROTOMY_MARGIN_MM, LAMINECTOMY_MARGIN_MM
from thecal.leakage.revision.plan_value import RevisionPlan

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def planned(*cement, **options) -> RevisionPlan:
    case = toy(*cement, **options)
    plan = find_leakage(case.volume, case.spine, case.cement).revision
    assert plan is not None
    return plan


def within_the_sac(at: float, half: float = 4.0):
    return box(-3, 3, 5, 9, at - half, at + half)


def in_front_of_the_sac(at: float):
    return in_canal(box(-6, 6, -1, 2.4, at - 4, at + 4))


def test_without_cement_in_the_canal_nothing_is_planned_and_a_note_says_why():
    case = toy(ball(0, -15, PITCH, 6))
    found = find_leakage(case.volume, case.spine, case.cement)
    assert found.revision is None
    assert [n.message for n in found.quality if n.code == "revision_not_planned"] == [
        "No revision is planned, since no cement was detected in the canal."
    ]


def test_a_fragment_behind_the_middle_of_a_body_opens_that_lamina_alone():
    plan = planned(within_the_sac(PITCH))
    assert [a.level for a in plan.laminae] == ["T12"]
    assert plan.levels == ("T12",)
    assert plan.laminae[0].measured


def test_a_fragment_behind_a_disc_opens_the_laminae_its_margin_reaches():
    plan = planned(within_the_sac(PITCH / 2, half=5.0))
    assert {a.level for a in plan.laminae} == {"L1", "T12"}
    assert all(0 < a.share < 0.5 for a in plan.laminae)


@pytest.mark.parametrize("tilt", [0.0, 12.0])
def test_the_durotomy_spans_the_cement_in_the_sac_and_its_margins(tilt):
    plan = planned(within_the_sac(PITCH), tilt=tilt)
    assert plan.durotomy is not None
    assert plan.durotomy.length_mm == pytest.approx(8.0 + 2 * DUROTOMY_MARGIN_MM, abs=1.5)
    assert plan.margin_mm == LAMINECTOMY_MARGIN_MM


def test_the_ends_of_the_durotomy_are_said_by_vertebra():
    plan = planned(within_the_sac(PITCH, half=8.0))
    assert plan.durotomy is not None
    assert plan.durotomy.from_place == "the lower third of T12"
    assert plan.durotomy.to_place == "the upper third of T12"
    between = planned(within_the_sac(PITCH / 2, half=0.5))
    assert between.durotomy is not None
    assert "L1" in str(between.durotomy.from_place)
    assert "T12" in str(between.durotomy.to_place)


def test_cement_outside_the_sac_alone_opens_no_dura():
    plan = planned(in_front_of_the_sac(PITCH))
    assert plan.durotomy is None
    assert not any(f.intradural or f.may_have_to_stay for f in plan.fragments)


def test_depth_is_from_the_back_of_the_sac_to_the_cement():
    plan = planned(within_the_sac(PITCH))
    back_of_sac = CANAL_CENTRE + CANAL_Y - FAT
    assert plan.fragments[0].depth_mm == pytest.approx(back_of_sac - 9.0, abs=0.8)


def test_cement_in_the_sac_at_the_height_of_the_conus_may_have_to_stay():
    plan = planned(within_the_sac(0.0))  # L1
    assert plan.fragments[0].neural == "conus_or_cauda"
    assert plan.fragments[0].may_have_to_stay
    assert any("left part of the cement" in remark for remark in plan.remarks)


def test_cement_far_above_the_conus_lies_at_the_cord():
    plan = planned(within_the_sac(PITCH), ids=(15, 14, 13))
    assert plan.fragments[0].neural == "cord"
    assert not plan.fragments[0].may_have_to_stay


def test_cement_below_the_range_lies_at_the_cauda():
    plan = planned(within_the_sac(PITCH), ids=(24, 23, 22))
    assert plan.fragments[0].neural == "cauda"
    assert plan.fragments[0].may_have_to_stay


def test_without_levels_nothing_is_said_of_the_conus():
    case = toy(within_the_sac(PITCH))
    unnamed = tuple(replace(v, level=None) for v in case.spine.vertebrae)
    found = find_leakage(case.volume, replace(case.spine, vertebrae=unnamed), case.cement)
    assert found.revision is not None
    assert found.revision.fragments[0].neural == "unknown"
    assert found.revision.levels == ("vertebra no. 19",)


def test_a_filled_vertebra_is_bridged_from_one_above_to_one_below():
    plan = planned(within_the_sac(PITCH), ball(0, -15, PITCH, 7))
    assert plan.fixation_asked
    assert plan.fixation == ("L1", "T12", "T11")
    assert {p.level for p in plan.pedicles} == {"L1", "T12", "T11"}
    placed = {(p.level, p.side): p.at_mm for p in plan.pedicles}
    for level in ("L1", "T12", "T11"):
        left, right = placed[level, "left"], placed[level, "right"]
        assert left is not None
        assert right is not None
        assert left[0] > 0 > right[0]


def test_a_pedicle_of_which_only_the_lower_part_is_in_the_labels_is_not_measured():
    case = toy(within_the_sac(PITCH), ball(0, -15, PITCH, 7))
    t12 = next(v for v in case.spine.vertebrae if v.level == "T12")
    plan = find_leakage(case.volume, case.spine, case.cement).revision
    assert plan is not None
    whole = next(p for p in plan.pedicles if (p.level, p.side) == ("T12", "left"))
    assert whole.height_mm is not None
    bone = np.argwhere((case.spine.labels == t12.id) & (case.spine.parts == Part.ARCH))
    local = t12.frame.to_local(case.spine.grid.to_lps(bone))
    heights = local[(local[:, 0] > 8) & (local[:, 0] < 20) & (local[:, 1] > -7), 2]
    upper = bone[(local[:, 0] > 4) & (local[:, 2] > heights.min() + 0.4 * whole.height_mm)]
    case.spine.labels[tuple(upper.T)] = 0
    sizes = sizes_of(case.spine, case.spine.vertebrae, [t12.id], np.zeros(case.spine.labels.shape, bool))
    assert {p.side: p.height_mm is None for p in sizes} == {"left": True, "right": False}


def test_one_lamina_over_a_sound_vertebra_asks_for_no_fixation():
    plan = planned(within_the_sac(PITCH))
    assert not plan.fixation_asked
    assert plan.fixation == ()
    assert plan.pedicles == ()


def test_an_end_that_the_scan_does_not_show_is_said():
    plan = planned(within_the_sac(0.0), ball(0, -15, 0, 7))
    assert plan.fixation == ("L1", "T12")
    assert "The level below what is opened is not in the scan." in plan.remarks


def test_the_plan_says_that_it_is_one_to_discuss():
    assert "plan to discuss" in planned(within_the_sac(PITCH)).remarks[0]
    assert np.isfinite([f.volume_ml for f in planned(within_the_sac(PITCH)).fragments]).all()
