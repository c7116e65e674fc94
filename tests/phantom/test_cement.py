"""Cement lies in the compartment that it was put into, in the volume that was asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from thecal.anatomy.spine import Part
from thecal.errors import InputError
from thecal.phantom import Case, DepositSpec, insert_deposits
from thecal.phantom.deposit_spec import parse_deposit
from thecal.phantom.draw import draw_case
from thecal.phantom.insert import CementTruth
from thecal.phantom.scanner import Scanner
from thecal.terms import VERSE_IDS
from thecal.volume import Volume

QUIET = Scanner(streaks=0.0, slice_fwhm_mm=1.5)
EVERYWHERE = (
    "intravertebral@T12:3ml",
    "intradiscal@T12:0.4ml:above",
    "epidural@T12:0.25ml:left:crescent",
    "epidural@L1:0.15ml:right:recess",
    "intradural@T12:0.1ml:piece",
    "intradural@L1:0.25ml:sheets",
    "foraminal@T12:0.1ml:left",
    "paravertebral@T12:0.3ml:left:blob",
    "paravertebral@L1:0.2ml:right:segmental",
    "paravertebral@T12:0.2ml:right:prevertebral",
    "needle_track@L1:0.15ml:right",
)


@pytest.fixture(scope="module")
def filled(phantom_patient: Case) -> tuple[Volume, CementTruth]:
    specs = [parse_deposit(text) for text in EVERYWHERE]
    return insert_deposits(
        phantom_patient.volume, phantom_patient.spine, specs, np.random.default_rng(4), scanner=QUIET
    )


def test_every_deposit_is_there_with_its_volume(filled: tuple[Volume, CementTruth]) -> None:
    _, truth = filled
    assert len(truth.deposits) == len(EVERYWHERE)
    for text, deposit in zip(EVERYWHERE, truth.deposits, strict=True):
        spec = parse_deposit(text)
        assert deposit.compartment == spec.compartment
        assert deposit.volume_ml == pytest.approx(spec.volume_ml, rel=0.25), text
        assert deposit.volume_ml <= spec.volume_ml * 1.01


def test_fractions_sum_to_the_volumes(phantom_patient: Case, filled: tuple[Volume, CementTruth]) -> None:
    _, truth = filled
    total = float(truth.fraction.sum()) * phantom_patient.grid.voxel_mm3 / 1000.0
    assert total == pytest.approx(sum(d.volume_ml for d in truth.deposits), rel=1e-3)


@pytest.mark.parametrize(
    ("compartment", "labels"),
    [
        ("epidural", {61}),
        ("intradural", {60}),
        ("intradiscal", {100 + VERSE_IDS["T11"]}),
        ("intravertebral", {VERSE_IDS["T12"]}),
    ],
)
def test_cement_keeps_to_its_compartment(
    phantom_patient: Case, filled: tuple[Volume, CementTruth], compartment: str, labels: set[int]
) -> None:
    _, truth = filled
    under = phantom_patient.labels[truth.box]
    for deposit in truth.deposits:
        if deposit.compartment == compartment:
            here = under[truth.deposit_labels == deposit.id]
            assert np.isin(here, list(labels)).mean() > 0.95


def test_a_needle_track_runs_through_the_arch_and_not_the_canal(
    phantom_patient: Case, filled: tuple[Volume, CementTruth]
) -> None:
    _, truth = filled
    track = next(d for d in truth.deposits if d.compartment == "needle_track")
    where = truth.deposit_labels == track.id
    assert not np.isin(phantom_patient.labels[truth.box][where], [60, 61]).any()
    assert (phantom_patient.parts[truth.box][where] == Part.ARCH).any()


def test_cement_brightens_the_scan_only_round_itself(
    phantom_patient: Case, filled: tuple[Volume, CementTruth]
) -> None:
    volume, truth = filled
    solid = truth.whole(volume.hu.shape)
    assert volume.hu[truth.box][truth.fraction > 0.99].mean() > 1500
    from scipy import ndimage

    far = ~ndimage.binary_dilation(solid > 0, iterations=5)
    assert np.array_equal(volume.hu[far], phantom_patient.volume.hu[far])
    assert volume.hu.max() <= 3071
    assert volume.source.simulated


def test_occlusion_is_the_worst_plane_of_the_canal(filled: tuple[Volume, CementTruth]) -> None:
    _, truth = filled
    assert 0.05 < truth.occlusion < 0.9
    in_canal = sum(d.volume_ml for d in truth.deposits if d.compartment in ("epidural", "intradural"))
    assert truth.canal_cement_ml == pytest.approx(in_canal, rel=1e-6)


def test_sheets_are_separate_layers(filled: tuple[Volume, CementTruth]) -> None:
    _, truth = filled
    assert next(d for d in truth.deposits if d.form == "sheets").pieces >= 2


def test_streaks_darken_beside_cement(phantom_patient: Case) -> None:
    spec = [DepositSpec("intravertebral", "T12", 5.0, "midline")]
    plain, truth = insert_deposits(
        phantom_patient.volume, phantom_patient.spine, spec, np.random.default_rng(1), scanner=QUIET
    )
    streaky, _ = insert_deposits(
        phantom_patient.volume,
        phantom_patient.spine,
        spec,
        np.random.default_rng(1),
        scanner=replace(QUIET, streaks=1.0),
    )
    change = streaky.hu.astype(int) - plain.hu
    rows = np.flatnonzero((truth.fraction > 0.5).any(axis=(1, 2)))
    assert np.abs(change[rows]).max() > 15
    clean = np.setdiff1d(np.arange(len(change)), np.arange(rows[0] - 8, rows[-1] + 9))
    assert not change[clean].any()


def test_drawn_cases_can_be_made_and_are_the_same_by_seed(phantom_patient: Case) -> None:
    compartments = set()
    for seed in range(40):
        specs = draw_case(phantom_patient.spine, np.random.default_rng(seed))
        assert specs == draw_case(phantom_patient.spine, np.random.default_rng(seed))
        assert specs[0].compartment == "intravertebral"
        compartments |= {s.compartment for s in specs}
    assert len(compartments) == 7


@pytest.mark.parametrize(
    "text",
    [
        "epidural",
        "epidural@T12",
        "sideways@T12:1ml",
        "epidural@T99:1ml",
        "epidural@T12:99ml",
        "epidural@T12:1ml:up",
    ],
)
def test_a_deposit_that_makes_no_sense_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_deposit(text)


def test_a_level_outside_the_scan_is_refused(phantom_patient: Case) -> None:
    with pytest.raises(InputError, match="does not show L5"):
        insert_deposits(
            phantom_patient.volume,
            phantom_patient.spine,
            [parse_deposit("epidural@L5:0.2ml")],
            np.random.default_rng(0),
        )
