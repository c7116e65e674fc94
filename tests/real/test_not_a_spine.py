"""Parts of real CTs that hold no spine: nothing may be said of one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thecal.anatomy.backends.builtin import Builtin
from thecal.dicom import read
from thecal.errors import SpineNotFound

SCAN = Path(__file__).resolve().parents[3] / "shared" / "data" / "abdomen_3mm" / "ct.nii.gz"


@pytest.mark.parametrize(("side", "share"), [("right hip and flank", (0.0, 0.36)), ("left", (0.64, 1.0))])
def test_a_hip_is_not_called_a_spine(side: str, share: tuple[float, float]) -> None:
    if not SCAN.exists():
        pytest.skip("the shared CT abdomen_3mm is not on this machine")
    volume = read(SCAN)
    columns = volume.hu.shape[2]
    box = (
        slice(0, volume.hu.shape[0]),
        slice(0, volume.hu.shape[1]),
        slice(round(share[0] * columns), round(share[1] * columns)),
    )
    hip = replace(volume, hu=np.ascontiguousarray(volume.hu[box]), grid=volume.grid.crop(box))
    with pytest.raises(SpineNotFound):
        Builtin().find(hip)
