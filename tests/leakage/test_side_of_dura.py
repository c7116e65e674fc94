"""Inside or outside the dura, by what the cement rests on, before any outline of the sac."""

from dataclasses import replace

import numpy as np
import pytest
from box_spine import Toy, ball, box, in_canal, rod, toy

from thecal.leakage import find_leakage
from thecal.leakage.before_wall import before_hidden_wall
from thecal.leakage.regions import BONE, EPIDURAL

pytestmark = pytest.mark.usefixtures("no_needles_sought")

FILL = box(-12, 12, -25, -4, 24, 40)
MASS = in_canal(box(-8, 8, 0, 8.5, 26, 38))
BEHIND_THE_SAC = in_canal(box(-5, 5, 12.5, 17, 26, 38))
IN_THE_RECESS = in_canal(box(5, 11, 3, 9, 26, 38))
DROP = ball(0, 10.5, 32, 2.6)


def in_the_canal(case: Toy) -> dict[str, float]:
    """Millilitres on either side of the dura."""
    held = {"epidural": 0.0, "intradural": 0.0}
    for deposit in find_leakage(case.volume, case.spine, case.cement).deposits:
        if deposit.compartment in held:
            held[deposit.compartment] += deposit.volume_ml
    return held


@pytest.mark.parametrize("turned", [(0, 0), (18, -9)])
@pytest.mark.parametrize("shape", [MASS, BEHIND_THE_SAC, IN_THE_RECESS])
def test_cement_that_rests_on_the_wall_is_epidural_even_where_it_reaches_the_middle(shape, turned):
    held = in_the_canal(toy(FILL, shape, tilt=turned[0], roll=turned[1]))
    assert held["intradural"] == 0
    assert held["epidural"] > 0.1


@pytest.mark.parametrize("turned", [(0, 0), (18, -9)])
def test_a_drop_with_tissue_all_round_is_intradural(turned):
    held = in_the_canal(toy(FILL, DROP, tilt=turned[0], roll=turned[1]))
    assert held["epidural"] == 0
    assert held["intradural"] > 0.03


def test_a_drop_inside_and_a_sheet_outside_are_told_apart():
    held = in_the_canal(toy(FILL, in_canal(box(-6, 6, 0, 3.2, 26, 38)), DROP))
    assert min(held.values()) > 0.03


def straddling(*cement, short_mm: float) -> tuple[Toy, np.ndarray]:
    """Cement on a wall that is drawn too far in, and the codes that such a wall gives."""
    case = toy(*cement)
    canal = case.spine.canal
    case = replace(case, spine=replace(case.spine, canal=replace(canal, wall_mm=canal.wall_mm - short_mm)))
    voxels = np.argwhere(case.cement.pieces > 0)
    s, theta, r = canal.frame.locate(case.spine.grid.to_lps(voxels))
    column = np.rint((theta - canal.theta[0]) / (2 * np.pi) * len(canal.theta)).astype(int)
    beyond = r > case.spine.canal.wall_mm[canal.frame.index(s), column % len(canal.theta)]
    codes = np.zeros(case.cement.pieces.shape, np.uint16)
    codes[tuple(voxels.T)] = np.where(beyond, BONE + 19, EPIDURAL)
    return case, codes


def given(case: Toy, codes: np.ndarray) -> np.ndarray:
    return before_hidden_wall(codes, case.cement.fraction, case.spine.canal, case.spine.grid)


def test_a_sheet_that_a_short_wall_cuts_in_two_is_all_epidural():
    case, codes = straddling(in_canal(box(-5, 5, 0, 4.5, 26, 38)), short_mm=2.0)
    mm3 = [float(case.cement.fraction[c == EPIDURAL].sum()) for c in (codes, given(case, codes))]
    assert mm3[0] < 0.8 * case.cement.fraction.sum()
    assert mm3[1] > 0.95 * case.cement.fraction.sum()


def test_fill_that_a_vein_joins_to_the_sheet_stays_in_the_body():
    sheet, vein = in_canal(box(-5, 5, 0, 4.5, 26, 38)), rod((0, -6, 32), (0, 1, 32), 1.6)
    case, codes = straddling(FILL, vein, sheet, short_mm=2.0)
    changed = given(case, codes)
    deep = case.spine.grid.to_lps(np.argwhere(codes == BONE + 19)) @ np.array([0.0, 1.0, 0.0])
    posterior_wall = case.to_lps([0, 0, 32])[1]
    kept = changed[codes == BONE + 19] == BONE + 19
    assert kept[deep < posterior_wall - 5.0].all()
    assert kept.mean() > 0.9
