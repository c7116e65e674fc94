"""Occlusion, heights, thirds and density, where arithmetic gives the answer."""

from dataclasses import replace

import numpy as np
import pytest
from box_spine import CANAL_AREA, box, in_canal, toy

from thecal.leakage import find_leakage
from thecal.leakage.levels import Levels
from thecal.leakage.occlusion import occlusion_along, sections

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def run(case):
    return find_leakage(case.volume, case.spine, case.cement)


@pytest.mark.parametrize("turned", [(0, 0), (25, 10)])
def test_a_half_filled_canal_is_half_occluded_however_it_leans(turned):
    found = run(toy(in_canal(box(0, 20, -5, 30, 20, 44)), tilt=turned[0], roll=turned[1]))
    assert found.worst.fraction == pytest.approx(0.5, abs=0.03)
    assert found.worst.canal_area_mm2 == pytest.approx(CANAL_AREA, rel=0.02)
    assert found.worst.level == "T12"
    assert found.worst.vertebra_id == 19
    assert {d.vertebra_id for d in found.deposits} == {19}
    assert found.canal_cement_ml == pytest.approx(CANAL_AREA / 2 * 24 / 1000, rel=0.05)


def test_the_residual_diameter_is_the_least_that_cement_leaves_near_the_midline():
    found = run(toy(in_canal(box(-12, 12, -2, 6.5, 26, 38))))
    # The canal runs from 0.5 to 16.5 behind the wall; cement takes the front 6 mm.
    assert found.worst.residual_ap_mm == pytest.approx(10.0, abs=0.6)


def test_cement_beside_the_midline_leaves_no_more_than_it_leaves_there():
    found = run(toy(in_canal(box(1, 12, -2, 6.5, 26, 38))))
    assert found.worst.residual_ap_mm == pytest.approx(10.0, abs=0.6)


def test_the_profile_of_the_canal_ends_where_the_scan_ends():
    case = toy(in_canal(box(0, 20, -5, 30, 20, 44)), tilt=15)
    # The canal's curve runs on beyond what is left of the scan.
    cut = slice(14, case.spine.grid.shape[0] - 20)
    _, rows, columns = case.spine.grid.shape
    grid = case.spine.grid.crop((cut, slice(0, rows), slice(0, columns)))
    found = occlusion_along(case.spine.canal, case.cement.fraction[cut], grid, grid)
    profile = sections(found, case.spine.canal, Levels.of(case.spine))
    frame = case.spine.canal.frame
    assert len(profile) < len(frame.s_mm) - 10
    assert profile[0].canal_area_mm2 is not None
    assert profile[-1].canal_area_mm2 is not None
    z = frame.at([profile[0].at_mm, profile[-1].at_mm])[:, 2]
    low, high = grid.to_lps([[0, 0, 0], [grid.shape[0] - 1, 0, 0]])[:, 2]
    assert low - 1 <= z[0] < low + 8
    assert high - 8 < z[1] <= high + 1


def with_screw(case, x):
    """A pedicle screw of T12, ``x`` mm to the left, from the arch into the body."""
    index = np.stack(np.meshgrid(*[np.arange(n) for n in case.spine.grid.shape], indexing="ij"), -1)
    start, end = case.to_lps([x, 10.0, 32.0]), case.to_lps([x, -20.0, 32.0])
    along = (end - start) / np.linalg.norm(end - start)
    off = case.spine.grid.to_lps(index) - start
    far = np.clip(off @ along, 0, np.linalg.norm(end - start))
    metal = np.linalg.norm(off - far[..., None] * along, axis=-1) < 3.0
    return replace(case, cement=replace(case.cement, metal=metal))


def test_at_a_pedicle_screw_no_cement_seen_is_not_zero_cement():
    found = run(with_screw(toy(), 15.0))
    t12 = found.vertebrae[1]
    assert (t12.cement_ml, t12.fill_fraction) == (None, None)
    assert [found.vertebrae[i].cement_ml for i in (0, 2)] == [0.0, 0.0]
    at_screw = [s for s in found.profile if s.cement_area_mm2 is None and s.canal_area_mm2 is not None]
    assert 5 <= len(at_screw) <= 12
    assert {s.level for s in at_screw} == {"T12"}
    assert all(s.canal_area_mm2 == pytest.approx(CANAL_AREA, rel=0.05) for s in at_screw)
    assert found.canal_cement_ml is None


def test_cement_seen_in_the_canal_beside_a_screw_stays_a_finding():
    found = run(with_screw(toy(in_canal(box(0, 20, -5, 30, 20, 44))), 15.0))
    assert found.worst.fraction == pytest.approx(0.5, abs=0.03)
    assert found.canal_cement_ml > 0.5


def test_metal_far_from_the_canal_leaves_its_planes_assessable():
    found = run(with_screw(toy(), 29.0))
    assert all(s.cement_area_mm2 == 0.0 for s in found.profile if s.canal_area_mm2 is not None)


def test_a_canal_not_found_gives_no_number():
    case = toy(in_canal(box(0, 20, -5, 30, 20, 44)))
    canal = replace(case.spine.canal, confidence=np.zeros_like(case.spine.canal.confidence))
    found = run(replace(case, spine=replace(case.spine, canal=canal)))
    assert found.worst is None
    assert found.canal_cement_ml is None
    assert all(section.canal_area_mm2 is None for section in found.profile)
    assert "canal_not_assessable" in [note.code for note in found.quality]


def _wedge(anterior):
    return 24.0 - 8.0 * np.clip(anterior / 30.0, 0, 1)


@pytest.mark.parametrize("turned", [(0, 0), (18, 6)])
def test_a_wedge_fracture_is_measured_against_its_neighbours(turned):
    t12 = run(toy(height=_wedge, tilt=turned[0], roll=turned[1])).vertebrae[1]
    assert t12.height_posterior_mm == pytest.approx(24, rel=0.05)
    assert t12.height_anterior_mm == pytest.approx(16, rel=0.07)
    assert t12.height_loss_fraction == pytest.approx(1 / 3, abs=0.05)
    assert t12.wedge_degrees == pytest.approx(np.degrees(2 * np.arctan(4 / 30)), abs=1.5)


def test_thirds_are_counted_from_the_anterior_wall():
    t12 = run(toy(box(-10, 10, -29, -21, 26, 38))).vertebrae[1]
    assert t12.cement_anterior == pytest.approx(1.0, abs=0.05)
    assert not t12.posterior_third_reached
    t12 = run(toy(box(0, 16, -29, -1, 24, 40))).vertebrae[1]
    assert t12.posterior_third_reached
    assert t12.cement_left_fraction == pytest.approx(1.0, abs=0.05)
    assert t12.fill_fraction == pytest.approx(16 * 28 * 16 / (40 * 30 * 24), rel=0.1)


def test_trabecular_density_of_a_full_body_comes_from_its_neighbours():
    found = run(toy(box(-18, 18, -28, -2, 22, 42)))
    assert found.vertebrae[1].trabecular_hu == pytest.approx(150, abs=2)
    assert "trabecular_hu_from_neighbours" in [note.code for note in found.quality]


def test_a_vertebra_cut_by_the_scan_has_no_heights_and_says_so():
    case = toy()
    cut = replace(case.spine.vertebrae[0], complete=False)
    found = run(replace(case, spine=replace(case.spine, vertebrae=(cut, *case.spine.vertebrae[1:]))))
    assert found.vertebrae[0].height_anterior_mm is None
    assert found.vertebrae[0].fill_fraction is None
    assert "vertebra_incomplete" in [note.code for note in found.quality]
