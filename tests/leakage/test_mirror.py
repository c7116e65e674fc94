"""Cement in a foramen that the anatomy took for arch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from box_spine import ball, toy

from thecal.anatomy.spine import Part
from thecal.leakage.find import find_leakage

pytestmark = pytest.mark.usefixtures("no_needles_sought")


def test_foraminal_cement_that_was_labelled_arch_is_foraminal() -> None:
    case = toy(ball(15.5, 6.0, 48.0, 3.5))
    cement = case.cement.pieces > 0
    labels, parts = case.spine.labels.copy(), case.spine.parts.copy()
    swallowed = cement & (labels == 0)
    arch = int(labels[parts == Part.ARCH].max())
    labels[swallowed], parts[swallowed] = arch, Part.ARCH
    spine = replace(case.spine, labels=labels, parts=parts)
    found = find_leakage(case.volume, spine, case.cement)
    assert [d.compartment for d in found.deposits] == ["foraminal"]


def test_a_pedicle_full_of_cement_stays_with_its_bone() -> None:
    case = toy(ball(13.5, 8.5, 32.0, 3.6))
    inside = case.cement.pieces > 0
    assert (case.spine.parts[inside] == Part.ARCH).mean() > 0.5
    found = find_leakage(case.volume, case.spine, case.cement)
    assert np.all([d.compartment == "intravertebral" for d in found.deposits])
    assert found.deposits
