"""TotalSegmentator's real outputs, which mix vertebrae inside one bone, and what repair makes of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fake_totalsegmentator import install

from thecal.anatomy.backends.totalsegmentator import TotalSegmentator
from thecal.anatomy.contract import check_spine
from thecal.terms import is_vertebra

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
# The aim of docs/validation.md for our own anatomy.
LEAST = 0.98


@pytest.mark.parametrize("name", ["t11t12_dicom", "abdomen_3mm"])
def test_after_repair_each_bone_has_one_label(monkeypatch, tmp_path, name):
    theirs = DATA / name / "labels_totalsegmentator.nii.gz"
    if not theirs.exists():
        pytest.skip(f"real data are not here: {name}")
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.bones import own_label_shares
    from benchmarks.scans import reference, scan

    from thecal.anatomy.backends.given import to_contract

    volume = scan(name)
    install(monkeypatch, tmp_path, theirs)
    spine = TotalSegmentator().find(volume)
    assert check_spine(spine, volume) == []
    assert "repaired_two_labels" in [note.code for note in spine.quality]
    before, _, _ = to_contract(reference(theirs, volume.grid))
    ours, raw = (
        np.where(np.isin(a, [i for i in np.unique(a) if is_vertebra(int(i))]), a, 0).astype(np.uint16)
        for a in (spine.labels, before[spine.box])
    )
    shares = own_label_shares(volume.hu[spine.box], spine.grid, ours, raw, spine)
    assert min(shares["ours"]) >= LEAST, shares
    assert min(shares["ours"]) > min(shares["peer"]), shares
