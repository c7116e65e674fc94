"""Where cement surely is, before its edges are sought."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cement_scene import Scanner, ball, scan

from thecal.anatomy.spine import Part
from thecal.cement.seeds import weak_seeds
from thecal.terms import DISC_OFFSET


@pytest.mark.parametrize("vertebra", [20, 201])
def test_weak_cement_in_a_disc_is_seen_whether_the_level_has_a_name_or_not(vertebra):
    volume, spine, _ = scan(
        [ball((22, 22, 26), 6.0)], Scanner(spacing=(1.0, 1.0, 1.0), sigma=(0.5, 0.5, 0.5), noise=20.0), 1400.0
    )
    labels = np.where(spine.parts == Part.BODY, DISC_OFFSET + vertebra, spine.labels).astype(np.uint16)
    parts = np.where(spine.parts == Part.BODY, Part.NONE, spine.parts).astype(np.uint8)
    disc = replace(spine, labels=labels, parts=parts)
    seeds = weak_seeds(volume.hu[disc.box], disc, 1000.0, 1300.0, 20.0)
    assert seeds.sum() > 200
