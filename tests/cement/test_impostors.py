"""What is bright and not cement: screws, rods, contrast, calcium; and streaks, which are nothing at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cement_scene import Scanner, ball, rod, scan

from thecal.cement.find import find_cement
from thecal.volume import Volume

SCREW = rod((22, 58, 40), (22, 14, 28), 2.75)
ROD = rod((2, 60, 40), (42, 60, 40), 2.75)
TITANIUM_HU = 12000.0


def with_material(volume: Volume, shapes, hu_of_it: float, scanner: Scanner) -> Volume:
    """The volume with further shapes, blurred alike."""
    alone, _, _ = scan(shapes, replace(scanner, noise=0, clip=None), 10000.0, ground=0)
    share = np.clip(alone.hu / 10000.0, 0, 1)
    hu = volume.hu * (1 - share) + hu_of_it * share
    return replace(volume, hu=np.clip(hu, -1024, scanner.clip or 20000).astype(np.int16))


def measured_ml(cement) -> float:
    return float(cement.fraction.sum()) * cement.grid.voxel_mm3 / 1000


def codes(cement) -> set[str]:
    return {note.code for note in cement.quality}


@pytest.mark.parametrize("clip", [None, 3071])
@pytest.mark.parametrize("hardware", [[SCREW], [SCREW, ROD]], ids=["screw", "screw and rod"])
def test_a_pedicle_screw_is_metal_and_not_cement(clip, hardware):
    scanner = Scanner(clip=clip)
    volume, spine, _ = scan([], scanner)
    cement = find_cement(with_material(volume, hardware, TITANIUM_HU, scanner), spine)
    assert cement.pieces.max() == 0
    assert cement.metal.sum() * cement.grid.voxel_mm3 > 700
    assert "metal_in_view" in codes(cement)


def test_cement_away_from_a_screw_is_still_measured():
    scanner = Scanner(clip=3071)
    volume, spine, truth = scan([ball((22, 20, 14), 5.0)], scanner, 4000.0)
    cement = find_cement(with_material(volume, [SCREW, ROD], TITANIUM_HU, scanner), spine)
    assert "metal_in_view" in codes(cement)
    assert measured_ml(cement) == pytest.approx(truth, rel=0.15)


def test_a_cloud_of_cement_round_a_screw_is_reported_beside_the_metal():
    scanner = Scanner(clip=3071)
    volume, spine, truth = scan([ball((22, 17, 27), 7.5)], scanner, 4000.0)
    cement = find_cement(with_material(volume, [SCREW, ROD], TITANIUM_HU, scanner), spine)
    assert cement.metal.any()
    assert 0.5 * truth < measured_ml(cement) < 1.3 * truth


def test_a_needle_track_filled_with_cement_is_cement():
    volume, spine, truth = scan([rod((22, 60, 40), (22, 25, 30), 1.5)], Scanner(clip=3071), 3000.0)
    cement = find_cement(volume, spine)
    assert not cement.metal.any()
    assert cement.pieces.max() == 1
    assert measured_ml(cement) == pytest.approx(truth, rel=0.3)


AORTA = rod((-5, 0, 10), (60, 0, 10), 9.0)
PLAQUE = rod((10, 6, 14), (16, 6, 15), 1.5)


@pytest.mark.parametrize("lumen_hu", [40.0, 350.0], ids=["plain", "enhanced"])
@pytest.mark.parametrize("treated", [False, True], ids=["no cement", "cement in the body"])
def test_a_calcified_aorta_is_not_cement(lumen_hu, treated):
    scanner = Scanner(clip=3071)
    shapes = [ball((22, 26, 28), 6.0)] if treated else []
    volume, spine, truth = scan(shapes, scanner, 3000.0)
    volume = with_material(volume, [AORTA], lumen_hu, scanner)
    volume = with_material(volume, [PLAQUE], 1150.0, scanner)
    cement = find_cement(volume, spine)
    assert measured_ml(cement) == pytest.approx(truth, rel=0.05, abs=1e-6)
    assert cement.pieces.max() == (1 if treated else 0)


def test_dense_contrast_in_a_vein_away_from_the_spine_is_not_cement():
    scanner = Scanner(clip=3071)
    volume, spine, _ = scan([], scanner)
    bolus = with_material(volume, [rod((-5, 1, 44), (60, 1, 44), 5.0)], 3071.0, scanner)
    assert find_cement(bolus, spine).pieces.max() == 0


def test_streaks_beside_cement_neither_make_nor_eat_it():
    scanner = Scanner(clip=3071, noise=15)
    volume, spine, truth = scan([ball((22, 22, 26), 6.2)], scanner, 3000.0)
    plain = measured_ml(find_cement(volume, spine))
    z, y, x = (np.arange(n) * s for n, s in zip(volume.hu.shape, volume.grid.spacing_mm, strict=True))
    angle = np.arctan2(y[:, None] - 22.0, x[None, :] - 26.0)
    reach = np.hypot(y[:, None] - 22.0, x[None, :] - 26.0)
    fan = 120.0 * np.cos(8 * angle) * np.clip((reach - 5.0) / 3.0, 0, 1) * np.exp(-reach / 30.0)
    near = np.abs(z - 22.0) < 7.0
    streaked = volume.hu + near[:, None, None] * fan
    cement = find_cement(replace(volume, hu=np.clip(streaked, -1024, 3071).astype(np.int16)), spine)
    assert cement.pieces.max() == 1
    assert measured_ml(cement) == pytest.approx(plain, rel=0.04)
    assert measured_ml(cement) == pytest.approx(truth, rel=0.06)


def test_a_fill_from_side_to_side_of_a_body_is_no_screw():
    volume, spine, truth = scan([rod((22, 24, 8), (22, 24, 44), 4.3)], Scanner(clip=3071), 3500.0)
    cement = find_cement(volume, spine)
    assert not cement.metal.any()
    assert measured_ml(cement) == pytest.approx(truth, rel=0.15)


def test_a_straight_cast_along_the_canal_is_no_rod():
    shapes = [ball((22, 24, 26), 6.2), rod((2, 47, 26), (42, 47, 26), 3.4)]
    volume, spine, truth = scan(shapes, Scanner(), 4500.0)
    cement = find_cement(volume, spine)
    assert not cement.metal.any()
    assert measured_ml(cement) == pytest.approx(truth, rel=0.15)


def test_a_cast_in_the_veins_before_a_body_is_no_screw():
    shapes = [ball((22, 24, 26), 6.2), rod((4, 6.5, 26), (40, 6.5, 26), 2.6)]
    volume, spine, truth = scan(shapes, Scanner(spacing=(2.0, 1.0, 1.0)), 4500.0)
    cement = find_cement(volume, spine)
    assert not cement.metal.any()
    assert measured_ml(cement) == pytest.approx(truth, rel=0.15)


def test_a_bright_osteophyte_beside_cement_is_not_cement():
    scanner = Scanner(clip=3071)
    volume, spine, _ = scan([ball((22, 24, 26), 6.2)], scanner, 3000.0)
    plain = measured_ml(find_cement(volume, spine))
    # Bone as bright as the brightest cortex, from the cement's edge out through the body's wall.
    spur = with_material(volume, [rod((22, 24, 31), (22, 24, 48), 3.0)], 1100.0, scanner)
    hu = np.maximum(volume.hu, spur.hu)
    grown = measured_ml(find_cement(replace(volume, hu=hu), spine))
    assert grown == pytest.approx(plain, abs=0.12)


def test_bone_that_no_label_covers_is_not_eaten_by_the_cement_beside_it():
    scanner = Scanner(clip=3071)
    volume, spine, _ = scan([ball((22, 24, 26), 6.0), rod((4, 6, 9), (40, 6, 9), 1.5)], scanner, 2600.0)
    plain = measured_ml(find_cement(volume, spine))
    # The head of a rib: spongiosa with a dense cortex that the cast in the vein before it touches.
    rib = with_material(volume, [ball((22, 7, 6), 8.0)], 450.0, scanner)
    rib = with_material(rib, [rod((14, 7, 7), (30, 7, 5), 3.0)], 950.0, scanner)
    hu = np.maximum(volume.hu, rib.hu)
    grown = measured_ml(find_cement(replace(volume, hu=hu), spine))
    assert grown == pytest.approx(plain, rel=0.03)


def test_a_calcified_node_far_from_cement_is_not_cement():
    scanner = Scanner(clip=3071)
    volume, spine, truth = scan([ball((22, 24, 34), 5.0)], scanner, 3000.0)
    node = with_material(volume, [ball((22, 4, 4), 1.5)], 3000.0, scanner)
    assert find_cement(node, spine).pieces.max() == 1
    assert measured_ml(find_cement(node, spine)) == pytest.approx(truth, rel=0.06)


def test_cement_in_a_foramen_far_from_the_rest_is_cement():
    scanner = Scanner(clip=3071)
    volume, spine, truth = scan([ball((12, 14, 10), 3.0), ball((38, 47, 39.5), 2.0)], scanner, 3500.0)
    cement = find_cement(volume, spine)
    assert cement.pieces.max() == 2
    assert measured_ml(cement) == pytest.approx(truth, rel=0.15)
