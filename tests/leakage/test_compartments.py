"""Where a drop of cement is said to lie, on a spine of boxes with known walls."""

import numpy as np
import pytest
from box_spine import (
    ball,
    box,
    in_canal,
    rod,
    toy,
    with_canal_moved,
    with_wall_moved,
)

from thecal.leakage import find_leakage
from thecal.leakage.findings import Leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")

FILL = box(-12, 12, -25, -4, 24, 40)
FULL_TO_THE_WALL = box(-15, 15, -29.5, -0.3, 21, 43)
VEIN = rod((0, -6, 32), (0, 2, 32), 1.2)


def leaks(found: Leakage) -> list[str]:
    return sorted(d.compartment for d in found.deposits if d.compartment != "intravertebral")


def run(case):
    return find_leakage(case.volume, case.spine, case.cement)


CASES = {
    "epidural": [FILL, VEIN, in_canal(box(-5, 5, 0, 4, 27, 37))],
    "intradural": [FILL, ball(0, 9, 32, 3)],
    "intradiscal": [FILL, box(-8, 8, -20, -10, 38, 50)],
    "foraminal": [FILL, rod((-8, -8, 23.5), (-13, 3, 21.5), 1.2), ball(-15, 5.5, 18.5, 3)],
    "paravertebral": [FILL, rod((-8, -15, 32), (-28, -15, 32), 1.5)],
    "needle_track": [rod((8, -15, 32), (13.5, 8.5, 32), 1.5), rod((13.5, 8.5, 32), (20, 36, 32), 1.5)],
}


@pytest.mark.parametrize("compartment", CASES)
@pytest.mark.parametrize("turned", [(0, 0), (22, 8)])
def test_each_compartment_is_named(compartment, turned):
    found = run(toy(*CASES[compartment], tilt=turned[0], roll=turned[1]))
    assert leaks(found) == [compartment]
    assert [d.level for d in found.deposits] == ["T12"] * len(found.deposits)


@pytest.mark.parametrize("compartment", CASES)
@pytest.mark.parametrize("mm", [-1.0, 1.0])
def test_bone_walls_off_by_a_millimetre_change_no_finding(compartment, mm):
    assert leaks(run(with_wall_moved(toy(*CASES[compartment]), mm))) == [compartment]


@pytest.mark.parametrize("compartment", CASES)
@pytest.mark.parametrize("mm", [-1.0, 1.0])
def test_a_canal_off_by_a_millimetre_changes_no_finding(compartment, mm):
    assert leaks(run(with_canal_moved(toy(*CASES[compartment]), mm))) == [compartment]


@pytest.mark.parametrize("mm", [-1.4, -1.0, 1.0])
def test_a_body_filled_to_its_walls_has_not_leaked(mm):
    case = with_wall_moved(toy(FULL_TO_THE_WALL), mm)
    assert leaks(run(case)) == []


def test_a_film_along_the_wall_is_not_added_to_a_true_leak():
    shapes = [FULL_TO_THE_WALL, VEIN, in_canal(box(-3, 3, 0, 4, 29, 35))]
    straight, moved = run(toy(*shapes)), run(with_wall_moved(toy(*shapes), -1.0))
    assert leaks(straight) == leaks(moved) == ["epidural"]
    volumes = [d.volume_ml for f in (straight, moved) for d in f.deposits if d.compartment == "epidural"]
    assert volumes[1] < 1.6 * volumes[0]


def test_an_epidural_crescent_that_pokes_into_the_sac_stays_one_epidural_deposit():
    # The sac begins 2.5 mm behind the wall; the crescent is 3.5 mm deep.
    found = run(toy(FILL, VEIN, in_canal(box(-5, 5, 0, 4.2, 27, 37))))
    assert leaks(found) == ["epidural"]


def test_cement_through_the_dura_is_two_deposits():
    found = run(toy(FILL, VEIN, in_canal(box(-7, 7, 0, 3.2, 26, 38)), box(-4, 4, 3, 14, 28, 36)))
    assert leaks(found) == ["epidural", "intradural"]


def test_cement_in_a_hole_of_the_disc_label_is_in_the_disc():
    case = toy(box(-8, 8, -20, -10, 38, 51))
    case.spine.labels[case.spine.labels > 100] = 0
    assert leaks(run(case)) == ["intradiscal"]


def test_two_leaks_of_one_vertebra_are_two_deposits():
    found = run(
        toy(
            FILL,
            rod((-8, -15, 32), (-28, -15, 32), 1.5),
            rod((8, -15, 32), (28, -15, 32), 1.5),
        )
    )
    assert leaks(found) == ["paravertebral", "paravertebral"]
    assert sorted(d.side for d in found.deposits if d.compartment == "paravertebral") == ["left", "right"]


def test_volumes_add_up_and_the_label_map_agrees():
    case = toy(*CASES["epidural"])
    found = run(case)
    voxel = case.spine.grid.voxel_mm3 / 1000
    assert sum(d.volume_ml for d in found.deposits) == pytest.approx(
        float(case.cement.fraction.sum()) * voxel
    )
    for deposit in found.deposits:
        mask = found.deposit_labels == deposit.id
        assert deposit.volume_ml == pytest.approx(float(case.cement.fraction[mask].sum()) * voxel)
    assert [d.id for d in found.deposits] == list(range(1, len(found.deposits) + 1))
    assert np.all(np.diff([d.volume_ml for d in found.deposits]) <= 0)


def test_no_cement_no_deposit():
    found = run(toy())
    assert found.deposits == ()
    assert found.worst is None
    assert found.canal_cement_ml == 0
