"""Real CTs without cement, whole crops far beyond the spine: stents, sutures, bolus, calcium, a hip nail."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thecal.anatomy.backends.given import Given
from thecal.anatomy.spine import Canal, Part, Spine, Vertebra
from thecal.cement.find import find_cement
from thecal.dicom import read
from thecal.frames import CanalFrame, VertebraFrame
from thecal.volume import Volume

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
AROUND_MM = 70.0
CASES = {
    "t11t12_dicom": ("dicom", "labels_totalsegmentator.nii.gz"),
    "abdomen_3mm": ("ct.nii.gz", "labels_totalsegmentator.nii.gz"),
    "l3_1p5mm": ("sub-ct_label-22_ct.nii.gz", "sub-ct_seg-vert_label-22_msk.nii.gz"),
    "thorax_2p5mm": ("ct.nii.gz", "labels_verse.nii.gz"),
}
SLOW = {"thorax_2p5mm"}


def needed(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"the shared CT {path.parent.name} is not on this machine")
    return path


def widened(volume: Volume, spine: Spine) -> Spine:
    """The same spine in a crop that reaches ``AROUND_MM`` beyond its labels."""
    corners = spine.grid.to_lps(np.argwhere(spine.labels > 0)[:: 50 if spine.labels.size > 1e5 else 1])
    box = volume.grid.box_around(corners, AROUND_MM)
    labels, parts = np.zeros(volume.hu.shape, np.uint16), np.zeros(volume.hu.shape, np.uint8)
    labels[spine.box], parts[spine.box] = spine.labels, spine.parts
    return replace(
        spine, box=box, grid=volume.grid.crop(box), labels=labels[box].copy(), parts=parts[box].copy()
    )


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in CASES])
def test_no_cement_is_reported_where_there_is_none(name):
    scan, labels = (needed(DATA / name / part) for part in CASES[name])
    volume = read(scan)
    cement = find_cement(volume, widened(volume, Given(labels).find(volume)))
    assert cement.pieces.max() == 0
    assert cement.fraction.max() == 0.0
    assert 0 < cement.detection_limit_mm3 < 300


def hand_marked(volume: Volume) -> Spine:
    """A rough spine of ``thorax_1p5mm``, whose labels name T12 alone: bright bone round a drawn canal.

    The canal's course is (slice from below, row from the front, column from the right), read off the scan.
    """
    course = np.array(
        [(0, 114, 44), (60, 112, 43), (105, 112, 43), (125, 107, 42), (150, 97, 45), (163, 92, 45)]
    )
    slices = np.arange(volume.hu.shape[0])
    row, column = (np.interp(slices, course[:, 0], course[:, k])[:, None, None] for k in (1, 2))
    back = (np.arange(volume.hu.shape[1])[None, :, None] - row) * 1.5
    left = (np.arange(volume.hu.shape[2])[None, None, :] - column) * 1.5
    bone = (volume.hu > 220) & (abs(left) < 16) & (back > -30)
    labels = np.where(bone, 201, 0).astype(np.uint16)
    labels[np.hypot(back, left) < 7] = 61
    parts = np.where(bone, np.where(back < -8, Part.BODY, Part.ARCH), Part.NONE).astype(np.uint8)
    points = volume.grid.to_lps(np.stack([slices, row[:, 0, 0], column[:, 0, 0]], axis=1)[::3])
    frame = CanalFrame.through(points)
    theta = np.linspace(-np.pi, np.pi, 24, endpoint=False)
    wall = np.full((len(frame.s_mm), 24), 8.0)
    canal = Canal(frame, theta, wall, wall - 1.0, np.ones(len(frame.s_mm)))
    own = VertebraFrame.from_axes(points[len(points) // 2], [0, 0, 1.0], [1.0, 0, 0])
    vertebra = Vertebra(201, None, "unknown", False, 0.5, own, {})
    box = (slice(0, labels.shape[0]), slice(0, labels.shape[1]), slice(0, labels.shape[2]))
    return Spine(box, volume.grid, labels, parts, canal, (vertebra,), "by hand", "1")


def test_an_aortic_stent_sternal_wires_and_a_bolus_are_not_cement():
    volume = read(needed(DATA / "thorax_1p5mm" / "ct.nii.gz"))
    cement = find_cement(volume, hand_marked(volume))
    assert volume.hu.max() > 3000
    assert cement.pieces.max() == 0
