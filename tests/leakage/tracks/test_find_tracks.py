"""Needle tracks are found where needles went, and none where none did."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from thecal.anatomy.spine import Spine
from thecal.cement.deposit_map import Cement
from thecal.leakage.tracks import TracksFound, find_tracks
from thecal.phantom.needle import TrackSpec
from thecal.phantom.patient import Case, make_patient

SPECS = (
    TrackSpec("T12", "left", 0.0, 0.6, "empty", 1.5, 14.0, -4.0),
    TrackSpec("T12", "right", 0.0, 0.6, "cement", 1.5, 12.0, 3.0),
    TrackSpec("L1", "left", 0.0, 0.5, "air", 1.4, 15.0, 0.0),
)


def cement_of(case: Case, spine: Spine) -> Cement:
    """Cement by its brightness alone: what is tested here is the search for tracks."""
    hu = case.volume.hu[spine.box].astype(np.float32)
    fraction = np.clip((hu - 1200.0) / 1800.0, 0.0, 1.0).astype(np.float32)
    return Cement(
        spine.box,
        spine.grid,
        (fraction > 0.3).astype(np.int32),
        fraction,
        np.zeros(hu.shape, bool),
        np.array([0.4, 0.4, 0.4]),
        18.0,
        10.0,
    )


def search(case: Case, slice_mm: float = 1.0, **changed: Any) -> TracksFound:
    cement = cement_of(case, case.spine)
    if "metal" in changed:
        metal: npt.NDArray[np.bool_] = changed["metal"]
        cement = Cement(
            cement.box, cement.grid, cement.pieces, cement.fraction, metal, cement.psf_sigma_mm, 18.0, 10.0
        )
    return find_tracks(case.volume.hu[case.spine.box], slice_mm, case.spine, cement)


@pytest.fixture(scope="module")
def patient() -> Case:
    return make_patient(
        11, "T12-L1", spacing_mm=(1.0, 0.8, 0.8), fov_mm=120.0, age=68.0, sex="M", tracks=SPECS
    )


@pytest.fixture(scope="module")
def found(patient: Case) -> TracksFound:
    return search(patient)


def test_each_needle_is_found_once_with_what_fills_its_way(found: TracksFound) -> None:
    seen = {(t.level, t.side, t.content) for t in found.tracks}
    assert seen == {(s.level, s.side, s.content) for s in SPECS}
    assert len(found.tracks) == len(SPECS)


def test_angles_to_the_midline_are_right(patient: Case, found: TracksFound) -> None:
    for truth in patient.tracks:
        track = next(t for t in found.tracks if (t.level, t.side) == (truth.level, truth.side))
        assert track.transverse_angle == pytest.approx(truth.transverse_angle, abs=1.5)
        assert track.sagittal_angle == pytest.approx(truth.sagittal_angle, abs=1.5)


def test_ends_lie_where_the_needle_met_bone_and_where_it_stopped(patient: Case, found: TracksFound) -> None:
    for truth in patient.tracks:
        track = next(t for t in found.tracks if (t.level, t.side) == (truth.level, truth.side))
        assert np.linalg.norm(np.subtract(track.tip_mm, truth.tip_mm)) < 3.0
        assert np.linalg.norm(np.subtract(track.entry_mm, truth.entry_mm)) < 4.0


def test_thick_slices_leave_empty_tracks_unsaid(patient: Case) -> None:
    thick = search(patient, slice_mm=2.5)
    assert {t.content for t in thick.tracks} <= {"cement"}
    assert thick.bores_sought == ()
    assert any(n.code == "tracks_not_assessable" for n in thick.notes)


def test_metal_in_the_vertebra_leaves_its_tracks_unsaid(patient: Case) -> None:
    metal = np.ones(patient.spine.labels.shape, bool)
    hidden = search(patient, metal=metal)
    assert hidden.tracks == ()
    assert hidden.casts_sought == ()
    assert any(n.code == "tracks_hidden_by_metal" for n in hidden.notes)


def test_an_untouched_patient_has_none_and_is_not_cleared() -> None:
    clean = make_patient(12, "T12-L1", spacing_mm=(1.0, 0.8, 0.8), fov_mm=120.0, age=80.0, sex="F")
    result = search(clean)
    assert result.tracks == ()
    assert any("does not show that no needle passed" in n.message for n in result.notes)


MEDIAL = (
    TrackSpec("T12", "left", 5.0, 0.6, "empty", 1.5),
    TrackSpec("T12", "right", 4.5, 0.6, "cement", 1.5),
)


@pytest.fixture(scope="module")
def punctured() -> Case:
    return make_patient(
        21, "T12-L1", spacing_mm=(1.0, 0.8, 0.8), fov_mm=120.0, age=66.0, sex="F", tracks=MEDIAL
    )


def test_ways_through_the_canal_are_found_by_their_ends_in_arch_and_body(punctured: Case) -> None:
    found = search(punctured)
    seen = {(t.level, t.side, t.content, t.breach) for t in found.tracks}
    assert seen == {("T12", "left", "empty", "medial"), ("T12", "right", "cement", "medial")}
    for truth in punctured.tracks:
        track = next(t for t in found.tracks if t.side == truth.side)
        assert track.transverse_angle == pytest.approx(truth.transverse_angle, abs=4.0)
        assert track.medial_wall_clearance_mm == pytest.approx(truth.medial_wall_clearance_mm, abs=1.5)


def test_on_slices_of_three_millimetres_cement_in_arch_and_body_still_tells_the_way() -> None:
    thick = make_patient(
        21, "T12-L1", spacing_mm=(3.0, 0.8, 0.8), fov_mm=120.0, age=66.0, sex="F", tracks=MEDIAL
    )
    found = search(thick, slice_mm=3.0)
    assert {(t.level, t.side, t.content) for t in found.tracks} == {("T12", "right", "cement")}
