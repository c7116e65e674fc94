"""From lengths of tissue to a grey picture; movement; rods."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.materials import rod_shadow
from thecal.phantom.fluoroscope import KILOVOLTS, Display, Fluoroscope, doubled, primary
from thecal.phantom.patient_motion import draw_motion


def _flat(value):
    return np.full((32, 32), value, np.float32)


def test_more_of_anything_lets_less_through_and_steel_stops_most():
    for kv in KILOVOLTS:
        scope = Fluoroscope(kv=kv)
        plain = primary(scope, _flat(200.0), _flat(10.0), _flat(0.0), _flat(0.0)).mean()
        values = {
            "tissue": primary(scope, _flat(205.0), _flat(10.0), _flat(0.0), _flat(0.0)).mean(),
            "bone": primary(scope, _flat(200.0), _flat(15.0), _flat(0.0), _flat(0.0)).mean(),
            "cement": primary(scope, _flat(200.0), _flat(10.0), _flat(5.0), _flat(0.0)).mean(),
            "steel": primary(scope, _flat(200.0), _flat(10.0), _flat(0.0), _flat(5.0)).mean(),
        }
        assert values["steel"] < values["cement"] < values["bone"] < values["tissue"] < plain


def test_brightness_is_held_when_the_patient_gets_thicker():
    rng = np.random.default_rng(0)
    display = Display(Fluoroscope(quanta=1000.0), rng)
    thin = display.show(_flat(0.02))[0].mean()
    for _ in range(30):
        thick = display.show(_flat(0.005))[0].mean()
    assert abs(float(thick) - float(thin)) < 6.0


def test_less_dose_is_more_noise():
    spread = [
        float(Display(Fluoroscope(quanta=q, bits=12), np.random.default_rng(1)).show(_flat(0.02))[0].std())
        for q in (50.0, 500.0)
    ]
    assert spread[0] > 2.0 * spread[1]


def test_doubling_a_slope_gives_the_slope():
    slope = np.tile(np.arange(16, dtype=np.float32), (16, 1))
    fine = doubled(slope)[4:-4, 4:-4]
    np.testing.assert_allclose(np.diff(fine, axis=1), 0.5, atol=1e-5)


@given(st.floats(0.5, 2.0), st.floats(-60.0, 60.0))
def test_a_ray_square_to_a_rod_runs_its_diameter_within_it(radius, degrees):
    view = CArm(shape=(200, 200), pitch_mm=0.3).view((0.0, 0.0, 0.0), 90.0)
    way = np.array([0.0, np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    rod, thin = (rod_shadow(-15.0 * way, 15.0 * way, d, view).on(view.shape) for d in (2 * radius, radius))
    assert 1.8 * radius < rod.max() < 2.02 * radius
    assert np.all(thin <= rod)


@given(st.integers(0, 500))
def test_the_breath_comes_back_and_the_table_stays_where_it_went(seed):
    motion = draw_motion(np.zeros(3), 12.0, np.random.default_rng(seed))
    late = 40.0
    one, other = motion.spine(late), motion.spine(late + motion.period_s)
    np.testing.assert_allclose(one.shift, other.shift, atol=1e-9)
    np.testing.assert_allclose(motion.table(late), motion.table_mm)
    np.testing.assert_allclose(motion.table(0.0), 0.0)
