"""Levels of alarm: up at once, down only after a while."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from thecal.fluoro.front.alarms import DOWN_S, Alarms
from thecal.fluoro.front.find_front import Front
from thecal.fluoro.front.medial_line import NeedleMedial


def _front(share):
    return Front(share, 30.0 * share)


def test_the_levels_follow_the_front_through_the_body():
    said = [Alarms("third").say(0.0, _front(share), ()).level for share in (0.8, 0.40, 0.33, 0.1)]
    assert said == ["ok", "near", "stop", "stop"]


def test_with_the_quarter_chosen_the_third_is_only_near():
    assert Alarms("quarter").say(0.0, _front(0.33), ()).level == "near"
    assert Alarms("quarter").say(0.0, _front(0.25), ()).level == "stop"


def test_a_leak_is_said_over_a_stop_that_still_holds():
    alarm = Alarms("third").say(0.0, _front(0.2), ("behind the posterior wall",))
    assert alarm.level == "leak"
    assert "stop" in alarm.also
    assert "behind the posterior wall" in alarm.why


def test_danger_is_said_at_once_and_left_only_after_a_while():
    alarms = Alarms("third")
    assert alarms.say(0.0, _front(0.6), ()).level == "ok"
    assert alarms.say(0.1, _front(0.3), ()).level == "stop"
    assert alarms.say(0.1 + 0.9 * DOWN_S, _front(0.6), ()).level == "stop"
    assert alarms.say(0.1 + 2.1 * DOWN_S, _front(0.6), ()).level == "ok"


@given(st.lists(st.tuples(st.floats(0.05, 0.5), st.floats(-0.2, 1.0)), min_size=1, max_size=30))
def test_whatever_came_before_a_front_in_the_posterior_third_is_never_ok(steps):
    alarms, time = Alarms("third"), 0.0
    for wait, share in steps:
        time += wait
        alarm = alarms.say(time, _front(share), ())
        if share <= 1.0 / 3.0:
            assert alarm.level == "stop"


def test_a_needle_medial_of_the_pedicle_behind_the_wall_stops():
    needle = NeedleMedial("stop", "The left needle's tip is medial.")
    alarm = Alarms("third").say(0.0, None, (), needle)
    assert alarm.level == "stop"
    assert alarm.why == needle.why


def test_a_stop_holds_though_the_vertebra_was_lost_and_the_picture_before_cement_is_taken_again():
    alarms = Alarms("third")
    assert alarms.say(0.0, _front(0.3), ()).level == "stop"
    alarms.begin_anew()
    later = alarms.say(60.0, None, ())
    assert later.level == "stop"
    assert "holds" in later.why
    worse = alarms.say(61.0, None, ("behind the posterior wall",))
    assert worse.level == "leak"
    assert alarms.say(120.0, None, ()).level == "stop"


def test_with_cement_in_a_new_picture_before_cement_is_never_followed_by_ok():
    alarms = Alarms("third")
    assert alarms.say(0.0, _front(0.55), ()).level == "ok"
    alarms.begin_anew()
    later = alarms.say(9.0, None, ())
    assert later.level == "near"
    assert "not seen" in later.why


def test_without_cement_a_new_picture_before_cement_is_followed_by_ok():
    alarms = Alarms("third")
    assert alarms.say(0.0, None, ()).level == "ok"
    alarms.begin_anew()
    assert alarms.say(9.0, None, ()).level == "ok"


def test_what_still_holds_is_told_of_the_past():
    alarms = Alarms("third")
    alarms.say(0.0, _front(0.3), ())
    held = alarms.say(0.5 * DOWN_S, None, ())
    assert held.level == "stop"
    assert held.why == "Cement had reached the posterior third."
