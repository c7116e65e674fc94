from __future__ import annotations

from dataclasses import replace

import numpy as np
from patients import looked_at, patient, vertebra

from thecal.needle.search.around import Around
from thecal.needle.skin import skin_of


def test_the_spine_lies_in_the_body_and_a_place_behind_the_back_does_not():
    around, case = looked_at().around, patient()
    frame = vertebra("L1").frame
    assert around.at(around.body, frame.to_lps((0.0, 10.0, 0.0)))
    tissue = case.volume.hu[:, :, case.volume.hu.shape[2] // 2] > -300
    last = int(np.flatnonzero(tissue.any(0))[-1])
    if last + 4 < case.volume.hu.shape[1]:
        z = case.volume.hu.shape[0] // 2
        outside = case.grid.to_lps([z, last + 4, case.volume.hu.shape[2] // 2])
        assert not around.at(around.body, outside)


def test_gas_inside_the_body_is_named_and_lies_off_the_bones():
    case = patient()
    hu = case.volume.hu.copy()
    frame = vertebra("L1").frame
    points = case.grid.to_lps(np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), -1))
    bubble = np.linalg.norm(points - frame.to_lps((30.0, 40.0, 0.0)), axis=-1) < 8.0
    hu[bubble] = -1000
    around = Around.of(replace(case.volume, hu=hu), case.spine)
    assert around.at(around.gas, frame.to_lps((30.0, 40.0, 0.0)))
    assert not around.at(around.gas | around.lung, frame.to_lps((0.0, 15.0, 0.0)))


def test_a_vessel_full_of_contrast_beside_the_spine_is_an_aorta_and_a_bone_is_none():
    case = patient()
    hu = case.volume.hu.copy()
    frame = vertebra("L1").frame
    points = case.grid.to_lps(np.stack(np.meshgrid(*[np.arange(n) for n in hu.shape], indexing="ij"), -1))
    local = frame.to_local(points)
    hu[np.hypot(local[..., 0] - 12.0, local[..., 1] - 52.0) < 10.0] = 300
    around = Around.of(replace(case.volume, hu=hu), case.spine)
    assert around.at(around.aorta, frame.to_lps((12.0, 52.0, 0.0)))
    assert not around.at(around.aorta, frame.to_lps((0.0, 15.0, 0.0)))


def test_skin_lies_between_the_bone_and_the_air_behind_the_back():
    around, case, own = looked_at().around, patient(), vertebra("L1")
    entry = own.frame.to_lps((15.0, -20.0, 4.0))
    ahead = own.frame.anterior
    skin = skin_of(around, case.volume.grid, own, entry, ahead, 1.0)
    assert skin is not None
    index = np.rint(case.grid.to_index(np.array(skin.point_mm))).astype(int)
    behind = np.rint(case.grid.to_index(np.array(skin.point_mm) - 5.0 * ahead)).astype(int)
    assert case.volume.hu[tuple(behind)] < -300
    assert (
        case.volume.hu[tuple(np.rint(case.grid.to_index(np.array(skin.point_mm) + 5.0 * ahead)).astype(int))]
        > -300
    )
    assert (index >= 0).all()
    assert 10.0 < skin.from_midline_mm < 20.0
    other = skin_of(around, case.volume.grid, own, entry, ahead, -1.0)
    assert other is not None
    assert other.from_midline_mm == -skin.from_midline_mm


def test_a_scan_that_ends_before_the_skin_gives_none():
    around, case, own = looked_at().around, patient(), vertebra("L1")
    entry = own.frame.to_lps((15.0, -20.0, 4.0))
    assert skin_of(around, case.volume.grid, own, entry, own.frame.cranial, 1.0) is None
