"""The compartment needle_track and the list of tracks name the same needles."""

from __future__ import annotations

import numpy as np
import pytest

from thecal.cement.find import find_cement
from thecal.leakage import find_leakage
from thecal.phantom.deposit_spec import DepositSpec
from thecal.phantom.patient import make_patient


@pytest.mark.parametrize(("side", "sign"), [("left", 1), ("right", -1)])
def test_a_deposit_called_needle_track_has_its_track_in_the_list(side: str, sign: int) -> None:
    case = make_patient(
        31,
        "T12-L1",
        spacing_mm=(1.0, 0.8, 0.8),
        fov_mm=120.0,
        age=70.0,
        sex="F",
        deposits=(
            DepositSpec("intravertebral", "T12", 2.0, "midline"),
            DepositSpec("needle_track", "T12", 0.12, "left" if sign > 0 else "right"),
        ),
    )
    leakage = find_leakage(case.volume, case.spine, find_cement(case.volume, case.spine))
    casts = [d for d in leakage.deposits if d.compartment == "needle_track"]
    assert len(casts) == 1
    middle = case.spine.grid.to_lps(np.argwhere(leakage.deposit_labels == casts[0].id)).mean(axis=0)
    away = []
    for track in leakage.tracks:
        start, end = np.array(track.entry_mm), np.array(track.tip_mm)
        axis = (end - start) / np.linalg.norm(end - start)
        off = middle - start
        if (track.content, track.side, track.level) == ("cement", side, "T12"):
            away.append(float(np.linalg.norm(off - (off @ axis) * axis)))
    assert away
    assert min(away) < 2.0
