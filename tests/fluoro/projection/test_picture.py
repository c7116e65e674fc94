"""Fluoroscopic pictures: what must be dark is dark, as much as physics says, and noise follows the dose."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.errors import InputError
from thecal.fluoro.projection.c_arm import CArm
from thecal.fluoro.projection.detector import Detector, exposed, scatter_of
from thecal.fluoro.projection.materials import CT_KEV, Body, body_of, rod_shadow, shadow
from thecal.fluoro.projection.picture import picture, scene
from thecal.fluoro.projection.spectrum import attenuation_at, beam
from thecal.volume import Grid

ARM = CArm(pitch_mm=1.2, shape=(96, 96))
STILL = Detector(electronic_photons=0.0, gain_error=0.0, offset_error=0.0)


def block(hu: float, shape=(50, 50, 50)) -> tuple[np.ndarray, Grid]:
    """100 mm of one tissue around the origin."""
    affine = np.array([[0, 0, 2.0, -49], [0, 2.0, 0, -49], [2.0, 0, 0, -49], [0, 0, 0, 1.0]])
    return np.full(shape, hu, np.int16), Grid(shape, affine)


@pytest.fixture(scope="module")
def trunk() -> Body:
    """Soft tissue with a column of bone along z, air around."""
    hu, grid = block(-1000)
    hu[:, 3:-3, 3:-3] = 30
    hu[:, 20:30, 20:30] = 600
    return body_of(hu, grid)


def test_materials_attenuate_as_the_hounsfield_units_say():
    hu = np.arange(-1024, 3072, 7, dtype=np.int16).reshape(1, 1, -1)
    body = body_of(hu, Grid(hu.shape, np.eye(4)))
    soft, bone, water = (attenuation_at(name, CT_KEV) for name in ("soft", "bone", "water"))
    read = 1000 * ((body.soft * soft + body.bone * bone) / water - 1)
    np.testing.assert_allclose(read, np.maximum(hu, -1000), atol=0.5)
    assert not body.bone[hu <= 100].any()
    assert (body.bone[hu > 200] > 0).all()
    assert (np.diff(body.bone.ravel()) >= 0).all()


def test_cement_has_the_hounsfield_units_that_mixture_predicts():
    # figures.md 3.1: 20 % BaSO4 in what sets reads 6914, 4952 and 3694 HU at 60, 70 and 80 keV.
    for kev, hu in ((60.0, 6914), (70.0, 4952), (80.0, 3694)):
        read = 1000 * (attenuation_at("cement", kev) / attenuation_at("water", kev) - 1)
        assert read == pytest.approx(hu, rel=0.02)


def test_the_beam_hardens_behind_bone_and_cement():
    rays = beam(80.0)
    assert rays.signal.sum() == pytest.approx(1.0)
    for material in ("soft", "bone", "cement", "steel"):
        thickness = np.array([0.01, 1.0, 5.0, 20.0])
        slope = -np.log(rays.passed({material: thickness})) / thickness
        assert (np.diff(slope) < 0).all()
    assert beam(110.0).passed({"bone": np.array(20.0)}) > rays.passed({"bone": np.array(20.0)})


def test_few_bins_of_energy_are_enough():
    mm = {"soft": np.array([0.0, 100.0, 200.0]), "bone": np.array([0.0, 10.0, 20.0])}
    for kv in (60.0, 80.0, 95.0, 120.0):
        np.testing.assert_allclose(beam(kv).passed(mm), beam(kv, 1).passed(mm), rtol=0.01)
        cement = {**mm, "cement": np.array([1.0, 5.0, 10.0])}
        np.testing.assert_allclose(beam(kv).passed(cement), beam(kv, 1).passed(cement), rtol=0.03)


def test_a_tube_that_cannot_be_is_refused():
    with pytest.raises(InputError, match="tube voltage"):
        beam(200.0)
    with pytest.raises(InputError, match="bits"):
        Detector(bits=17)


def test_bone_cement_and_needle_are_dark_in_the_right_place(trunk):
    view = ARM.view(np.zeros(3), 0.0)
    seen = scene(trunk, view, detector=STILL)
    plain = picture(seen).astype(float)
    assert plain[:, 44:52].mean() < plain[:, 30:38].mean() - 10
    ball = np.zeros(trunk.grid.shape, np.float32)
    ball[10:14, 24:28, 34:38] = 1.0
    needle = rod_shadow((-16.0, 0.0, 20.0), (-16.0, 60.0, 20.0), 3.0, view)
    added = picture(seen, [shadow(ball, trunk.grid, view), needle]).astype(float)
    for point in [trunk.grid.to_lps((11.5, 25.5, 35.5)), (-16.0, 30.0, 20.0)]:
        row, column = np.round(view.project(point)).astype(int)
        assert added[row, column] < plain[row, column] - 20
    away = np.abs(added - plain)[:, :15]
    assert away.max() == 0


def test_a_needle_s_shadow_is_as_long_as_the_way_through_a_cylinder():
    view = CArm(pitch_mm=0.2, shape=(200, 200)).view(np.zeros(3), 0.0)
    across = rod_shadow((-8.0, 0.0, 0.0), (8.0, 0.0, 0.0), 3.0, view)
    assert across.mm.max() == pytest.approx(3.0, rel=1e-3)
    volume = np.pi * 1.5**2 * 16.0
    pixel = 0.2 * 0.62
    assert across.mm.sum() * pixel**2 == pytest.approx(volume, rel=0.01)
    hollow = rod_shadow((-8.0, 0.0, 0.0), (8.0, 0.0, 0.0), 3.0, view, bore_mm=2.0)
    assert hollow.mm.sum() * pixel**2 == pytest.approx(volume * (1 - 4 / 9), rel=0.01)
    along = rod_shadow((0.0, -8.0, 0.0), (0.0, 8.0, 0.0), 3.0, view)
    assert along.mm.max() == pytest.approx(16.0, rel=1e-3)


def test_a_shadow_of_a_few_voxels_is_that_of_the_whole_volume(trunk):
    from thecal.fluoro.projection.line_integrals import line_integrals

    view = ARM.view(np.zeros(3), 35.0, 10.0)
    cement = np.zeros(trunk.grid.shape, np.float32)
    cement[20:26, 22:31, 17:29] = np.random.default_rng(3).uniform(0, 1, (6, 9, 12))
    part = shadow(cement, trunk.grid, view)
    whole = line_integrals(cement, trunk.grid, view)
    np.testing.assert_allclose(part.mm, whole[part.rows, part.columns], atol=1e-3)
    whole[part.rows, part.columns] = 0
    assert whole.max() == 0
    assert shadow(np.zeros_like(cement), trunk.grid, view).mm.size == 0


def test_cement_beyond_the_detector_is_not_seen(trunk):
    view = ARM.view((400.0, 0.0, 0.0), 0.0)
    cement = np.ones(trunk.grid.shape, bool)
    away = shadow(cement, trunk.grid, view), rod_shadow((0.0, 0.0, 0.0), (0.0, 9.0, 0.0), 3.0, view)
    assert all(one.mm.size == 0 for one in away)


def test_noise_falls_with_the_root_of_the_dose_and_follows_the_seed():
    sharp = Detector(blur_mm=0.0, electronic_photons=0.0, gain_error=0.0, offset_error=0.0)
    flat = np.full((200, 200), 0.5, np.float32)
    for photons in (20.0, 400.0, 40000.0):
        read = exposed(flat, photons, sharp, 0.4, seed=5)
        assert read.mean() == pytest.approx(photons / 2, rel=0.01)
        assert read.var() == pytest.approx(photons / 2, rel=0.05)
    again = exposed(flat, 400.0, sharp, 0.4, seed=5)
    np.testing.assert_array_equal(again, exposed(flat, 400.0, sharp, 0.4, seed=5))
    assert (again != exposed(flat, 400.0, sharp, 0.4, seed=6)).any()


def test_the_stated_share_of_what_arrives_is_scatter():
    flat = np.full((70, 90), 0.2, np.float32)
    scatter = scatter_of(flat, Detector(scatter_share=0.4), 0.4)
    np.testing.assert_allclose(scatter / (scatter + flat), 0.4, rtol=1e-4)


def test_the_c_arm_keeps_the_dose_behind_a_thin_and_a_thick_patient():
    quiet = Detector(scatter_share=0.0, blur_mm=0.0, electronic_photons=0.0, gain_error=0.0, offset_error=0.0)
    reads = []
    for hu in (0, 300):
        body = body_of(*block(hu))
        seen = scene(body, CArm(pitch_mm=0.6, shape=(64, 64)).view(np.zeros(3), 0.0), detector=quiet)
        reads.append(float((seen.passed * seen.photons)[16:48, 16:48].mean()))
        assert reads[-1] == pytest.approx(30e-3 * seen.beam.photons_per_mm2_ugy * 0.36, rel=1e-3)
    assert reads[0] == pytest.approx(reads[1], rel=1e-3)


@pytest.mark.parametrize(("bits", "kind"), [(8, np.uint8), (12, np.uint16), (16, np.uint16)])
def test_pictures_have_the_bits_asked_for(trunk, bits, kind):
    shown = picture(scene(trunk, ARM.view(np.zeros(3), 90.0), detector=Detector(bits=bits)), seed=2)
    assert shown.dtype == kind
    assert shown.shape == ARM.shape
    assert 2 ** (bits - 1) < shown.max() <= 2**bits - 1
