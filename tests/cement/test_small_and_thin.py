"""Thin sheets, vein casts, neighbours across a gap, and the smallest deposit a scan would show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cement_scene import CANAL_CENTRE_YX, Scanner, ball, rod, scan, sheet

from thecal.cement.find import find_cement

THIN = {"spacing": (1.0, 0.7, 0.7), "sigma": (0.45, 0.6, 0.6), "noise": 20.0}
THICK = {"spacing": (2.5, 0.8, 0.8), "sigma": (0.9, 0.6, 0.6), "noise": 20.0}
BODY = ball((22, 22, 26), 6.0)


def volume_near(cement, centre, reach_mm: float) -> float:
    """mL of cement within a cube about a place (z, y, x mm)."""
    points = cement.grid.to_lps(np.argwhere(cement.fraction > 0))[:, ::-1]
    inside = (abs(points - np.asarray(centre)) <= reach_mm).all(1)
    return float(cement.fraction[cement.fraction > 0][inside].sum()) * cement.grid.voxel_mm3 / 1000


@pytest.mark.parametrize("pure", [2500.0, 4500.0])
def test_a_sheet_one_mm_thick_in_the_canal_is_one_piece_of_the_right_volume(pure):
    centre = (22.3, 44.2, 26.1)
    volume, spine, _ = scan([BODY, sheet(centre, 1.0, 9.0)], Scanner(clip=3071, **THIN), pure)
    cement = find_cement(volume, spine)
    assert volume_near(cement, centre, 5.5) == pytest.approx(0.081, rel=0.25)
    at = np.rint(cement.grid.to_index([[centre[2], centre[1], centre[0]]])[0]).astype(int)
    inside = cement.pieces[at[0] - 3 : at[0] + 4, at[1] - 1 : at[1] + 2, at[2] - 4 : at[2] + 5]
    assert len(np.unique(inside[inside > 0])) == 1


def test_a_vein_cast_of_one_and_a_half_mm_hangs_together_with_the_cement_it_left():
    vein = rod((22, 22, 26), (22, 2, 12), 0.75)
    volume, spine, truth = scan([BODY, vein], Scanner(clip=3071, **THIN), 3000.0)
    cement = find_cement(volume, spine)
    assert cement.pieces.max() == 1
    assert float(cement.fraction.sum()) * cement.grid.voxel_mm3 / 1000 == pytest.approx(truth, rel=0.07)
    tip = np.rint(cement.grid.to_index([[13.5, 4.2, 22.0]])[0]).astype(int)
    assert cement.pieces[tip[0] - 1 : tip[0] + 2, tip[1] - 1 : tip[1] + 2, tip[2] - 1 : tip[2] + 2].any()


def test_two_deposits_three_mm_apart_are_two_pieces():
    a, b = ball((22, 44, 21.5), 3.0), ball((22, 44, 30.5), 3.0)
    volume, spine, truth = scan([a, b], Scanner(clip=3071, **THIN), 3000.0)
    cement = find_cement(volume, spine)
    assert cement.pieces.max() == 2
    assert float(cement.fraction.sum()) * cement.grid.voxel_mm3 / 1000 == pytest.approx(truth, rel=0.1)


def test_fractions_lie_within_pieces_and_between_nought_and_one():
    volume, spine, _ = scan([BODY], Scanner(clip=3071, **THIN), 5000.0)
    cement = find_cement(volume, spine)
    assert cement.fraction.min() >= 0.0
    assert cement.fraction.max() <= 1.0
    assert not (cement.fraction[cement.pieces == 0] > 0).any()


def test_the_limit_of_a_scan_with_gaps_is_that_of_a_ball_between_two_slices():
    gaps = Scanner(spacing=(6.0, 0.8, 0.8), sigma=(0.4, 0.65, 0.65), clip=3071)

    def assessed(*cement):
        # Half way between the third slice and the fourth.
        shapes = [ball((18.0, CANAL_CENTRE_YX[0], CANAL_CENTRE_YX[1]), radius) for radius in cement]
        volume, spine, _ = scan(shapes, gaps, 2000.0)
        thin = replace(volume, source=replace(volume.source, slice_thickness_mm=1.0))
        return find_cement(thin, spine)

    limit = assessed().detection_limit_mm3
    radius = (3 * limit / (4 * np.pi)) ** (1 / 3)
    assert assessed(1.1 * radius).pieces.max() == 1
    assert assessed(2.8).pieces.max() == 0
    assert radius < 4.5


@pytest.mark.parametrize("scanner", [THIN, THICK], ids=["1 mm", "2.5 mm"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_deposit_at_the_stated_limit_is_seen_beside_the_canal_wall(scanner, seed):
    rng = np.random.default_rng(seed)
    empty, spine, _ = scan([], Scanner(clip=3071, **scanner))
    stated = find_cement(empty, spine)
    limit = stated.detection_limit_mm3
    # Cement as bright as the limit is stated for.
    pure = stated.detection_limit_hu
    assert 1300.0 < pure <= 3050.0
    radius = (3 * 1.1 * limit / (4 * np.pi)) ** (1 / 3)
    offset = rng.uniform(-0.5, 0.5, 3)
    centre = np.array([22.0, CANAL_CENTRE_YX[0] - 7.5 + radius, CANAL_CENTRE_YX[1]]) + offset
    volume, spine, _ = scan([ball(centre, radius)], Scanner(clip=3071, seed=seed, **scanner), pure)
    assert find_cement(volume, spine).pieces.max() == 1
    smaller = scan([ball(centre, 0.4 * radius)], Scanner(clip=3071, seed=seed, **scanner), pure)[0]
    assert find_cement(smaller, spine).pieces.max() == 0
