"""Cement in a plain vertebra: is it found, and how much of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cement_scene import Scanner, ball, scan
from scipy import ndimage

from thecal.cement.find import find_cement


def measured_ml(cement) -> float:
    return float(cement.fraction.sum()) * cement.grid.voxel_mm3 / 1000


THIN = {"spacing": (1.0, 0.7, 0.7), "sigma": (0.45, 0.6, 0.6), "noise": 20.0}
THICK = {"spacing": (3.0, 0.8, 0.8), "sigma": (1.1, 0.65, 0.65), "noise": 30.0}


@pytest.mark.parametrize("scanner", [THIN, THICK], ids=["1 mm", "3 mm"])
@pytest.mark.parametrize("clip", [None, 3071])
def test_a_plain_vertebra_holds_no_cement(scanner, clip):
    volume, spine, _ = scan([], Scanner(clip=clip, **scanner))
    assert find_cement(volume, spine).pieces.max() == 0


@pytest.mark.parametrize("scanner", [THIN, THICK], ids=["1 mm", "3 mm"])
@pytest.mark.parametrize("pure", [1800.0, 3000.0])
def test_one_ml_in_the_body_is_right_to_five_percent(scanner, pure):
    volume, spine, truth = scan([ball((22.3, 24.2, 26.1), 6.2)], Scanner(clip=3071, **scanner), pure)
    assert measured_ml(find_cement(volume, spine)) == pytest.approx(truth, rel=0.05)


@pytest.mark.parametrize("scanner", [THIN, THICK], ids=["1 mm", "3 mm"])
@pytest.mark.parametrize("pure", [1800.0, 3000.0])
def test_a_tenth_of_a_ml_in_the_canal_is_right_to_fifteen_percent(scanner, pure):
    volume, spine, truth = scan([ball((22.4, 46.2, 26.3), 2.88)], Scanner(clip=3071, **scanner), pure)
    assert measured_ml(find_cement(volume, spine)) == pytest.approx(truth, rel=0.15)


@pytest.mark.parametrize("pure", [3300.0, 3600.0])
def test_cement_whose_brightest_part_the_scanner_cuts_off_keeps_its_volume(pure):
    # Pure cement scatters about its mean: trabeculae and marrow lie in it.
    scanner = Scanner(clip=None, **THICK)
    volume, spine, truth = scan([ball((22.3, 24.2, 26.1), 9.0)], scanner, pure)
    rng = np.random.default_rng(3)
    rough = ndimage.gaussian_filter(rng.normal(0, 1, volume.hu.shape), (0.6, 1.5, 1.5))
    rough *= 0.08 / rough.std()
    hu = np.where(volume.hu > 1500, volume.hu * (1 + rough), volume.hu)
    source = replace(volume.source, hu_clipped_at=3071)
    clipped = replace(volume, hu=np.clip(hu, -1024, 3071).astype(np.int16), source=source)
    assert measured_ml(find_cement(clipped, spine)) == pytest.approx(truth, rel=0.08)
