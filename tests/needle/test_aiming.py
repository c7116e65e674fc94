from __future__ import annotations

import numpy as np
import pytest
from patients import PEDICLE_X, PEDICLE_Z, plain_block

from thecal.needle.aiming import aim_shares, breach_mm

TIP = np.array([9.0, 25.0, 2.0])


def entry(aside: float) -> np.ndarray:
    return np.array([PEDICLE_X + aside, -24.0, PEDICLE_Z])


def test_shares_of_the_grades_sum_to_one_and_larger_errors_are_less_safe():
    shares = aim_shares(plain_block(), "transpedicular", entry(0.5), TIP, 2.4)
    for share in shares:
        assert sum(share.grades.values()) == pytest.approx(1.0, abs=1e-4)
    safe = [share.safe for share in shares]
    assert safe == sorted(safe, reverse=True)
    assert safe[0] > safe[-1]


def test_the_same_plan_has_the_same_shares_every_time():
    first, second = (aim_shares(plain_block(), "transpedicular", entry(0.0), TIP, 3.1) for _ in range(2))
    assert first == second


def test_a_needle_in_the_pedicles_middle_has_no_breach_and_one_half_out_has_its_radius():
    middle = np.array([PEDICLE_X, 25.0, PEDICLE_Z])
    inside, edge = entry(0.0), entry(4.0)
    over = breach_mm(
        plain_block(),
        "transpedicular",
        np.stack([inside, edge]),
        np.stack([middle, middle + np.array([4.0, 0, 0])]),
        3.0,
    )
    assert over[0] == 0.0
    assert over[1] == pytest.approx(1.5, abs=0.5)


def test_a_needle_deep_in_the_canal_has_all_of_its_depth_as_its_breach():
    deep = np.array([[5.0, -24.0, PEDICLE_Z]]), np.array([[5.0, 25.0, PEDICLE_Z]])
    # The canal's side wall is at 9 mm, the posterior wall of the body nearer only at its front end.
    assert breach_mm(plain_block(), "transpedicular", *deep, 3.0)[0] == pytest.approx(4.0 + 1.5, abs=0.5)
